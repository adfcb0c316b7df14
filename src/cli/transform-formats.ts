import type { OpenCapture, OpenOptions } from "./capture.js";
import type { Write } from "./whole-file.js";

/** Writes a report; where it has a second file, `beside` writes that one. */
type WriteReport = (capture: OpenCapture, write: Write, beside: (produce: (write: Write) => void) => void) => void;

/** A format that `heapray transform` writes. */
export interface TransformFormat {
  readonly name: string;
  /** Of default file names. */
  readonly suffix: string;
  /** Of the second file's name, in place of `suffix`. */
  readonly besideSuffix?: string;
  readonly summary: string;
  readonly description: string;
  /** Which records it takes. */
  readonly records: Pick<OpenOptions, "mergeThreads" | "withAllocated">;
  /** Loaded here and not above, so that what one format needs is loaded for it alone. */
  readonly load: () => Promise<WriteReport>;
  /** Shell commands that show the file; what the help and the end of the command suggest. */
  readonly shownBy?: (file: string) => string;
}

export const TRANSFORM_FORMATS: readonly TransformFormat[] = [
  {
    name: "csv",
    suffix: ".csv",
    summary: "a table of allocations, as memray writes it",
    description:
      "Write what was held at the peak as a CSV table with memray's columns:\n" +
      "allocator,num_allocations,size,tid,thread_name,stack_trace",
    records: { mergeThreads: true },
    load: async () => {
      const { writeCsv } = await import("../reporters/csv.js");
      return ({ records }, write) => writeCsv(records, write);
    },
  },
  {
    name: "gprof2dot",
    suffix: ".json",
    summary: "call graph for gprof2dot, as memray writes it",
    description: "Write what was held at the peak as JSON for gprof2dot, which makes a call graph of it.",
    records: { mergeThreads: false },
    load: async () => {
      const { writeGprof2dot } = await import("../reporters/gprof2dot.js");
      return ({ records }, write) => writeGprof2dot(records, write);
    },
    shownBy: (file) => `gprof2dot -f json ${file} | dot -Tsvg -o graph.svg`,
  },
  {
    name: "speedscope",
    suffix: ".speedscope.json",
    summary: "profile for speedscope, as memray writes it",
    description: "Write what was held at the peak as JSON for speedscope: bytes, and allocations.",
    records: { mergeThreads: false },
    load: async () => {
      const { writeSpeedscope } = await import("../reporters/speedscope.js");
      return ({ records, reader }, write) => writeSpeedscope({ records, metadata: reader.metadata }, write);
    },
    shownBy: (file) => `npx speedscope ${file}`,
  },
  {
    name: "pprof",
    suffix: ".pb.gz",
    summary: "heap profile for pprof",
    description:
      "Write a heap profile for pprof: what was held at the peak (inuse_space, inuse_objects)\n" +
      "and all that was allocated (alloc_space, alloc_objects; not of aggregated captures).",
    records: { mergeThreads: false, withAllocated: true },
    load: async () => {
      const { writePprof } = await import("../reporters/pprof.js");
      return ({ records, allocated, kind, reader }, write) =>
        writePprof({ records, allocated, kind, metadata: reader.metadata }, write);
    },
    shownBy: (file) => `go tool pprof -top ${file}`,
  },
  {
    name: "collapsed",
    suffix: ".collapsed",
    summary: "collapsed stacks for flamegraph.pl and its kin",
    description: "Write what was held at the peak as collapsed stacks: a line per stack, with its bytes.",
    records: { mergeThreads: false },
    load: async () => {
      const { writeCollapsed } = await import("../reporters/collapsed.js");
      return ({ records }, write) => writeCollapsed(records, write);
    },
    shownBy: (file) => `flamegraph.pl --countname=bytes ${file} > graph.svg`,
  },
  {
    name: "heapprofile",
    suffix: ".heapprofile",
    summary: "heap profile for Chrome DevTools",
    description:
      "Write what was held at the peak as a sampling heap profile for Chrome DevTools: load it in the\n" +
      "Memory panel. VS Code opens it too.",
    records: { mergeThreads: false },
    load: async () => {
      const { writeHeapProfile } = await import("../reporters/heap-profile.js");
      return ({ records }, write) => writeHeapProfile(records, write);
    },
  },
  {
    name: "parquet",
    suffix: ".parquet",
    besideSuffix: ".snapshots.parquet",
    summary: "tables for SQL in DuckDB",
    description:
      "Write two Parquet tables: what was held at the peak, by location, and beside it the process's\n" +
      "memory over time (<file>.snapshots.parquet in place of <file>.parquet).",
    records: { mergeThreads: false },
    load: async () => {
      const { writeAllocationsParquet, writeSnapshotsParquet } = await import("../reporters/parquet.js");
      return ({ records, reader }, write, beside) => {
        writeAllocationsParquet(records, reader.metadata, write);
        beside((writeBeside) => writeSnapshotsParquet(reader.getMemorySnapshots(), reader.metadata, writeBeside));
      };
    },
    shownBy: (file) => `duckdb -c "FROM ${/^'/.test(file) ? file : `'${file}'`} ORDER BY size DESC LIMIT 10"`,
  },
];

/** The second file's name: that of the first, with the other suffix. */
export function besideFile(file: string, { suffix, besideSuffix = "" }: TransformFormat): string {
  return `${file.endsWith(suffix) ? file.slice(0, -suffix.length) : file}${besideSuffix}`;
}
