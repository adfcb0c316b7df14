// Puts a server under load for a while: node load.mjs <url> <seconds>. Prints what came of it as JSON. It is a process of
// its own, so that the server is measured and not who measures.
import autocannon from "autocannon";
import { quantile } from "../paired.mjs";

const CONNECTIONS = 50;

const [url = "", seconds = "1"] = process.argv.slice(2);
/** Milliseconds of each answer; autocannon's own percentiles are whole milliseconds.
 * @type {number[]}
 */
const latencies = [];
const start = process.hrtime.bigint();
const load = autocannon({ url, connections: CONNECTIONS, duration: Number(seconds) }, (error, result) => {
  if (error) throw error;
  const took = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.errors + result.non2xx > 0) throw new Error(`${result.errors + result.non2xx} requests failed`);
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  console.log(JSON.stringify({ requests: latencies.length, seconds: took, p50, p99 }));
});
load.on("response", (_client, _status, _bytes, milliseconds) => latencies.push(milliseconds));
