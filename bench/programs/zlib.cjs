// Packs and unpacks 16 kB documents, half of them in this thread, half of them in the pool. Prints the milliseconds.
const { deflate, deflateSync, inflate, inflateSync } = require("node:zlib");
const { promisify } = require("node:util");

const DOCUMENTS = 2_400;
const AT_ONCE = 4;
const inThread = { deflate: promisify(deflate), inflate: promisify(inflate) };

const documents = Array.from({ length: 8 }, (_, k) => {
  const rows = Array.from({ length: 160 }, (_, i) => ({
    id: k * 1000 + i,
    name: `item ${(i * 7919) % 977}`,
    price: (i * k) / 7,
  }));
  return Buffer.from(JSON.stringify(rows));
});

function packAndUnpack(document) {
  return inflateSync(deflateSync(document)).length === document.length;
}

async function packAndUnpackInPool(document) {
  return (await inThread.inflate(await inThread.deflate(document))).length === document.length;
}

async function main() {
  const start = process.hrtime.bigint();
  for (let i = 0; i < DOCUMENTS / 2; i++) {
    if (!packAndUnpack(documents[i % documents.length])) throw new Error("a document came back shorter");
  }
  for (let i = 0; i < DOCUMENTS / 2; i += AT_ONCE) {
    const batch = documents.slice(i % documents.length, (i % documents.length) + AT_ONCE);
    if ((await Promise.all(batch.map(packAndUnpackInPool))).includes(false))
      throw new Error("a document came back shorter");
  }
  process.stdout.write(`${Number(process.hrtime.bigint() - start) / 1e6}\n`);
}

main();
