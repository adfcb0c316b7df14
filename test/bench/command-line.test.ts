import { expect, test } from "vitest";
import { parseCommandLine } from "../../bench/command-line.mjs";

test("without arguments, everything is measured", () => {
  const settings = parseCommandLine([]);
  expect(settings.benchmarks).toEqual(["recording", "size", "reading", "page", "live", "python", "scale"]);
  expect(settings).toMatchObject({ parts: [], ways: [], pairs: 15, short: false, node: process.execPath });
});

test("the short version takes one pair, unless more are asked for", () => {
  expect(parseCommandLine(["--short"])).toMatchObject({ short: true, pairs: 1 });
  expect(parseCommandLine(["--short", "--pairs", "3"])).toMatchObject({ short: true, pairs: 3 });
});

test("a benchmark, parts of it, and ways", () => {
  const settings = parseCommandLine(["recording", "loop", "tsc", "--way", "native", "--way", "heaptrack"]);
  expect(settings).toMatchObject({
    benchmarks: ["recording"],
    parts: ["loop", "tsc"],
    ways: ["native", "heaptrack"],
  });
});

test.each([
  [["speed"], /there is no benchmark speed; the benchmarks are recording, size/],
  [["size", "server"], /there is no server in size; its parts are loop, tsc/],
  [["--pairs", "0"], /--pairs .* '0' is invalid. It takes a whole number above 0/],
  [["recording", "--way", "slowly"], /The ways are tracked, native/],
  [["scale", "--way", "native"], /--way is for recording/],
  [["--node", "no/such/node"], /There is no such program/],
  [["--quick"], /unknown option '--quick'/],
])("%j is refused", (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
});
