// @ts-nocheck
// Work of libuv's pool and of V8's own threads.
const { pbkdf2, randomBytes } = require("node:crypto");
const fs = require("node:fs/promises");
const { promisify } = require("node:util");
const zlib = require("node:zlib");

async function main() {
  await promisify(pbkdf2)("secret", "salt", 1000, 64, "sha512");
  await promisify(zlib.brotliCompress)(randomBytes(100_000));
  await fs.readdir(__dirname);
  await fs.readFile(__filename);
}
main();
let text = "";
for (let i = 0; i < 300; i++) text += `function f${i}(x) { return x + ${i}; } for (let i = 0; i < 50; i++) f${i}(i);`;
(0, eval)(text);
