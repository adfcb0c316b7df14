// SHA-256 of 400,000 short messages, an object of its own for each, as programs make keys and tags. Prints the milliseconds.
const { createHash } = require("node:crypto");

const MESSAGES = 400_000;
const texts = Array.from({ length: 64 }, (_, i) => `${i}:${"the quick brown fox ".repeat(1 + (i % 16))}`);

function digest(text) {
  return createHash("sha256").update(text).digest("hex");
}

const start = process.hrtime.bigint();
let length = 0;
for (let i = 0; i < MESSAGES; i++) length += digest(texts[i % texts.length]).length;
const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
if (length !== MESSAGES * 64) throw new Error(`${length} digits`);
process.stdout.write(`${milliseconds}\n`);
