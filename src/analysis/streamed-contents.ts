import type { CaptureSource } from "../capture/capture-source.js";
import { EventBatch } from "../capture/event-batch.js";
import type { MemorySnapshot } from "../capture/records.js";
import type { CaptureContents, FurtherAnalyses } from "./capture-contents.js";
import { HighWaterMark } from "./high-water-mark.js";
import { LiveMemory } from "./live-memory.js";
import type { LocationFigures } from "./location-figures.js";

/** ALL_ALLOCATIONS: every allocation and free in order; the figures are added up from them, whatever the end. */
export class StreamedContents implements CaptureContents {
  read(
    source: CaptureSource,
    onSnapshot: (snapshot: MemorySnapshot) => void,
    further?: FurtherAnalyses,
  ): () => LocationFigures {
    const live = new LiveMemory(further?.live);
    const mark = new HighWaterMark(live, source.equalPeaks);
    const readers = further?.readers(live) ?? [];
    const batch = new EventBatch();
    const tell = (index: number): void => {
      const snapshot = batch.snapshots[index];
      if (snapshot !== undefined) onSnapshot({ ...snapshot, tracked: mark.liveBytes });
    };
    while (source.next(batch)) {
      const changes = live.follow(batch);
      mark.take(changes, tell);
      for (const reader of readers) reader.take(changes);
    }
    return () => mark;
  }

  checkSingleRecords(): void {}
}
