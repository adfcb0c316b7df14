import { MemoryByteSource } from "../../src/capture/byte-source.js";
import type { CaptureSource } from "../../src/capture/capture-source.js";
import { CaptureDecoder } from "../../src/capture/decoder.js";
import { EventBatch, SNAPSHOT_EVENT } from "../../src/capture/event-batch.js";
import { AllocatorType } from "../../src/capture/wire.js";

/** A decoder's event, as tests compare it; a snapshot's address is its time. */
export interface Event {
  readonly kind: string;
  readonly thread: number;
  readonly node: number;
  readonly size: number;
  readonly address: number;
}

export function decode(bytes: Uint8Array, chunkBytes?: number): CaptureDecoder {
  return new CaptureDecoder(new MemoryByteSource(bytes, "test.bin"), chunkBytes === undefined ? {} : { chunkBytes });
}

/** Reads a source to its end. */
export function allEvents(source: CaptureSource, batchSize = 4096): Event[] {
  const batch = new EventBatch(batchSize);
  const events: Event[] = [];
  while (source.next(batch)) {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] as number;
      events.push({
        kind: kind === SNAPSHOT_EVENT ? "snapshot" : (AllocatorType[kind] ?? String(kind)),
        thread: batch.thread[i] as number,
        node: batch.node[i] as number,
        size: batch.size[i] as number,
        address: kind === SNAPSHOT_EVENT ? timeOfSnapshot(batch, i) : (batch.address[i] as number),
      });
    }
  }
  return events;
}

function timeOfSnapshot(batch: EventBatch, event: number): number {
  return batch.snapshots[batch.address[event] as number]?.timeMs as number;
}
