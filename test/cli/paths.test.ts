import { describe, expect, test } from "vitest";
import { commandLine } from "../../src/cli/invocation.js";
import { reportFileName, typed } from "../../src/cli/paths.js";

test.each([
  ["heapray-server.js.12.bin", "heapray-flamegraph-server.js.12.html"],
  ["out/heapray-x.bin", "out/heapray-flamegraph-x.html"],
  ["/abs/mine.bin", "/abs/heapray-flamegraph-mine.html"],
  ["noext", "heapray-flamegraph-noext.html"],
])("the report of %s is %s", (capture, report) => {
  expect(reportFileName(capture, "flamegraph", ".html")).toBe(report);
});

describe("a path as typed", () => {
  test.each([
    ["/home/me/a.bin", "a.bin"],
    ["/home/me/sub/a.bin", "sub/a.bin"],
    ["/other/a.bin", "/other/a.bin"],
    ["/home/me", "/home/me"],
    ["/home/me/it's.bin", "'it'\\''s.bin'"],
    ["/home/me/a b$(x).bin", "'a b$(x).bin'"],
    ["/home/me/-o.bin", "./-o.bin"],
  ])("%s is %s", (file, text) => {
    expect(typed(file, "/home/me")).toBe(text);
  });
});

test.each([
  ["/opt/heapray/bin/heapray.js", "node /opt/heapray/bin/heapray.js"],
  ["/app/node_modules/.bin/heapray", "npx heapray"],
  ["/usr/local/bin/heapray", "heapray"],
])("started as %s, the next command begins with %s", (argv1, text) => {
  expect(commandLine(argv1)).toBe(text);
});
