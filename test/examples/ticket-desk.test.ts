import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { cliPath, type Folder, heapray, node, root, temporaryFolder } from "../support/heapray.js";

/** The tutorial's server in a folder of its own, so that it can be mended. */
function copyOfDesk(folder: Folder, name: string, mend = (text: string) => text): string {
  const copy = folder.join(name);
  cpSync(path.join(root, "examples/ticket-desk/src"), path.join(copy, "src"), { recursive: true });
  const desk = path.join(copy, "src/desk.ts");
  writeFileSync(desk, mend(readFileSync(desk, "utf8")));
  const settings = { extends: path.join(root, "examples/ticket-desk/tsconfig.json"), include: ["src"] };
  const compilerOptions = { rootDir: "src", outDir: "dist", types: ["node"] };
  writeFileSync(path.join(copy, "tsconfig.json"), JSON.stringify({ ...settings, compilerOptions }));
  writeFileSync(path.join(copy, "package.json"), '{"type":"module"}');
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  const { status, stdout } = node([path.join(root, "node_modules/typescript/bin/tsc"), "-p", copy]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  return copy;
}

/** What the tutorial's second step does; visitors come twice. Returns what the visitors print, and the time between. */
async function record(desk: string, capture: string): Promise<{ visits: string[]; betweenMs: number }> {
  const server = spawn(process.execPath, [cliPath, "run", "-q", "-o", capture, path.join(desk, "dist/main.js")], {
    cwd: desk,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(server, "exit");
  const kill = () => server.kill("SIGKILL");
  const timer = setTimeout(kill, 60_000);
  try {
    const started = Date.now();
    const [line] = (await once(createInterface(server.stdout), "line")) as [string];
    const url = /http:\S+/.exec(line)?.[0] ?? "";
    const visit = () => node([path.join(desk, "dist/visitors.js"), url, "600"]).stdout;
    const first = visit();
    const betweenMs = Date.now() - started;
    const second = visit();
    server.kill("SIGINT");
    expect(await exit).toEqual([0, null]);
    return { visits: [first, second], betweenMs };
  } finally {
    clearTimeout(timer);
    kill();
  }
}

test("the tutorial finds the leak, and sees that it is mended", async () => {
  const folder = temporaryFolder();
  try {
    const leaking = copyOfDesk(folder, "leaking");
    const { visits, betweenMs } = await record(leaking, folder.join("desk.bin"));
    expect(visits[1]).toMatch(/^before: RSS .*, 600 tickets cached\nafter: .*, 1200 tickets cached\n$/);

    const inDesk = { cwd: leaking };
    const summary = heapray(["summary", "--leaks", "../desk.bin"], inDesk).stdout;
    expect(summary).toMatch(/ line\n.* [6-9]\d\.\d% .* src\/ticket\.ts:13 {2}renderTicket\n/);
    const grown = heapray(["diff", "--from", `${betweenMs}ms`, "../desk.bin"], inDesk).stdout;
    expect(grown).toMatch(/Grew by .*\n\n.*\n +\+\d+\.\d+MB .* src\/ticket\.ts:13 {2}renderTicket\n/);
    using reader = new FileReader(folder.join("desk.bin"));
    const [largest] = [...reader.getLeakedAllocationRecords()].sort((a, b) => b.size - a.size);
    const places = largest?.stackTrace().map(({ file, line }) => `${path.basename(file)}:${line}`) ?? [];
    const own = places.filter((place) => /^(?:ticket|ticket-cache|desk)\.ts:/.test(place));
    expect(own).toEqual(["ticket.ts:13", "desk.ts:19", "ticket-cache.ts:12", "desk.ts:19", "desk.ts:11"]);

    const mended = copyOfDesk(folder, "mended", (text) => text.replace("cache.get(url.href,", "cache.get(booking,"));
    expect((await record(mended, folder.join("mended.bin"))).visits[1]).toContain("after:  RSS ");
    const { stdout } = heapray(["diff", "--leaks", "../desk.bin", "../mended.bin"], inDesk);
    expect(stdout).toMatch(/Shrank by .*\n\n.*\n +-1\d\.\d+MB .* src\/ticket\.ts:13 {2}renderTicket\n/);
    const guard = ["diff", "--leaks", "--fail-if-grown", "20%"];
    expect(heapray([...guard, "../desk.bin", "../mended.bin"], inDesk).status).toBe(0);
    expect(heapray([...guard, "../mended.bin", "../desk.bin"], inDesk).status).toBe(1);
  } finally {
    folder.remove();
  }
}, 120_000);
