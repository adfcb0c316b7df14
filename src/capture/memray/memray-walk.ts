import type { CaptureRecord, CaptureWalk, DefinitionKind } from "../capture-walk.js";
import { EventBatch, SNAPSHOT_EVENT } from "../event-batch.js";
import { AllocatorType } from "../wire.js";
import type { MemrayDecoder } from "./memray-decoder.js";

/**
 * A capture that memray wrote, record by record, as what its records are to heapray: memray's calls and returns are the
 * stacks' nodes, and one is defined where something is allocated in it.
 */
export class MemrayWalk implements CaptureWalk {
  readonly #decoder: MemrayDecoder;
  /** By kind of definition: how many were told of. */
  readonly #told = new Map<DefinitionKind, number>();
  /** By thread: the name that was told. */
  readonly #names: number[] = [0];
  #thread = 0;

  constructor(decoder: MemrayDecoder) {
    this.#decoder = decoder;
  }

  get version(): number {
    return this.#decoder.version;
  }

  get header(): CaptureWalk["header"] {
    return this.#decoder.header;
  }

  get tables(): CaptureWalk["tables"] {
    return this.#decoder.tables;
  }

  get aggregate(): CaptureWalk["aggregate"] {
    return this.#decoder.aggregate;
  }

  *records(): Generator<CaptureRecord, void, undefined> {
    const batch = new EventBatch(1);
    while (this.#decoder.next(batch)) {
      yield* this.#definitions();
      yield* this.#event(batch);
    }
    yield* this.#definitions();
    const { aggregate, end } = this.#decoder;
    for (let row = 0; row < aggregate.length; row++) yield { kind: "location", row };
    if (aggregate.totals !== undefined) yield { kind: "totals" };
    if (end !== undefined) yield { kind: "trailer", end };
  }

  /** What was defined since the last time, in an order in which nothing is used before. */
  *#definitions(): Generator<CaptureRecord, void, undefined> {
    const { strings, scriptUrl, functionName, modulePath, frameEnd, nodeParent, threadName } = this.tables;
    yield* this.#newOnes("string", strings.length);
    yield* this.#newOnes("script", scriptUrl.length);
    yield* this.#newOnes("function", functionName.length);
    yield* this.#newOnes("module", modulePath.length);
    yield* this.#newOnes("frame", frameEnd.length);
    yield* this.#newOnes("node", nodeParent.length);
    for (let thread = 1; thread < threadName.length; thread++) {
      if (this.#names[thread] === threadName.at(thread)) continue;
      this.#names[thread] = threadName.at(thread);
      yield { kind: "thread", id: thread };
    }
  }

  *#newOnes(kind: DefinitionKind, length: number): Generator<CaptureRecord, void, undefined> {
    for (let id = this.#told.get(kind) ?? 1; id < length; id++) yield { kind, id };
    this.#told.set(kind, length);
  }

  *#event(batch: EventBatch): Generator<CaptureRecord, void, undefined> {
    const [kind, thread, address, size] = [
      batch.kind[0],
      batch.thread[0],
      batch.address[0],
      batch.size[0],
    ] as number[] as [number, number, number, number];
    const snapshot = batch.snapshots[0];
    if (kind === SNAPSHOT_EVENT) {
      if (snapshot !== undefined) yield { kind: "snapshot", snapshot };
      return;
    }
    if (thread !== this.#thread) {
      this.#thread = thread;
      yield { kind: "switch", thread };
    }
    if (kind === AllocatorType.FREE) yield { kind: "free", thread, address, numbered: false };
    else if (kind === AllocatorType.MUNMAP) yield { kind: "munmap", thread, address, size };
    else {
      const node = batch.node[0] as number;
      yield { kind: "allocation", allocator: kind, thread, node, size, address, numbered: false };
    }
  }
}
