import type { CaptureTables } from "../capture/tables.js";
import type { AllocatorType } from "../capture/wire.js";
import { identityOf, type LocationSums, type RecordContext } from "./allocation-record.js";
import { AnsweringFunctions, NOBODY } from "./answering-functions.js";
import { FunctionRows, type LocationName, SEVERAL } from "./function-rows.js";
import type { LocationFigures } from "./location-figures.js";

type Locations = LocationFigures["locations"];

/** Which of the live allocations are meant; all of them unless told. */
export interface LiveQuery {
  /** Index of the thread that made them. */
  readonly thread?: number | undefined;
  readonly allocators?: readonly AllocatorType[] | undefined;
}

/** What is live by function, in columns. Row i is `names[i]` of the LiveLocations that made it. */
export interface LocationTotals {
  /** Bytes that the function answers for: see answeringFrame. */
  readonly ownBytes: Float64Array;
  /** Bytes that it and what it called allocated. */
  readonly totalBytes: Float64Array;
  readonly ownAllocations: Float64Array;
  readonly totalAllocations: Float64Array;
  /** Of all that was asked for. */
  readonly bytes: number;
  readonly allocations: number;
}

/** Of a stack node: whether its functions are on the stack above it already. */
const NOT_LOOKED = 0;
const NONE_IS = 1;
const ALL_ARE = 2;
const SOME_ARE = 3;

/**
 * Adds up what is live by function, what it answers for and all that it called, from the tables that a capture fills as it
 * arrives. Callers have smaller numbers than what they call, so that one pass backwards over the stack nodes carries all
 * sums to the root. A function that is on a stack several times has what it called once.
 */
export class LiveLocations {
  readonly #context: RecordContext;
  readonly #locations: Locations;
  readonly #functions: FunctionRows;
  readonly #answering: AnsweringFunctions;
  #recursion = new Uint8Array(0);
  /** By stack node that is SOME_ARE: the rows that are not above it. */
  readonly #outermost = new Map<number, readonly number[]>();
  #bytes = new Float64Array(0);
  #count = new Float64Array(0);

  constructor(context: RecordContext, locations: Locations) {
    this.#context = context;
    this.#locations = locations;
    this.#functions = new FunctionRows(context.stacks);
    this.#answering = new AnsweringFunctions(context.tables, this.#functions);
  }

  /** What the rows are. Only grows: a row keeps its number. */
  get names(): readonly LocationName[] {
    return this.#functions.names;
  }

  /** What `sums` count, by function. */
  measure(sums: LocationSums, query: LiveQuery = {}): LocationTotals {
    const selected = selectedSums(sums, this.#locations, query);
    this.#makeRoom();
    this.#announce(selected);
    const totals = new Totals();
    this.#addOwn(selected, totals);
    this.#carryUp(totals);
    return totals.columns(this.names.length);
  }

  #makeRoom(): void {
    const { nodeParent, frameEnd } = this.#context.tables;
    if (this.#bytes.length < nodeParent.length) {
      const room = nodeParent.items.length;
      this.#bytes = new Float64Array(room);
      this.#count = new Float64Array(room);
      const recursion = new Uint8Array(room);
      recursion.set(this.#recursion);
      this.#recursion = recursion;
    } else {
      this.#bytes.fill(0, 0, nodeParent.length);
      this.#count.fill(0, 0, nodeParent.length);
    }
    this.#functions.makeRoom(frameEnd.items.length);
    this.#answering.makeRoom(nodeParent.items.length);
  }

  /** Tells of the stacks whose frames were not looked up before: native ones are, all at once. */
  #announce(sums: LocationSums): void {
    const { node } = this.#locations;
    const { nodeFrame, modulePath } = this.#context.tables;
    if (modulePath.length === 1) return;
    const nodes: number[] = [];
    for (let location = 0; location < this.#locations.length; location++) {
      const at = node.at(location);
      if (at === 0 || this.#recursion[at] !== NOT_LOOKED || sums.countOf(location) === 0) continue;
      if (!this.#functions.knows(nodeFrame.at(at))) nodes.push(at);
    }
    if (nodes.length > 0) this.#context.stacks.expect(nodes);
  }

  #addOwn(sums: LocationSums, totals: Totals): void {
    const { node, thread, length } = this.#locations;
    for (let location = 0; location < length; location++) {
      const count = sums.countOf(location);
      if (count === 0) continue;
      const bytes = sums.bytesOf(location);
      const at = node.at(location);
      totals.add(bytes, count);
      if (at === 0) {
        const row = this.#functions.ofThread(identityOf(this.#context, thread.at(location)));
        totals.addOwn(row, bytes, count);
        totals.addTotal(row, bytes, count);
        continue;
      }
      this.#bytes[at] = (this.#bytes[at] as number) + bytes;
      this.#count[at] = (this.#count[at] as number) + count;
      const row = this.#answering.of(at);
      if (row !== NOBODY) totals.addOwn(row, bytes, count);
    }
  }

  #carryUp(totals: Totals): void {
    const { nodeParent, nodeFrame } = this.#context.tables;
    const parents = nodeParent.items;
    const frames = nodeFrame.items;
    const bytesOf = this.#bytes;
    const countOf = this.#count;
    for (let node = nodeParent.length - 1; node > 0; node--) {
      const count = countOf[node] as number;
      if (count === 0) continue;
      const bytes = bytesOf[node] as number;
      const parent = parents[node] as number;
      bytesOf[parent] = (bytesOf[parent] as number) + bytes;
      countOf[parent] = (countOf[parent] as number) + count;
      const frame = frames[node] as number;
      const recursion = this.#recursionOf(node, frame);
      if (recursion === ALL_ARE) continue;
      const row = this.#functions.rowOf(frame);
      if (row !== SEVERAL) {
        totals.addTotal(row, bytes, count);
        continue;
      }
      const rows = recursion === SOME_ARE ? this.#outermost.get(node) : this.#functions.rowsOf(frame);
      for (const one of rows ?? []) totals.addTotal(one, bytes, count);
    }
  }

  #recursionOf(node: number, frame: number): number {
    const known = this.#recursion[node] as number;
    if (known !== NOT_LOOKED) return known;
    const row = this.#functions.rowOf(frame);
    let found: number;
    if (row !== SEVERAL) {
      found = this.#isAbove(row, node) ? ALL_ARE : NONE_IS;
    } else {
      const rows = this.#functions.rowsOf(frame);
      const outermost = rows.filter((one) => !this.#isAbove(one, node));
      found = outermost.length === rows.length ? NONE_IS : outermost.length === 0 ? ALL_ARE : SOME_ARE;
      if (found === SOME_ARE) this.#outermost.set(node, outermost);
    }
    this.#recursion[node] = found;
    return found;
  }

  /** Whether the function is among those that called the node's. */
  #isAbove(row: number, node: number): boolean {
    const { nodeParent, nodeFrame } = this.#context.tables;
    const parents = nodeParent.items;
    const frames = nodeFrame.items;
    for (let at = parents[node] as number; at !== 0; at = parents[at] as number) {
      const frame = frames[at] as number;
      const other = this.#functions.rowOf(frame);
      if (other === row) return true;
      if (other === SEVERAL && this.#functions.rowsOf(frame).includes(row)) return true;
    }
    return false;
  }
}

/** Sums of which those of other threads or allocators are nothing. */
export function selectedSums(
  sums: LocationSums,
  locations: Locations,
  { thread, allocators }: LiveQuery,
): LocationSums {
  if (thread === undefined && allocators === undefined) return sums;
  const wanted = new Uint8Array(256).fill(allocators === undefined ? 1 : 0);
  for (const allocator of allocators ?? []) wanted[allocator] = 1;
  return {
    bytesOf: (location) => sums.bytesOf(location),
    countOf(location) {
      if (thread !== undefined && locations.thread.at(location) !== thread) return 0;
      return wanted[locations.allocator.at(location)] === 1 ? sums.countOf(location) : 0;
    },
  };
}

/** A thread that allocated. */
export interface LiveThread {
  readonly index: number;
  readonly tid: number;
  readonly name: string;
}

/** The threads that made any of the locations, by the order in which they first did. */
export class LiveThreads {
  readonly #tables: CaptureTables;
  readonly #locations: Locations;
  readonly #indexes = new Set<number>();
  #seen = 0;

  constructor({ tables }: RecordContext, locations: Locations) {
    this.#tables = tables;
    this.#locations = locations;
  }

  get list(): LiveThread[] {
    const { thread, length } = this.#locations;
    for (; this.#seen < length; this.#seen++) this.#indexes.add(thread.at(this.#seen));
    const { threadTid, threadName, strings } = this.#tables;
    return [...this.#indexes].map((index) => ({
      index,
      tid: threadTid.at(index),
      name: strings.get(threadName.at(index)),
    }));
  }
}

/** Columns that grow as functions are met. */
class Totals {
  #own = new Float64Array(1024);
  #total = new Float64Array(1024);
  #ownCount = new Float64Array(1024);
  #totalCount = new Float64Array(1024);
  #bytes = 0;
  #allocations = 0;

  add(bytes: number, count: number): void {
    this.#bytes += bytes;
    this.#allocations += count;
  }

  addOwn(row: number, bytes: number, count: number): void {
    if (row >= this.#own.length) this.#grow(row + 1);
    this.#own[row] = (this.#own[row] as number) + bytes;
    this.#ownCount[row] = (this.#ownCount[row] as number) + count;
  }

  addTotal(row: number, bytes: number, count: number): void {
    if (row >= this.#total.length) this.#grow(row + 1);
    this.#total[row] = (this.#total[row] as number) + bytes;
    this.#totalCount[row] = (this.#totalCount[row] as number) + count;
  }

  columns(rows: number): LocationTotals {
    if (rows > this.#total.length) this.#grow(rows);
    return {
      ownBytes: this.#own.slice(0, rows),
      totalBytes: this.#total.slice(0, rows),
      ownAllocations: this.#ownCount.slice(0, rows),
      totalAllocations: this.#totalCount.slice(0, rows),
      bytes: this.#bytes,
      allocations: this.#allocations,
    };
  }

  #grow(rows: number): void {
    const length = Math.max(rows, 2 * this.#total.length);
    this.#own = larger(this.#own, length);
    this.#total = larger(this.#total, length);
    this.#ownCount = larger(this.#ownCount, length);
    this.#totalCount = larger(this.#totalCount, length);
  }
}

function larger(column: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(length);
  grown.set(column);
  return grown;
}
