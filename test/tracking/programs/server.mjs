// @ts-nocheck
// As server.cjs, an ES module.
import { createServer } from "node:http";

const kept = [];
const server = createServer((request, response) => {
  kept.push(Buffer.allocUnsafeSlow(100_003));
  if (kept.length > 50) kept.shift();
  response.end(request.url);
}).listen(0, "127.0.0.1", () => console.log(`listens on ${server.address().port}`));
