import { afterEach, beforeEach, expect, test } from "vitest";
import { FileReader } from "../../src/analysis/file-reader.js";
import { type Folder, heapray, temporaryFolder } from "../support/heapray.js";
import { nodeVersions } from "../support/node-versions.js";

let folder: Folder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

// The frames by which JavaScript is left lie at the same address, one after the other.
const PROGRAM = `
  const one = (bytes) => new ArrayBuffer(bytes);
  const two = (bytes) => new ArrayBuffer(bytes);
  function three(bytes) {
    try { new ArrayBuffer(-1); } catch {}
    return new ArrayBuffer(bytes);
  }
  const four = (bytes) => [bytes].map(two)[0];
  for (let i = 0; i < 5000; i++) {
    one(14001);
    two(14002);
    three(14003);
    two(14002);
    one(14001);
    four(14004);
  }`;

test.each(nodeVersions)(
  "calls out of JavaScript from the same place of the stack are told apart, on $name",
  ({ path: binary }) => {
    const script = folder.write("program.cjs", PROGRAM);
    const capture = folder.join("capture.bin");
    expect(heapray(["run", "-q", "-o", capture, script], { node: binary })).toMatchObject({ status: 0, stderr: "" });
    using reader = new FileReader(capture);
    const counts = new Map<string, number>();
    for (const record of reader.getAllocationRecords()) {
      if (record.size < 14_001 || record.size > 14_004) continue;
      const own = record.stackTrace().filter(({ file }) => file.endsWith("program.cjs"));
      const who = `${record.size} ${own.map(({ function: name }) => name).join("<")}`;
      counts.set(who, (counts.get(who) ?? 0) + 1);
    }
    const main = own(counts, "14001 one");
    expect(Object.fromEntries(counts)).toEqual({
      [`14001 one${main}`]: 10_000,
      [`14002 two${main}`]: 10_000,
      [`14003 three${main}`]: 5000,
      [`14004 two<four${main}`]: 5000,
    });
  },
);

/** What the stack that begins so goes on with: the module's own frame, however Node.js names it. */
function own(counts: ReadonlyMap<string, number>, begin: string): string {
  return [...counts.keys()].find((who) => who.startsWith(begin))?.slice(begin.length) ?? "";
}
