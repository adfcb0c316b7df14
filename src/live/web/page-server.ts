import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MemoryKind } from "../../reporters/flamegraph-data.js";
import type { PageFigures, PageQuery } from "../../reporters/live-page-data.js";
import { EventStreams } from "./event-streams.js";
import { PageAccess } from "./page-access.js";
import { SharedGraphs } from "./shared-graphs.js";

const ADDRESS = "127.0.0.1";
/** A connection on which nothing moves for so long is given up, milliseconds. */
const STALLED_MS = 60_000;
const REQUEST_MS = 10_000;
const MOST_CONNECTIONS = 256;

/** Where the page's data comes from. */
export interface PageSource {
  readonly figures: PageFigures;
  /** @returns what takes the listener away again */
  onChange(listener: () => void): () => void;
  /** What is held now, as a packed flame graph, gzipped. */
  graph(query: PageQuery): Promise<Uint8Array>;
  /** What is held now, as an HTML document that opens offline. */
  flameGraph(): Promise<string>;
}

interface PageServerOptions {
  readonly source: PageSource;
  /** The page's HTML. */
  readonly page: string;
  /** Any free one unless told. */
  readonly port?: number;
}

/** Sent with everything: nothing is kept, framed, or handed on. */
const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};
const NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Serves the live page to this machine's browsers, and to nobody else; see PageAccess. */
export class PageServer {
  /** What to open. */
  readonly url: string;
  readonly #server: Server;
  readonly #source: PageSource;
  readonly #access: PageAccess;
  readonly #page: string;
  readonly #pagePolicy: string;
  readonly #streams = new EventStreams();
  readonly #graphs: SharedGraphs;
  readonly #stop: () => void;
  #ended = false;

  private constructor(server: Server, { source, page }: PageServerOptions) {
    const { port } = server.address() as AddressInfo;
    this.#server = server;
    this.#source = source;
    this.#access = new PageAccess(port);
    this.#page = page;
    this.#pagePolicy = `${policyOf(page)}; frame-ancestors 'none'`;
    this.#graphs = new SharedGraphs((query) => source.graph(query));
    this.url = `http://${ADDRESS}:${port}/${this.#access.token}/`;
    server.on("request", (request, response) => {
      // A tab that goes away in the middle of something is nobody's error.
      response.on("error", () => {});
      this.#serve(request, response).catch((error: Error) => fail(response, error));
    });
    this.#stop = source.onChange(() => this.#tell());
  }

  /** @throws Error with a `code` when the port cannot be had */
  static async listen(options: PageServerOptions): Promise<PageServer> {
    const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS });
    server.maxConnections = MOST_CONNECTIONS;
    server.timeout = STALLED_MS;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port ?? 0, ADDRESS, () => {
        server.off("error", reject);
        resolve();
      });
    });
    return new PageServer(server, options);
  }

  /** How many tabs are open. */
  get tabs(): number {
    return this.#streams.size;
  }

  /** Bytes that are kept for tabs that do not read. */
  get pendingBytes(): number {
    return this.#streams.pendingBytes;
  }

  async close(): Promise<void> {
    this.#stop();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #tell(): void {
    const { figures } = this.#source;
    if (figures.end !== undefined && !this.#ended) {
      this.#ended = true;
      // What was made before is not yet all.
      this.#graphs.clear();
    }
    if (this.#streams.size > 0) this.#streams.tell(JSON.stringify(figures));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const wanted = this.#access.admit(request);
    response.setHeader("content-security-policy", wanted === "/" ? this.#pagePolicy : NO_CONTENT_POLICY);
    if (wanted === undefined) return answer(response, 403, "Forbidden\n");
    if (request.method !== "GET" && request.method !== "HEAD") return answer(response, 405, "Method not allowed\n");
    const { pathname, searchParams } = new URL(`http://localhost${wanted}`);
    if (wanted === "") {
      response.setHeader("location", this.url);
      return answer(response, 308, "");
    }
    switch (pathname) {
      case "/":
        return answer(response, 200, this.#page, "text/html; charset=utf-8");
      case "/events":
        if (request.method === "HEAD") return answer(response, 200, "", "text/event-stream");
        return this.#streams.add(response, JSON.stringify(this.#source.figures));
      case "/graph": {
        const graph = await this.#graphs.get(queryOf(searchParams));
        response.setHeader("content-encoding", "gzip");
        return answer(response, 200, graph, "application/octet-stream");
      }
      case "/flamegraph":
        return answer(response, 200, await this.#source.flameGraph(), "application/octet-stream");
      default:
        return answer(response, 404, "Not found\n");
    }
  }
}

function answer(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  type = "text/plain; charset=utf-8",
): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, { "content-type": type, "content-length": bytes.length }).end(bytes);
}

function fail(response: ServerResponse, { message }: Error): void {
  if (response.headersSent) response.destroy();
  else answer(response, 500, `${message}\n`);
}

/** The policy that the page has for itself, which the server's has to agree with. */
function policyOf(page: string): string {
  const found = /<meta http-equiv="Content-Security-Policy" content="([^"]*)"/u.exec(page)?.[1];
  if (found === undefined) throw new Error("the live page has no content security policy; build it again");
  return found;
}

function queryOf(parameters: URLSearchParams): PageQuery {
  const kind = Object.values(MemoryKind).find((one) => String(one) === parameters.get("kind"));
  return { thread: parameters.get("thread") ?? undefined, kind };
}
