import { fork, type SerializationType, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { handedOver } from "../../src/cli/inherited-descriptors.js";
import { cliPath, type Folder, heapray, heaprayUntilReady, node, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Writes to descriptors 3 and 20, reads from 5, tells which of the numbers to 30 are open files. */
const DESCRIPTORS = `
  const fs = require("node:fs");
  fs.writeSync(3, "three\\n");
  fs.writeSync(20, "twenty\\n");
  const told = Array.from({ length: 31 }, (_, fd) => {
    try { return fs.readlinkSync("/proc/self/fd/" + fd); } catch { return ""; }
  }).filter((target) => target.startsWith(process.cwd()) && !target.endsWith(".bin"));
  console.log(fs.readFileSync(5, "utf8"), told);
`;

describe.each(nodeVersions)("on $name", ({ path: binary }) => {
  test("descriptors that heapray was given are the program's", () => {
    folder.write("five", "given");
    const script = folder.write("descriptors.cjs", DESCRIPTORS);
    const shell = (command: string) =>
      spawnSync("bash", ["-c", `${command} "$0" 3> three 5< five 20> twenty`, script], {
        cwd: folder.path,
        encoding: "utf8",
        env: { ...process.env, NODE: binary },
      });
    const told = [];
    for (const command of ['"$NODE"', `"$NODE" '${cliPath}' run -q -f -o a.bin`]) {
      const { status, stdout, stderr } = shell(command);
      told.push({ status, stdout, stderr, three: readFileSync(folder.join("three"), "utf8") });
      expect(readFileSync(folder.join("twenty"), "utf8")).toBe("twenty\n");
    }
    expect(told[1]).toEqual(told[0]);
    expect(told[0]).toMatchObject({ status: 0, three: "three\n", stdout: expect.stringContaining("given") });
  });

  test("the program's descriptors have the numbers that they would have, in a table that did not grow for heapray", () => {
    const script = folder.write(
      "numbers.cjs",
      // Just after the start threads are met for the first time, and what is read of them is open for a moment.
      `const fs = require("node:fs");
       setTimeout(() => {
         const opened = Array.from({ length: 20 }, () => fs.openSync(__filename));
         console.log(opened.join(), /FDSize:.*/.exec(fs.readFileSync("/proc/self/status", "utf8"))[0]);
       }, 300);`,
    );
    const untracked = node([script], { node: binary, cwd: folder.path });
    expect(untracked.stdout).toMatch(/^\d+,.*FDSize:\t\d+\n$/);
    // So does a memory snapshot.
    const quiet = ["--memory-interval-ms", "100000"];
    expect(heapray(["run", "-q", ...quiet, "-o", "a.bin", script], { node: binary, cwd: folder.path })).toEqual(
      untracked,
    );
  });

  test.each<SerializationType>(["json", "advanced"])("a forked program talks to its parent (%s)", async (form) => {
    const script = folder.write(
      "forked.cjs",
      `process.send({ hello: process.connected, big: "x".repeat(300_000), map: new Map([[1, 2]]) });
       process.on("message", (message, handle) => {
         if (handle) return handle.end("from the program");
         process.send({ echo: message });
         if (message === "leave") process.disconnect();
       });
       process.on("disconnect", () => console.log("disconnected"));`,
    );
    const child = fork(cliPath, ["run", "-q", "-o", "a.bin", script], {
      cwd: folder.path,
      execPath: binary,
      execArgv: [],
      serialization: form,
      silent: true,
    });
    const closed = once(child, "close");
    let out = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (text) => {
        out += text;
      });
    }
    const heard: unknown[] = [];
    child.on("message", (message) => heard.push(message));
    const server = net.createServer((socket) => child.send("socket", socket)).listen(0, "127.0.0.1");
    await Promise.all([once(child, "message"), once(server, "listening")]);
    const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
    let received = "";
    client.on("data", (text) => {
      received += text;
    });
    await once(client, "close");
    server.close();
    child.send({ n: 1 });
    child.send("leave");
    expect(await closed).toEqual([0, null]);
    expect(received).toBe("from the program");
    expect(out).toBe("disconnected\n");
    const map = form === "advanced" ? new Map([[1, 2]]) : {};
    expect(heard).toEqual([{ hello: true, big: "x".repeat(300_000), map }, { echo: { n: 1 } }, { echo: "leave" }]);
    expect(child.connected).toBe(false);
  });

  test("a parent that disconnects lets the program end", async () => {
    const script = folder.write("listens.cjs", `process.on("message", () => {}); process.send("ready");`);
    const options = { cwd: folder.path, execPath: binary, execArgv: [] };
    const child = fork(cliPath, ["run", "-q", "-o", "a.bin", script], options);
    const exited = once(child, "exit");
    await once(child, "message");
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });

  test("the program sees nothing of heapray", () => {
    const script = folder.write(
      "look.cjs",
      `const { Worker, isMainThread } = require("node:worker_threads");
       const { execFileSync } = require("node:child_process");
       const look = () => JSON.stringify({
         execArgv: process.execArgv,
         modules: Object.keys(require.cache).length,
         children: (module.parent ?? module).children.length,
         environment: Object.keys(process.env).filter((name) => /heapray/i.test(name)).length,
       });
       console.log(look());
       if (isMainThread) new Worker(__filename).on("exit", () => {
         if (process.send) return;
         require("node:child_process").fork(__filename, { execArgv: process.execArgv });
       });`,
    );
    const on = { cwd: folder.path, node: binary };
    const plain = node(["--no-warnings", script], on);
    expect(heapray(["run", "-q", "-o", "a.bin", "--node-arg=--no-warnings", script], on)).toEqual(plain);
    expect(plain.stdout).toContain("--no-warnings");
  });

  test("SIGKILL of heapray ends the program too, and its capture can be read", async () => {
    const script = folder.write(
      "waits.cjs",
      `globalThis.kept = Buffer.alloc(1e6); setInterval(() => {}, 1000); console.log("ready");`,
    );
    const kill = (pid: number) => process.kill(pid, "SIGKILL");
    // It is over when the program has closed its standard streams as well.
    const ended = await heaprayUntilReady(["run", "-q", "-o", "a.bin", script], kill, {
      cwd: folder.path,
      node: binary,
    });
    expect(ended).toMatchObject({ signal: "SIGKILL", stderr: "" });
    using reader = new FileReader(folder.join("a.bin"));
    expect(reader.metadata.peakMemory).toBeGreaterThan(1e6);
  });
});

test("the other end of a passed pipe sees when the program closes it", async () => {
  const script = folder.write(
    "closes.cjs",
    `require("node:fs").closeSync(3); process.stdin.once("data", () => process.exit(5));`,
  );
  const child = spawn(process.execPath, [cliPath, "run", "-q", script], {
    cwd: folder.path,
    stdio: ["pipe", "ignore", "inherit", "pipe"],
  });
  const exited = once(child, "exit");
  const third = child.stdio[3];
  if (!third) throw new Error("there is no pipe");
  // Before the program has ended: it waits for what comes next.
  await once(
    third.on("data", () => {}),
    "end",
  );
  expect(child.exitCode).toBeNull();
  child.stdin?.end("go");
  expect(await exited).toEqual([5, null]);
});

test("Node.js's own descriptors are told from those handed over", () => {
  const open = (number: number, target: string, closeOnExec = true) => ({ number, target, closeOnExec });
  const given = handedOver([
    open(0, "/dev/null"),
    open(3, "anon_inode:[eventpoll]"),
    open(4, "pipe:[1]"),
    open(5, "/a"),
    open(6, "pipe:[1]"),
    open(7, "pipe:[2]"),
    open(8, "anon_inode:[eventfd]", false),
    open(40, "socket:[3]", false),
  ]);
  expect(given).toEqual([5, 7, 8, 40]);
});
