import type { AggregateTable } from "../aggregate.js";
import type { ByteWindow } from "../byte-window.js";
import { MARGIN } from "../byte-window.js";
import { Uint32Column } from "../columns.js";
import type { EventBatch } from "../event-batch.js";
import type { Definitions } from "./definitions.js";
import type { MemrayHeader } from "./header.js";
import { AggregatedRecord, ALLOCATORS, Record } from "./records.js";
import type { Stacks } from "./stacks.js";
import { unzigzag } from "./zigzag.js";

/** Of an allocation's record: a number of eight bytes each, of which the allocator's uses one. */
const ALLOCATION_BYTES = 9 * 8;

/**
 * The records of an aggregated capture of memray: it tells of calls and stacks, then of what each location held at the
 * high-water mark and at the end. All of it is written when tracking ends.
 */
export class AggregatedRecords {
  readonly #window: ByteWindow;
  readonly #header: MemrayHeader;
  readonly #definitions: Definitions;
  readonly #stacks: Stacks;
  readonly #aggregate: AggregateTable;
  /** By memray's number of a frame: the call. */
  readonly #calls = new Uint32Column();
  /** By memray's number of a stack: the node of its calls. */
  readonly #nodes = new Uint32Column();
  #thread = 0;
  #caller = 0;
  #records = 0;

  constructor(
    window: ByteWindow,
    header: MemrayHeader,
    definitions: Definitions,
    stacks: Stacks,
    aggregate: AggregateTable,
  ) {
    this.#window = window;
    this.#header = header;
    this.#definitions = definitions;
    this.#stacks = stacks;
    this.#aggregate = aggregate;
    this.#nodes.push(0);
  }

  /** Decodes until the batch is full; whether more may come, and whether the end was read. */
  fill(batch: EventBatch): { readonly more: boolean; readonly complete: boolean } {
    const window = this.#window;
    while (batch.length < batch.capacity) {
      window.start = window.position;
      window.ensure(MARGIN);
      const type = window.bytes[window.position++] as number;
      if (window.overrun) return { more: false, complete: false };
      if (type === AggregatedRecord.TRAILER) {
        // memray does not keep how much was allocated in all; like memray, this tells how many records there are.
        this.#aggregate.totals = { allocations: this.#records, bytes: 0 };
        return { more: false, complete: true };
      }
      if (!this.#read(type, batch)) return { more: false, complete: false };
    }
    return { more: true, complete: false };
  }

  /** False where the input ends inside of the record. */
  #read(type: number, batch: EventBatch): boolean {
    const window = this.#window;
    const definitions = this.#definitions;
    switch (type) {
      case AggregatedRecord.MEMORY_SNAPSHOT:
        return this.#readSnapshot(batch);
      case AggregatedRecord.ALLOCATION:
        return this.#readAllocation();
      case AggregatedRecord.PYTHON_STACK:
        return this.#readStack();
      case AggregatedRecord.PYTHON_FRAME:
        return this.#readFrame();
      case AggregatedRecord.SURVIVING_OBJECT:
        window.varint();
        if (this.#header.nativeTraces) window.varint();
        return !window.overrun;
      case Record.NATIVE_FRAME: {
        const caller = definitions.readNativeFrame(this.#caller);
        if (caller === undefined) return false;
        this.#caller = caller;
        return true;
      }
      case Record.MEMORY_MAP_START:
        definitions.native.startGeneration();
        return true;
      case Record.SEGMENT_HEADER:
        return definitions.readSegments();
      case Record.THREAD:
        return definitions.readThreadName(this.#thread);
      case Record.CONTEXT_SWITCH: {
        const tid = definitions.u64();
        if (window.overrun) return false;
        this.#thread = definitions.threadOf(tid);
        return true;
      }
      case Record.CODE_OBJECT:
        return definitions.readCodeObject();
      case Record.FILLER:
        return false;
      default:
        throw window.corrupt(window.start, `${type} is not the type of a record`);
    }
  }

  #readSnapshot(batch: EventBatch): boolean {
    const definitions = this.#definitions;
    const [time, rss, tracked] = [definitions.u64(), definitions.u64(), definitions.u64()];
    if (this.#window.overrun) return false;
    const timeMs = Math.max(0, time - this.#header.header.startTimeMs);
    batch.addSnapshot(0, { timeMs, rss, heapUsed: 0, heapCommitted: 0, external: 0, tracked });
    return true;
  }

  #readFrame(): boolean {
    const window = this.#window;
    const id = window.varint();
    const code = window.varint();
    const offset = unzigzag(window.varint());
    const isEntry = window.bytes[window.position++] !== 0;
    if (window.overrun) return false;
    const frame = this.#definitions.frames.frameOf(code, offset);
    if (frame === undefined) throw window.corrupt(window.start, `code object ${code} is used before it is defined`);
    if (id !== this.#calls.length) {
      throw window.corrupt(window.start, `frame ${id} is defined before frame ${this.#calls.length}`);
    }
    this.#calls.push(this.#stacks.callOf(frame, isEntry));
    return true;
  }

  #readStack(): boolean {
    const window = this.#window;
    const [frame, parent] = [window.varint(), window.varint()];
    if (window.overrun) return false;
    if (frame >= this.#calls.length) throw window.corrupt(window.start, `frame ${frame} is used before it is defined`);
    if (parent >= this.#nodes.length)
      throw window.corrupt(window.start, `stack ${parent} is used before it is defined`);
    this.#nodes.push(this.#stacks.calls.child(this.#nodes.at(parent), this.#calls.at(frame)));
    return true;
  }

  #readAllocation(): boolean {
    const window = this.#window;
    const definitions = this.#definitions;
    const at = window.position;
    if (!window.ensure(ALLOCATION_BYTES)) return false;
    const tid = definitions.u64();
    const allocator = ALLOCATORS[window.bytes[window.position] as number];
    window.position += 8;
    const [native, stack, generation] = [definitions.u64(), definitions.u64(), definitions.u64()];
    const [peakCount, liveCount] = [definitions.u64(), definitions.u64()];
    const [peakBytes, liveBytes] = [definitions.u64(), definitions.u64()];
    if (allocator === undefined) throw window.corrupt(at - 1, "a location has no allocator");
    if (stack >= this.#nodes.length) throw window.corrupt(at - 1, `stack ${stack} is used before it is defined`);
    if (native > definitions.native.length) {
      throw window.corrupt(at - 1, `native frame ${native} is used before it is defined`);
    }
    const figures = [peakCount, peakBytes, liveCount, liveBytes];
    if (!figures.every(Number.isSafeInteger)) throw window.corrupt(at - 1, "a location holds more than memory can");
    const { aggregate } = this;
    aggregate.thread.push(definitions.threadOf(tid));
    aggregate.node.push(this.#stacks.nodeOf(this.#nodes.at(stack), native, generation, tid));
    aggregate.allocator.push(allocator);
    aggregate.peakCount.push(peakCount);
    aggregate.peakBytes.push(peakBytes);
    aggregate.liveCount.push(liveCount);
    aggregate.liveBytes.push(liveBytes);
    this.#records++;
    return true;
  }

  get aggregate(): AggregateTable {
    return this.#aggregate;
  }
}
