import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CaptureWriter } from "../support/capture-writer.js";
import { cliPath, type Folder, heapray, root, temporaryFolder } from "../support/heapray.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const inFolder = () => ({ cwd: folder.path });

/** Runs `heapray <words>` as a shell reads them, where `$H` is the command line. */
function shell(command: string) {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", command], {
    cwd: folder.path,
    encoding: "utf8",
    timeout: 20_000,
    env: { ...process.env, H: `${process.execPath} ${cliPath}` },
  });
  return { status, stdout, stderr };
}

/** A capture with one allocation. */
const capture = (header?: object) => new CaptureWriter(header).malloc(0, 1000, 0x1000).finish();

describe("input", () => {
  test.each(["summary", "flamegraph", "transform csv"])("%s of a fifo is refused, not waited for", (command) => {
    spawnSync("mkfifo", [folder.join("fifo")]);
    const { status, stderr } = heapray([...command.split(" "), "fifo"], inFolder());
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "heapray: fifo is not a regular file; give a capture made by heapray run.\n",
    });
  });

  test.each(["summary", "flamegraph", "transform csv"])("%s does without any metadata", (command) => {
    folder.write("a.bin", capture({}));
    expect(heapray([...command.split(" "), "a.bin"], inFolder())).toMatchObject({ status: 0, stderr: "" });
  });

  test.each([
    ["live", "abc", "'abc' is no port. Give a whole number from 1 to 65535"],
    ["attach", "-1", "'-1' is no pid. Give one process id, a whole number"],
    ["detach", "1.5", "'1.5' is no pid. Give one process id, a whole number"],
  ])("%s %s is refused by the argument's name", (command, word, sentence) => {
    const { status, stderr } = heapray([command, word], inFolder());
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `heapray: ${sentence}; see "heapray ${command} --help".\n`,
    });
  });

  test("a damaged header is not to be cut", () => {
    const bytes = capture();
    bytes[20] = 0;
    folder.write("a.bin", bytes);
    const { status, stderr } = heapray(["summary", "a.bin"], inFolder());
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: a\.bin is damaged at byte 16, in its header: .*\. Record it again\.\n$/);
  });

  test("what ended early is told to be cut short, by a kill or a full disk", () => {
    folder.write("a.bin", capture());
    expect(heapray(["summary", "a.bin"], inFolder()).stdout).toContain("cut short");
  });
});

describe("output", () => {
  test.each([
    ["no name", "", /^heapray: the output file's name is empty; give one with -o\.\n$/],
    ["a place without files", "/proc/x.bin", /^heapray: no file can be made in \/proc: ENOENT.*\n$/],
  ])("%s: the program is not started", (_, output, sentence) => {
    folder.write("touch.cjs", "require('node:fs').writeFileSync('started', '')");
    const { status, stderr } = heapray(["run", "-o", output, "touch.cjs"], inFolder());
    expect(status).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(existsSync(folder.join("started"))).toBe(false);
  });

  test.each([
    ["full", "2>/dev/full"],
    ["closed", "2>&- >&-"],
  ])("standard error is %s: the exit code is the program's", (_, redirection) => {
    const code = `"process.exitCode = 7"`;
    expect(shell(`$H run -o a.bin -e ${code} ${redirection}`)).toEqual({ status: 7, stdout: "", stderr: "" });
    // The program is not started, which nobody can be told.
    const { status } = shell(`mkdir b.bin; $H run --node-arg=--title=x -o b.bin/no/c -e ${code} ${redirection}`);
    expect(status).toBe(1);
  });

  test("a report that standard output does not take", () => {
    folder.write("a.bin", capture());
    const { status, stderr } = shell("$H summary a.bin > /dev/full");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: cannot write to standard output: ENOSPC[^\n]*\n$/);
  });

  test("with too few open files permitted, no stack trace is printed", () => {
    // How many Node.js itself needs depends on its version: somewhere on the way heapray cannot load its modules.
    const told = new Set<string>();
    for (let limit = 17; limit <= 30; limit++) {
      const { status, stderr } = shell(`ulimit -n ${limit}; exec $H run -q -e 1`);
      if (status === 1 && !stderr.includes("node:fs")) told.add(stderr);
    }
    expect([...told]).toEqual([
      'heapray: too many files are open for heapray to start; permit more ("ulimit -n 1024").\n',
    ]);
  });

  test.runIf(existsSync(`${root}/dist/ui/flamegraph.html`))("a flame graph on a full disk leaves nothing", () => {
    folder.write("a.bin", capture());
    // A limit on the size of files stands for the disk; the shell counts in half kilobytes or in kilobytes.
    const { status, stderr } = shell("ulimit -f 8; exec $H flamegraph -o page.html a.bin");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heapray: cannot write page\.html: EFBIG[^\n]*\n$/);
    expect(readdirSync(folder.path)).toEqual(["a.bin"]);
  });

  test("names with spaces, quotes, line breaks and other scripts", () => {
    const odd = "a 'b'\n\u00e9\u{1f333}";
    mkdirSync(folder.join(odd));
    folder.write(`${odd}/s c.cjs`, "console.log('ran')");
    const cwd = folder.join(odd);
    const ended = heapray(["run", "-o", "o \u00fc.bin", "s c.cjs"], { cwd });
    expect(ended).toMatchObject({ status: 0, stdout: "ran\n" });
    expect(ended.stderr).toContain("'o \u00fc.bin'");
    expect(heapray(["flamegraph", "o \u00fc.bin"], { cwd }).status).toBe(0);
    expect(heapray(["summary", "o \u00fc.bin"], { cwd }).status).toBe(0);
  });

  test.runIf(process.getuid?.() !== 0)("a folder that cannot be written to", () => {
    mkdirSync(folder.join("locked"));
    chmodSync(folder.join("locked"), 0o500);
    const { status, stderr } = heapray(["run", "-o", "locked/a.bin", "-e", "1"], inFolder());
    expect({ status, stderr }).toEqual({ status: 1, stderr: "heapray: locked is not writable.\n" });
  });
});

test("says so where the working directory is gone", () => {
  const gone = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"';
  const { status, stderr } = spawnSync("sh", ["-c", gone, "sh", process.execPath, cliPath, "run", "-e", "1"], {
    cwd: folder.path,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: "heapray: the working directory is gone; go to one that is there.\n",
  });
});
