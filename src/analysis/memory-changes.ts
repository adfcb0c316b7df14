import { EventBatch } from "../capture/event-batch.js";

const INITIAL_CAPACITY = 8192;

const NO_EVENTS = new EventBatch(0);

/** An analysis of what the events change. It is told of every batch, in their order. */
export interface ChangeReader {
  take(changes: MemoryChanges): void;
}

/**
 * What a batch of events did to the live memory, in columns: a row per block or range that came, went, or lost a part.
 * Found once, read by every analysis in a loop of its own. Events without effect (the free of an unknown block) have no
 * row; an event of several ranges has several. Used again for each batch.
 */
export class MemoryChanges {
  /** The events. */
  batch = NO_EVENTS;
  /** Rows. */
  length = 0;
  /** Index of the event in the batch. */
  event = new Uint32Array(INITIAL_CAPACITY);
  /** Location whose live memory changed. */
  location = new Uint32Array(INITIAL_CAPACITY);
  /** By how many bytes its live memory became more; negative where it became less. */
  bytes = new Float64Array(INITIAL_CAPACITY);
  /** By how many its live allocations became more: 1, 0 or -1; a range cut in two is one more. */
  count = new Int8Array(INITIAL_CAPACITY);
  /** 1 for an allocation, otherwise 0. A mapping of no bytes is one, and changes nothing. */
  allocated = new Uint8Array(INITIAL_CAPACITY);
  /** The birth (see Births) of the allocation that changed; 0 where they are not kept. */
  birth = new Uint32Array(INITIAL_CAPACITY);
  /**
   * Where the batch's memory snapshots are: before the row of that number. In order, as many as the batch has; the
   * snapshot itself is in the batch, at the same index.
   */
  readonly snapshotAt: number[] = [];
  /** Of each of these snapshots, whether it starts an interval; never where intervals are not kept. */
  readonly startsInterval: boolean[] = [];
  /** Before the first row, two intervals at a time became one (see `halved`). */
  intervalsHalved = false;

  /** Starts with the next batch: empties the columns, and makes room for that many rows. */
  clear(batch: EventBatch, rows: number): void {
    this.batch = batch;
    this.length = 0;
    this.snapshotAt.length = 0;
    this.startsInterval.length = 0;
    this.intervalsHalved = false;
    this.reserve(rows);
  }

  /** Makes room for that many rows in all. The columns may be replaced. */
  reserve(rows: number): void {
    const capacity = this.bytes.length;
    if (rows <= capacity) return;
    const larger = Math.max(rows, 2 * capacity);
    this.event = grown(this.event, new Uint32Array(larger));
    this.location = grown(this.location, new Uint32Array(larger));
    this.bytes = grown(this.bytes, new Float64Array(larger));
    this.count = grown(this.count, new Int8Array(larger));
    this.allocated = grown(this.allocated, new Uint8Array(larger));
    this.birth = grown(this.birth, new Uint32Array(larger));
  }

  /** Adds a row; there must be room. */
  push(event: number, location: number, bytes: number, count: number, allocated: number, birth: number): void {
    const row = this.length++;
    this.event[row] = event;
    this.location[row] = location;
    this.bytes[row] = bytes;
    this.count[row] = count;
    this.allocated[row] = allocated;
    this.birth[row] = birth;
  }
}

function grown<Column extends Uint32Array | Float64Array | Int8Array | Uint8Array>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}
