import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Program, Programs } from "../support/attaching.js";
import { cliPath, type Folder, heapray, root, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";
import { Key, PseudoTerminal } from "../support/pseudo-terminal.js";
import { freePort, until } from "../support/running.js";
import { program } from "./truth.js";

let folder: Folder;
const programs = new Programs();
const terminals: PseudoTerminal[] = [];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) terminal.close();
  await programs.stop();
  folder.remove();
});

function watch({ pid }: Program, ...options: string[]): PseudoTerminal {
  const command = [process.execPath, cliPath, "attach", String(pid), ...options];
  const terminal = new PseudoTerminal(command, { columns: 110, rows: 30, cwd: folder.path });
  terminals.push(terminal);
  return terminal;
}

async function startServer(binary: string): Promise<{ server: Program; port: number }> {
  const server = programs.start(binary, ["--inspect-port=0", program("server.cjs"), "worker"]);
  return { server, port: await server.port() };
}

async function request(port: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
    expect(await response.text()).toBe("ok");
  }
}

test.each(nodeVersions)("the memory of a server that runs on $name, until q", async ({ path: binary }) => {
  const { server, port } = await startServer(binary);
  const terminal = watch(server);
  await terminal.shows(`pid ${server.pid}`);
  await request(port, 40);
  await terminal.shows(/keep {2}\S*server\.cjs +\d\.\d+MB/);
  await terminal.shows("keepInWorker");
  expect(server.listening).toEqual([port]);
  terminal.type("q");
  expect(await terminal.ended()).toEqual({ status: 0, restored: true });
  await request(port, 5);
  expect(server.stderr).not.toContain("heapray");
  expect(heapray(["detach", String(server.pid)]).stderr).toContain("is not being tracked by heapray attach.");
});

test("tells that tracking has ended, by detach or after a duration; what was seen stays", async () => {
  const { server, port } = await startServer(process.execPath);
  const first = watch(server);
  await first.shows(`pid ${server.pid}`);
  await request(port, 3);
  expect(heapray(["detach", String(server.pid)])).toMatchObject({ status: 0 });
  await first.shows("tracking was stopped, and the program goes on");
  first.type("q");
  expect(await first.ended()).toEqual({ status: 0, restored: true });

  const second = watch(server, "--duration", "0.5");
  await second.shows("tracking was stopped, and the program goes on");
  second.type(Key.CTRL_C);
  expect(await second.ended()).toMatchObject({ restored: true });
  await request(port, 1);
});

test("a view that is killed leaves the program as it was, to be attached to again", async () => {
  const { server, port } = await startServer(process.execPath);
  const terminal = watch(server);
  await terminal.shows(`pid ${server.pid}`);
  const { threads } = server;
  process.kill(terminal.pid, "SIGKILL");
  await until(() => server.threads < threads);
  await request(port, 3);
  const again = watch(server);
  await again.shows(`pid ${server.pid}`);
  again.type("q");
  expect(await again.ended()).toEqual({ status: 0, restored: true });
});

describe.each(nodeVersions)("a view that never connects, on $name", ({ path: binary }) => {
  const bundle = path.join(root, "dist/attach.cjs");

  test("leaves the program its handlers of signals, however often", async () => {
    const [first, second] = [await freePort(), await freePort()];
    const asked = programs.start(binary, [program("asked.cjs"), bundle, "15000", String(first), String(second)]);
    await asked.says("asked");
    expect(asked.stdout).toBe(`${first} {"waiting":true}\n${second} {"waiting":true}\nasked\n`);
    // The first one's time is over with the second.
    expect(asked.listening).toEqual([second]);
    asked.kill("SIGTERM");
    expect(await asked.ended).toEqual({ status: 3, signal: null });
    expect(asked.stdout).toContain("handled");
  });

  test("is waited for no longer than a while", async () => {
    const port = await freePort();
    const asked = programs.start(binary, [program("asked.cjs"), bundle, "300", String(port)]);
    await asked.says("asked");
    await until(() => asked.listening.length === 0);
  });

  test.skipIf(process.getuid?.() !== 0)("is another user's, by whichever protocol", async () => {
    for (const address of ["127.0.0.1", "::ffff:127.0.0.1"]) {
      const port = await freePort();
      const asked = programs.start(binary, [program("asked.cjs"), bundle, "15000", String(port)]);
      await asked.says("asked");
      const { sockets } = asked.descriptors;
      const code = `require("node:net").connect(${port}, "${address}", () => console.log("connected"))`;
      const other = programs.start(process.execPath, ["-e", code], { cwd: "/", uid: 65_534 });
      await other.says("connected");
      asked.tell("again");
      await asked.says("another user of this machine has connected to it first");
      expect(asked.listening).toEqual([]);
      expect(asked.descriptors.sockets).toBe(sockets - 1);
    }
  });
});

test("serves the live page, until it is interrupted", async () => {
  const { server, port } = await startServer(process.execPath);
  const page = programs.start(process.execPath, [cliPath, "attach", String(server.pid), "--web"], { cwd: folder.path });
  const [, url = ""] = await page.says(/(http:\/\/127\.0\.0\.1:\d+\/\S+)\n/);
  expect((await fetch(url)).status).toBe(200);
  expect(server.listening).toEqual([port]);
  page.kill("SIGINT");
  expect((await page.ended).status).toBe(0);
  await request(port, 3);
  expect(server.stderr).not.toContain("heapray");
  expect(heapray(["detach", String(server.pid)]).stderr).toContain("is not being tracked by heapray attach.");
});

test("needs a terminal, and what is for captures needs one", async () => {
  const { server } = await startServer(process.execPath);
  const refusal = (...options: string[]) => heapray(["attach", String(server.pid), ...options]);
  expect(refusal()).toMatchObject({ status: 1, stderr: expect.stringContaining("the live view needs a terminal") });
  for (const option of ["--aggregate", "--follow-fork", "--force", "--no-compress"]) {
    const stderr = `heapray: ${option} is for captures: give one to write with -o.\n`;
    expect(refusal(option)).toMatchObject({ status: 1, stderr });
  }
});
