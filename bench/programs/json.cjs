// Parses and writes documents of some 60 kB, as servers do all day. Prints the milliseconds.
const ROUNDS = 800;

const orders = Array.from({ length: 250 }, (_, i) => ({
  id: `order-${i}`,
  customer: { name: `Customer ${i % 40}`, mail: `customer${i % 40}@example.org`, tags: ["new", "retail", String(i)] },
  lines: Array.from({ length: 3 }, (_, k) => ({ article: i * 3 + k, amount: 1 + (k % 2), price: (i * 17 + k) / 100 })),
}));
const text = JSON.stringify(orders);

function throughJson() {
  const parsed = JSON.parse(text);
  parsed[0].id = "order-0";
  return JSON.stringify(parsed).length;
}

const start = process.hrtime.bigint();
let length = 0;
for (let i = 0; i < ROUNDS; i++) length += throughJson();
const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
if (length !== ROUNDS * text.length) throw new Error(`${length} characters`);
process.stdout.write(`${milliseconds}\n`);
