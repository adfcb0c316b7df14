import autocannon from "autocannon";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { Programs } from "../support/attaching.js";
import { cliPath, type Folder, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { program } from "./truth.js";

// A server under load is attached to again and again. `npm run attaches` does so 200 times on each Node.js.

const ATTACHES = Number(process.env.HEAPRAY_ATTACHES ?? 10);
const isShort = process.env.HEAPRAY_ATTACHES === undefined;
/** Requests in a second. */
const LOAD = 400;
/** Before it counts, the server, its heap and the agent have what they need. */
const WARM = Math.min(20, ATTACHES / 2);
/** Bytes: what the kernel gives and takes for other reasons. */
const NOISE = isShort ? 24e6 : 12e6;

let folder: Folder;
const programs = new Programs();
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await programs.stop();
  folder.remove();
});

interface State {
  readonly rss: number;
  readonly [name: string]: unknown;
}

describe.each(isShort ? nodeVersions.slice(0, 1) : nodeVersions)("on $name", ({ name, path: binary }) => {
  test(`${ATTACHES} times: no request fails, and nothing grows`, { timeout: 60_000 + ATTACHES * 5000 }, async () => {
    const server = programs.start(binary, ["--expose-gc", "--inspect-port=0", program("server.cjs"), "worker"]);
    const port = await server.port();
    const state = async () => {
      const told = (await (await fetch(`http://127.0.0.1:${port}/state`)).json()) as State;
      return { ...told, threads: server.threads, ...server.descriptors, ports: server.listening.length };
    };
    const url = `http://127.0.0.1:${port}/`;
    let finished: (result: autocannon.Result) => void = () => {};
    const result = new Promise<autocannon.Result>((resolve) => {
      finished = resolve;
    });
    const load = autocannon({ url, connections: 10, overallRate: LOAD, duration: 3600 }, (_, all) => finished(all));
    const capture = folder.join("capture.bin");
    const attach = (...options: string[]) =>
      programs.start(process.execPath, [cliPath, "attach", String(server.pid), "-f", "-o", capture, ...options]);

    let warm: Awaited<ReturnType<typeof state>> | undefined;
    for (let i = 1; i <= ATTACHES; i++) {
      if (i % 2 === 0) {
        const attaching = attach("-q", "--no-compress", "--duration", "0.1");
        expect({ i, ...(await attaching.ended), said: attaching.stderr }).toEqual({
          i,
          status: 0,
          signal: null,
          said: "",
        });
      } else {
        const attaching = attach("--no-compress");
        await attaching.says("is being tracked");
        const detaching = programs.start(process.execPath, [cliPath, "detach", "-q", String(server.pid)]);
        expect({ i, ...(await detaching.ended), said: detaching.stderr }).toEqual({
          i,
          status: 0,
          signal: null,
          said: "",
        });
        expect({ i, ...(await attaching.ended) }).toEqual({ i, status: 0, signal: null });
      }
      using reader = new FileReader(capture);
      expect(reader.metadata).toMatchObject({ pid: server.pid, complete: true });
      expect(reader.metadata.totalAllocations).toBeGreaterThan(0);
      const isWarm = warm === undefined && i >= WARM;
      if (isWarm) warm = await state();
      if (isWarm || i % 50 === 0 || i === ATTACHES) console.log(`${name}, ${i}: ${JSON.stringify(await state())}`);
    }
    const { rss: warmRss = 0, sockets: warmSockets = 0, ...before } = warm ?? {};
    const { rss, sockets, ...after } = await state();
    load.stop();
    const { errors, timeouts, non2xx, requests } = await result;
    console.log(`${name}: ${requests.total} requests, ${errors} errors, ${timeouts} timeouts, ${non2xx} other answers`);
    expect({ errors, timeouts, non2xx }).toEqual({ errors: 0, timeouts: 0, non2xx: 0 });
    expect(requests.total).toBeGreaterThan(ATTACHES * 10);
    expect(after).toEqual(before);
    // This test's own connections come and go.
    expect(Math.abs(sockets - warmSockets)).toBeLessThanOrEqual(2);
    expect(rss - warmRss).toBeLessThan(NOISE);
  });
});
