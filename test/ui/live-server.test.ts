import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { PageServer, type PageSource } from "../../src/live/web/page-server.js";
import type { PageFigures, PageQuery } from "../../src/reporters/live-page-data.js";
import { until } from "../support/running.js";

const PAGE = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'" />`;
/** The figures as large as many sentences make them. */
const WARNING = "x".repeat(10_000);

/** A program whose figures change when the test says so. */
class Changing implements PageSource {
  figures: PageFigures = {
    liveBytes: 0,
    peakBytes: 0,
    totalAllocations: 0,
    allocationRate: 0,
    elapsedMs: 0,
    behindMs: 0,
    warnings: [WARNING],
  };
  made: PageQuery[] = [];
  #listener = (): void => {};

  change(liveBytes: number): void {
    this.figures = { ...this.figures, liveBytes };
    this.#listener();
  }
  end(): void {
    this.figures = { ...this.figures, end: "the program ended." };
    this.#listener();
  }
  onChange(listener: () => void): () => void {
    this.#listener = listener;
    return () => {};
  }
  async graph(query: PageQuery): Promise<Uint8Array> {
    this.made.push(query);
    await sleep(50);
    return new Uint8Array(50_000);
  }
  flameGraph(): Promise<string> {
    return Promise.reject(new Error("the template is gone"));
  }
}

let server: PageServer | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.close();
  server = undefined;
});

async function serve(source: PageSource): Promise<PageServer> {
  server = await PageServer.listen({ source, page: PAGE });
  return server;
}

/** A client that has asked for this and reads nothing by itself. */
function ask(url: string, what: string): Socket {
  const { host, hostname, port, pathname } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  sockets.push(socket);
  socket.pause();
  socket.write(`GET ${pathname}${what} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return socket;
}

test("a tab that does not read is not waited for, and costs no more the longer it stalls", async () => {
  const source = new Changing();
  const { url } = await serve(source);
  ask(url, "events");
  const reading = ask(url, "events");
  let last = "";
  reading.setEncoding("utf8").on("data", (text: string) => {
    last = (last + text).slice(-2 * WARNING.length);
  });
  reading.resume();
  await until(() => server?.tabs === 2);
  // 40 MB, of which the machine takes some for what is connected.
  let most = 0;
  for (let i = 1; i <= 4000; i++) {
    source.change(i);
    most = Math.max(most, server?.pendingBytes ?? 0);
    if (i % 20 === 0) await sleep(1);
  }
  await until(() => last.includes('"liveBytes":4000'));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(2 * 3 * WARNING.length);
  expect(server?.tabs).toBe(2);
});

test("tabs that ask at about the same time share a graph; later ones, other ones and those after the end do not", async () => {
  const source = new Changing();
  const { url } = await serve(source);
  const graph = async (query = ""): Promise<void> => {
    const response = await fetch(`${url}graph${query}`).catch((error: Error) => error);
    // It is gzipped for the browser, which here it is not.
    expect(response).toBeDefined();
  };
  await Promise.all([graph(), graph(), graph()]);
  expect(source.made.length).toBe(1);
  await Promise.all([graph("?thread=a%26b&kind=2"), graph("?kind=9")]);
  expect(source.made.slice(1)).toEqual([{ thread: "a&b", kind: 2 }]);
  source.end();
  await graph();
  expect(source.made.length).toBe(3);
  await sleep(500);
  await graph();
  expect(source.made.length).toBe(4);
});

test("what cannot be made is told as a sentence", async () => {
  const { url } = await serve(new Changing());
  const response = await fetch(`${url}flamegraph`);
  expect([response.status, await response.text()]).toEqual([500, "the template is gone\n"]);
});

test("closing ends all that is open", async () => {
  const { url } = await serve(new Changing());
  const socket = ask(url, "events");
  socket.resume();
  await until(() => server?.tabs === 1);
  const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()).on("error", () => {}));
  await server?.close();
  server = undefined;
  await ended;
  await expect(fetch(url)).rejects.toThrow();
});
