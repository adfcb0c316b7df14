import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SocketReader } from "../../src/analysis/socket-reader.js";
import { type Folder, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";
import { freePort, Running } from "../support/running.js";

const PROGRAM = `
import sys
import heapray as memray

def keep():
    global kept
    kept = bytearray(12_345_678)

with memray.Tracker(destination=memray.SocketDestination(server_port=int(sys.argv[1]))):
    keep()
    print("ready", flush=True)
    sys.stdin.readline()
print("done", flush=True)
`;

let folder: Folder;
let program: Running | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  program?.kill("SIGKILL");
  await program?.ended;
  folder.remove();
});

describe.each(pythons)("a program on $name with a SocketDestination", (python) => {
  test("waits for the client, which sees what is held", { timeout: 600_000 }, async () => {
    const script = path.join(folder.path, "program.py");
    writeFileSync(script, PROGRAM);
    const port = await freePort();
    program = new Running(withHeapray(python), [script, String(port)], folder.path);
    await using reader = new SocketReader({ port });
    await reader.connect({ timeoutMs: 20_000 });
    await program.says("ready");
    expect(reader.commandLine).toContain(script);
    const own = () => [...reader.getCurrentSnapshot()].find(({ size }) => size >= 12_345_678);
    while (reader.isActive && own() === undefined) await sleep(10);
    expect(
      own()
        ?.stackTrace()
        .map(({ function: name }) => name),
    ).toEqual(["keep", "<module>"]);
    program.tell("go");
    expect(await reader.untilEnd()).toMatchObject({ reason: "stop" });
    expect(await program.ended).toMatchObject({ status: 0, stdout: "ready\ndone\n", stderr: "" });
  });
});
