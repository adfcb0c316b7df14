import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import type { AllocationRecord, Frame } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { writeCsv } from "../../src/reporters/csv.js";

function record(overrides: Partial<AllocationRecord>, stack: Frame[] = []): AllocationRecord {
  return {
    tid: 0,
    threadName: "merged thread",
    address: 0,
    size: 1024,
    allocator: AllocatorType.MALLOC,
    stackId: 1,
    nAllocations: 1,
    stackTrace: () => stack,
    ...overrides,
  };
}

function csv(...records: AllocationRecord[]): string {
  let text = "";
  writeCsv(records, (chunk) => {
    text += chunk;
  });
  return text;
}

describe("the csv reporter", () => {
  it("has memray's header, also when there is nothing else", () => {
    expect(csv()).toBe("allocator,num_allocations,size,tid,thread_name,stack_trace\r\n");
  });

  it("writes a stack innermost first, function;file;line", () => {
    const stack = [
      { function: "inner", file: "/app/a.ts", line: 12, column: 3 },
      { function: "outer", file: "node:fs", line: 0, column: 0 },
    ];
    expect(csv(record({ allocator: AllocatorType.VALLOC, nAllocations: 10, size: 2048 }, stack)).split("\r\n")[1]).toBe(
      "VALLOC,10,2048,0,merged thread,inner;/app/a.ts;12|outer;node:fs;0",
    );
  });

  it("names threads by their id in hexadecimal and their name", () => {
    const rows = csv(record({ tid: 255, threadName: "node" }), record({ tid: 16, threadName: "" })).split("\r\n");
    expect(rows.slice(1, 3)).toEqual(["MALLOC,1,1024,255,0xff (node),", "MALLOC,1,1024,16,0x10,"]);
  });

  it("names objects of the JavaScript heap", () => {
    expect(csv(record({ allocator: AllocatorType.JS_OBJECT }))).toContain("\r\nJS_OBJECT,1,");
  });

  it("writes an allocator it has no name for by its number", () => {
    expect(csv(record({ allocator: 77 as AllocatorType }))).toContain("\r\n77,1,");
  });

  it("is read back by a csv parser whatever names contain", () => {
    const stack = [{ function: 'say "hi", <anonymous>', file: "/a b/ü,\n.js", line: 1, column: 1 }];
    const threadName = 'a "quoted", name';
    expect(parse(csv(record({ tid: 1, threadName }, stack)), { columns: true })).toEqual([
      {
        allocator: "MALLOC",
        num_allocations: "1",
        size: "1024",
        tid: "1",
        thread_name: `0x1 (${threadName})`,
        stack_trace: 'say "hi", <anonymous>;/a b/ü,\n.js;1',
      },
    ]);
  });

  it("writes in pieces, not all at once", () => {
    const chunks: string[] = [];
    const stack = [{ function: "f".repeat(1000), file: "a.js", line: 1, column: 1 }];
    writeCsv(
      Array.from({ length: 500 }, () => record({}, stack)),
      (chunk) => chunks.push(chunk),
    );
    expect(chunks.length).toBeGreaterThan(3);
    expect(parse(chunks.join(""), { columns: true })).toHaveLength(500);
  });
});
