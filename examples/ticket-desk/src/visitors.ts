/** Visitors of the desk: node visitors.js <url> [requests]. There are 200 bookings; each request tells its time, as browsers' reloads do. */
const [, , desk = "http://127.0.0.1:8080", requests = "5000"] = process.argv;
const BOOKINGS = 200;

const memory = async () => {
  const { rss, heapUsed, tickets } = (await (await fetch(`${desk}/memory`)).json()) as Record<string, number>;
  const mb = (bytes = 0) => `${Math.round(bytes / 1e6)} MB`;
  return `RSS ${mb(rss)}, heap used ${mb(heapUsed)}, ${tickets} tickets cached`;
};

console.log(`before: ${await memory()}`);
for (let i = 0; i < Number(requests); i++) {
  const ticket = await fetch(`${desk}/ticket?booking=A${i % BOOKINGS}&at=${Date.now()}.${i}`);
  await ticket.arrayBuffer();
}
console.log(`after:  ${await memory()}`);
