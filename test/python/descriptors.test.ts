import { spawnSync } from "node:child_process";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { pythons, withHeapray } from "../support/pythons.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** As daemons do: closes every descriptor, and opens files that get the numbers. They are left as they were written. */
const CLOSES_ALL = `
import os, time
os.closerange(3, 1 << 12)
files = [open(f"{i}.txt", "w+") for i in range(12)]
for file in files: file.write("precious"), file.flush()
for fd in range(990, 1020): os.dup2(files[-1].fileno(), fd)
kept = [bytearray(600) for i in range(200_000)]
time.sleep(0.1)
print(sorted(map(int, os.listdir("/proc/self/fd")))[:3], [os.path.getsize(file.name) for file in files])
`;
const LEFT_ALONE = `[0, 1, 2] ${JSON.stringify(Array(12).fill(8)).replaceAll(",", ", ")}\n`;

/** What SocketDestination sends is read by a thread, which counts the bytes. The one socket with a high number is heapray's. */
const LIVE = `
import heapray, os, socket, threading, time
ours, theirs = socket.socketpair()
listening = socket.socket(); listening.bind(("127.0.0.1", 0)); port = listening.getsockname()[1]; listening.close()
def read():
    while True:
        try: client = socket.create_connection(("127.0.0.1", port)); break
        except OSError: time.sleep(0.01)
    while client.recv(1 << 16): pass
threading.Thread(target=read, daemon=True).start()
with heapray.Tracker(destination=heapray.SocketDestination(port)):
    for fd in range(max(ours.fileno(), theirs.fileno()) + 1, 1 << 12):
        try: name = os.readlink(f"/proc/self/fd/{fd}")
        except OSError: continue
        if name.startswith("socket:") and fd >= 40: os.dup2(ours.fileno(), fd)
    kept = [bytearray(600) for i in range(10_000)]
    time.sleep(0.1)
theirs.setblocking(False)
try: print("got", theirs.recv(100))
except BlockingIOError: print("left alone")
ours.send(b"open")
print(theirs.recv(100))
`;

describe.each(pythons)("on $name", (version) => {
  let python = "";
  beforeAll(() => {
    python = withHeapray(version);
  }, 600_000);

  test("a program that closes all descriptors keeps its files, and its capture is whole", () => {
    folder.write("closes.py", CLOSES_ALL);
    for (const flags of [[], ["--buffered-file-io"], ["--aggregate"]]) {
      const run = ["run", "-q", "-f", "-o", "a.bin", ...flags, "--trace-python-allocators", "--python", python];
      expect(heapray([...run, "closes.py"], { cwd: folder.path })).toEqual({
        status: 0,
        signal: null,
        stdout: LEFT_ALONE,
        stderr: "",
      });
      using reader = new FileReader(folder.join("a.bin"));
      expect(reader.metadata.complete).toBe(true);
      const kept = [...reader.getHighWatermarkAllocationRecords()].filter(({ size }) => size >= 200_000 * 600);
      expect(kept).toHaveLength(1);
    }
  });

  test("where the capture cannot be opened again, tracking ends and the program goes on", () => {
    folder.write("closes.py", `import os; os.unlink("a.bin")\n${CLOSES_ALL}`);
    const run = ["run", "-q", "-o", "a.bin", "--trace-python-allocators", "--python", python, "closes.py"];
    const { status, stdout, stderr } = heapray(run, { cwd: folder.path });
    expect({ status, stdout }).toEqual({ status: 0, stdout: LEFT_ALONE });
    expect(stderr).toContain("the program has closed its descriptor");
  });

  test("a program that takes the connection's number for its own gets nothing sent, and keeps it", () => {
    const { status, stdout, stderr } = spawnSync(python, ["-c", LIVE], { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "left alone\nb'open'\n" });
    expect(stderr).toContain("the program has closed its descriptor");
  });

  test("the program gets the numbers that it would get without heapray", () => {
    const code = "import os; print([os.open('/dev/null', 0) for i in range(5)])";
    const tracked = heapray(["run", "-q", "-o", "a.bin", "--python", python, "-c", code], { cwd: folder.path });
    expect(tracked.stdout).toBe(spawnSync(python, ["-c", code], { encoding: "utf8" }).stdout);
  });
});
