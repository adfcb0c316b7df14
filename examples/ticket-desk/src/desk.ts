import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { renderTicket } from "./ticket.js";
import { TicketCache } from "./ticket-cache.js";

const cache = new TicketCache();

/** `/ticket?booking=A17`: a ticket. `/memory`: what the process uses, as JSON, in bytes. */
export function openDesk(): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://desk");
    if (url.pathname === "/ticket") return sendTicket(url, response);
    if (url.pathname === "/memory") return sendMemory(request, response);
    response.writeHead(404).end();
  });
}

function sendTicket(url: URL, response: ServerResponse): void {
  const booking = url.searchParams.get("booking") ?? "none";
  const ticket = cache.get(url.href, () => renderTicket(booking));
  response.writeHead(200, { "content-type": "application/octet-stream" }).end(ticket);
}

function sendMemory(_request: IncomingMessage, response: ServerResponse): void {
  const { rss, heapUsed } = process.memoryUsage();
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ rss, heapUsed, tickets: cache.size }));
}
