import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { AllocationRecord } from "../../src/capture/records.js";
import { AllocatorType } from "../../src/capture/wire.js";
import { writeAllocationsParquet, writeSnapshotsParquet } from "../../src/reporters/parquet.js";
import { FORMAT_SUMS, formatCapture, NASTY_FILE, NASTY_NAME } from "../support/format-capture.js";
import { type Folder, temporaryFolder } from "../support/heapray.js";
import { readerOf } from "../support/memory-reader.js";

let folder: Folder;
let database: DuckDBInstance;
beforeAll(async () => {
  folder = temporaryFolder();
  database = await DuckDBInstance.create(":memory:");
});
afterAll(() => {
  database.closeSync();
  folder.remove();
});

/** The rows that DuckDB finds; `$` stands for the file. */
async function rows(file: string, sql: string): Promise<unknown[][]> {
  const connection = await database.connect();
  try {
    const reader = await connection.runAndReadAll(sql.replaceAll("$", `'${file}'`));
    return reader.getRowsJson();
  } finally {
    connection.closeSync();
  }
}

type Report = (write: (chunk: Uint8Array) => void) => void;

function written(name: string, report: Report): string {
  const chunks: Uint8Array[] = [];
  report((chunk) => chunks.push(chunk));
  return folder.write(name, Buffer.concat(chunks));
}

const { metadata } = readerOf(formatCapture());

function allocations(leaks = false): string {
  const reader = readerOf(formatCapture());
  const records = leaks
    ? reader.getLeakedAllocationRecords({ mergeThreads: false })
    : reader.getHighWatermarkAllocationRecords({ mergeThreads: false });
  return written(`allocations-${leaks}.parquet`, (write) => writeAllocationsParquet(records, metadata, write));
}

describe("the allocations' table, read by DuckDB", () => {
  it("is what it was", async () => {
    const columns = await rows(allocations(), "SELECT column_name, column_type FROM (DESCRIBE FROM $)");
    const all = await rows(allocations(), "FROM $");
    await expect(`${[...columns, ...all].map((row) => JSON.stringify(row)).join("\n")}\n`).toMatchFileSnapshot(
      "golden/parquet.txt",
    );
  });

  it("holds all bytes of the peak, or of the end", async () => {
    const sum = "SELECT sum(size)::INTEGER, sum(num_allocations)::INTEGER FROM $";
    expect(await rows(allocations(), sum)).toEqual([[FORMAT_SUMS.peak, 7]]);
    expect(await rows(allocations(true), sum)).toEqual([[FORMAT_SUMS.leaks, 6]]);
  });

  it("has stacks as lists of frames, innermost first, and the line that answers", async () => {
    const sql = 'SELECT file, line, stack[1]."function", stack[-1]."function" FROM $ WHERE size = 3000 ORDER BY line';
    expect(await rows(allocations(), sql)).toEqual([
      ["/srv/app/app.ts", 7, "alloc", "main"],
      ["/srv/app/app.ts", 8, "load", "main"],
    ]);
  });

  it("has null for what is unknown, and an empty stack for none", async () => {
    const sql = 'SELECT "function", file, line, len(stack)::INTEGER FROM $ WHERE tid = 4712';
    const none = ["thread V8Worker, no JavaScript", null, null, 0];
    expect(await rows(allocations(), sql)).toEqual([none, none]);
  });

  it("keeps names as they are", async () => {
    const sql =
      "SELECT f.\"function\", f.file FROM (SELECT unnest(stack) AS f FROM $ WHERE allocator = 'MMAP') LIMIT 1";
    expect(await rows(allocations(), sql)).toEqual([[NASTY_NAME, NASTY_FILE]]);
  });

  it("is a table without rows where nothing is held", async () => {
    const file = written("none.parquet", (write) => writeAllocationsParquet([], metadata, write));
    expect(await rows(file, "SELECT count(*)::INTEGER FROM $")).toEqual([[0]]);
  });

  it("is written in pieces, and read as a whole", async () => {
    let pieces = 0;
    const frame = { function: "f", file: "a.js", line: 1, column: 1 };
    const record = (i: number): AllocationRecord => ({
      tid: 1,
      threadName: "main",
      address: 0,
      size: 2 ** 40 + i,
      allocator: AllocatorType.MALLOC,
      stackId: i,
      nAllocations: 1,
      stackTrace: () => Array.from({ length: i % 40 }, () => frame),
    });
    const many = Array.from({ length: 40_000 }, (_, i) => record(i));
    const file = written("many.parquet", (write) =>
      writeAllocationsParquet(many, metadata, (chunk) => {
        pieces++;
        write(chunk);
      }),
    );
    expect(pieces).toBeGreaterThan(3);
    const sql = "SELECT count(*)::INTEGER, sum(size)::VARCHAR, sum(len(stack))::INTEGER FROM $";
    const frames = many.reduce((sum, _, i) => sum + (i % 40), 0);
    expect(await rows(file, sql)).toEqual([[40_000, String(40_000 * 2 ** 40 + (40_000 * 39_999) / 2), frames]]);
  });

  it("is the same file every time", () => {
    const bytes = (): Buffer => {
      const chunks: Uint8Array[] = [];
      const records = readerOf(formatCapture()).getHighWatermarkAllocationRecords({ mergeThreads: false });
      writeAllocationsParquet(records, metadata, (chunk) => chunks.push(chunk));
      return Buffer.concat(chunks);
    };
    expect(Buffer.compare(bytes(), bytes())).toBe(0);
  });
});

test("every SQL example of docs/commands/transform.md finds something", async () => {
  const docs = readFileSync(new URL("../../docs/commands/transform.md", import.meta.url), "utf8");
  const examples = [...docs.matchAll(/```sql\n(.*?);\n```/gs)].map(([, sql = ""]) => sql);
  expect(examples.length).toBeGreaterThanOrEqual(3);
  const snapshots = written("photos.snapshots.parquet", (write) =>
    writeSnapshotsParquet(readerOf(formatCapture()).getMemorySnapshots(), metadata, write),
  );
  const files = {
    "photos.parquet": allocations(),
    "before.parquet": allocations(true),
    "after.parquet": allocations(),
  };
  for (const example of examples) {
    let sql = example.replaceAll("photos.snapshots.parquet", snapshots).replaceAll("decode.ts", "app.ts");
    for (const [name, file] of Object.entries(files)) sql = sql.replaceAll(name, file);
    const [first = []] = await rows("", sql);
    expect(first).not.toEqual([]);
    // What grew from the end to the peak is what was freed in between.
    if (example.includes("grown")) expect(first).toEqual(["/srv/app/app.ts", 8, "5000"]);
  }
});

describe("the snapshots' table, read by DuckDB", () => {
  it("has a row for each, with its time", async () => {
    const snapshots = readerOf(formatCapture()).getMemorySnapshots();
    const file = written("snapshots.parquet", (write) => writeSnapshotsParquet(snapshots, metadata, write));
    const sql = "SELECT time::VARCHAR, time_ms::INTEGER, rss::INTEGER, heap_used::INTEGER, tracked::INTEGER FROM $";
    expect(await rows(file, sql)).toEqual([
      ["2023-11-14 22:13:20", 0, 40_000_000, 4_000_000, 0],
      ["2023-11-14 22:13:20.012", 12, 50_000_000, 4_100_000, FORMAT_SUMS.peak],
    ]);
  });
});
