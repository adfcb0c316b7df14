// A server that answers with a page of a catalogue, as JSON with an entity tag. It listens on a free port of 127.0.0.1,
// prints {"port", "pid"}, and ends of a SIGTERM.
const { createHash } = require("node:crypto");
const { createServer } = require("node:http");

const PAGE = 20;
const items = Array.from({ length: 1000 }, (_, i) => ({
  id: i,
  name: `item ${i}`,
  price: (i * 37) / 100,
  tags: ["a", `t${i % 7}`],
}));

function pageOf(url) {
  const number = Number(new URL(url, "http://localhost").searchParams.get("page") ?? 0);
  const first = (number * PAGE) % items.length;
  return { page: number, items: items.slice(first, first + PAGE) };
}

function answer(request, response) {
  const body = Buffer.from(JSON.stringify(pageOf(request.url)));
  const tag = createHash("sha1").update(body).digest("base64url");
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length, etag: `"${tag}"` });
  response.end(body);
}

const server = createServer(answer);
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port, pid: process.pid })}\n`);
});
process.on("SIGTERM", () => process.exit(0));
