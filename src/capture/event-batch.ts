import type { MemorySnapshot } from "./records.js";

/** A memory snapshot as captures have it; what was tracked then only aggregated ones say, else it is for the analysis. */
export type RawSnapshot = Omit<MemorySnapshot, "tracked"> & Partial<Pick<MemorySnapshot, "tracked">>;

/** `EventBatch.kind` of a memory snapshot; every other kind is an AllocatorType. */
export const SNAPSHOT_EVENT = 0;

/**
 * Some thousand consecutive events of a capture, in columns: nothing is allocated per event, no number is boxed,
 * and decoding and analysis are two tight loops. A decoder fills the same batch again and again.
 */
export class EventBatch {
  /** Events in the batch. */
  length = 0;
  readonly capacity: number;
  /** The allocator's number (`FREE` and `MUNMAP` included), or SNAPSHOT_EVENT. */
  readonly kind: Uint8Array;
  /** Thread index (not the kernel's id). */
  readonly thread: Uint32Array;
  /** Stack node; 0 for frees. */
  readonly node: Uint32Array;
  /** Bytes; 0 for FREE. */
  readonly size: Float64Array;
  /** Address, or a number that identifies the block. For a snapshot: its index in `snapshots`. */
  readonly address: Float64Array;
  /** The snapshots among the events. */
  readonly snapshots: RawSnapshot[] = [];

  constructor(capacity = 4096) {
    this.capacity = capacity;
    this.kind = new Uint8Array(capacity);
    this.thread = new Uint32Array(capacity);
    this.node = new Uint32Array(capacity);
    this.size = new Float64Array(capacity);
    this.address = new Float64Array(capacity);
  }

  /** Empties the batch. */
  clear(): void {
    this.length = 0;
    this.snapshots.length = 0;
  }

  /** Adds a snapshot event; there must be room. */
  addSnapshot(thread: number, snapshot: RawSnapshot): void {
    const index = this.length++;
    this.kind[index] = SNAPSHOT_EVENT;
    this.thread[index] = thread;
    this.node[index] = 0;
    this.size[index] = 0;
    this.address[index] = this.snapshots.length;
    this.snapshots.push(snapshot);
  }
}
