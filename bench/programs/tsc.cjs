// The TypeScript compiler checks this project: deep stacks, most of them seen once. Prints the milliseconds.
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
const start = process.hrtime.bigint();
process.on("exit", () => process.stdout.write(`${Number(process.hrtime.bigint() - start) / 1e6}\n`));
process.argv = [process.argv[0], "tsc", "--noEmit", "-p", path.join(root, "tsconfig.json")];
require("typescript/lib/_tsc.js");
