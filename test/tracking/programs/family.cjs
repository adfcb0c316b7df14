// @ts-nocheck
// Starts Node.js in every way there is, with an environment of the program's own or with none. Every process that is
// told "child" allocates 16411 bytes a hundred times. Prints how many it started.
const cp = require("node:child_process");
const { once } = require("node:events");
const { promisify } = require("node:util");
const { Worker } = require("node:worker_threads");

const [, , env] = process.argv;
const options = env === "own" ? { env: { FAMILY: "own" } } : {};
const node = process.execPath;
const code = "for (let i = 0; i < 100; i++) Buffer.allocUnsafeSlow(16411); if (process.env.FAMILY) process.exit(0);";
const shell = `"${node}" -e "${code}"`;

if (env === "forked") {
  for (let i = 0; i < 100; i++) Buffer.allocUnsafeSlow(16411);
} else main();

async function main() {
  let started = 0;
  const ended = async (child) => {
    started++;
    const [status] = await once(child, "exit");
    if (status !== 0) throw new Error(`A child ended with ${status}.`);
  };
  await ended(cp.spawn(node, ["-e", code], options));
  await ended(cp.spawn(node, ["-e", code], { ...options, detached: true }));
  await ended(cp.spawn(shell, { ...options, shell: true }));
  await ended(cp.fork(__filename, ["forked"], options));
  await ended(cp.fork(__filename, ["forked"], { ...options, execArgv: [] }));
  await ended(cp.exec(shell, options));
  await ended(cp.execFile(node, ["-e", code], options));
  await promisify(cp.execFile)(node, ["-e", code], options);
  cp.spawnSync(node, ["-e", code], options);
  cp.execFileSync(node, ["-e", code], options);
  cp.execSync(shell, options);
  started += 4;
  const inWorker = `
    const cp = require("node:child_process");
    const [node, code, options] = require("node:worker_threads").workerData;
    cp.spawnSync(node, ["-e", code], options);
    cp.spawn(node, ["-e", code], options);`;
  await once(new Worker(inWorker, { eval: true, workerData: [node, code, options] }), "exit");
  started += 2;
  // A child's child.
  const nested = `${code} require("node:child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(code)}])`;
  await ended(cp.spawn(node, ["-e", nested.replace("if (process.env.FAMILY) process.exit(0);", "")], options));
  started++;
  console.log(started);
}
