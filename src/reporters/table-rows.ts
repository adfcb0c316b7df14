import { answeringFrame } from "../analysis/answering-frame.js";
import type { AllocationRecord } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { type Disclosure, EVERYTHING } from "./confidential-files.js";
import type { FrameTable } from "./flamegraph-data.js";
import { FrameNumbers, idOf, type SourceLine, StringList } from "./frame-table.js";
import type { AllocationTable } from "./table-data.js";

/** Of more than this many frames or threads, keys of rows could collide. */
const MOST_FRAMES = 2 ** 26;

interface Row {
  readonly owner: number;
  readonly allocator: number;
  readonly thread: number;
  readonly frame: number;
  bytes: number;
  allocations: number;
}

/** Adds allocation records up, in any order, by thread, allocator and place. */
export class TableRows {
  readonly #frames = new FrameNumbers();
  readonly #threads = new Map<string, number>();
  readonly #allocators = new Map<string, number>();
  /** By allocator and thread, then by the two frames. */
  readonly #rows = new Map<number, Map<number, Row>>();

  add(record: AllocationRecord): void {
    const name = record.threadName === "" ? String(record.tid) : record.threadName;
    const thread = idOf(this.#threads, name);
    const type = AllocatorType[record.allocator] ?? `allocator ${record.allocator}`;
    const allocator = idOf(this.#allocators, type.toLowerCase());
    const { frame, owner } = this.#places(record, name);
    const group = thread * 256 + allocator;
    let rows = this.#rows.get(group);
    if (!rows) {
      rows = new Map();
      this.#rows.set(group, rows);
    }
    const key = owner * MOST_FRAMES + frame;
    const row = rows.get(key);
    if (row) {
      row.bytes += record.size;
      row.allocations += record.nAllocations;
    } else {
      rows.set(key, { owner, allocator, thread, frame, bytes: record.size, allocations: record.nAllocations });
    }
  }

  /** The tables; frames are numbered in the order in which the rows meet them. */
  finish(
    sourceLine?: SourceLine,
    disclosure: Disclosure = EVERYTHING,
  ): {
    readonly strings: readonly string[];
    readonly threads: readonly string[];
    readonly allocators: readonly string[];
    readonly frames: FrameTable;
    readonly rows: AllocationTable;
  } {
    const rows = [...this.#rows.values()].flatMap((group) => [...group.values()]);
    const rank = new Int32Array(this.#frames.length).fill(-1);
    const used: number[] = [];
    const use = (frame: number): void => {
      if (rank[frame] !== -1) return;
      rank[frame] = used.length;
      used.push(frame);
    };
    for (const row of rows) {
      use(row.owner);
      use(row.frame);
    }
    const at = (frame: number): number => rank[frame] as number;
    rows.sort(
      (a, b) =>
        at(a.owner) - at(b.owner) || a.allocator - b.allocator || a.thread - b.thread || at(a.frame) - at(b.frame),
    );
    const strings = new StringList();
    return {
      frames: this.#frames.table(used, strings, sourceLine, disclosure),
      strings: strings.list,
      threads: [...this.#threads.keys()],
      allocators: [...this.#allocators.keys()],
      rows: {
        owner: Uint32Array.from(rows, (row) => at(row.owner)),
        allocator: Uint8Array.from(rows, (row) => row.allocator),
        thread: Uint32Array.from(rows, (row) => row.thread),
        frame: Uint32Array.from(rows, (row) => at(row.frame)),
        bytes: Float64Array.from(rows, (row) => row.bytes),
        allocations: Float64Array.from(rows, (row) => row.allocations),
      },
    };
  }

  #places(record: AllocationRecord, threadName: string): { frame: number; owner: number } {
    const stack = record.stackTrace();
    const innermost = stack[0];
    if (!innermost) {
      const frame = this.#frames.ofThread(threadName);
      return { frame, owner: frame };
    }
    const frame = this.#frames.numberOf(innermost);
    const owner = this.#frames.numberOf(answeringFrame(stack, record));
    if (this.#frames.length > MOST_FRAMES) throw new Error(`the table has more than ${MOST_FRAMES} frames`);
    return { frame, owner };
  }
}
