import type { CaptureSource } from "../capture/capture-source.js";
import type { MemorySnapshot } from "../capture/records.js";
import { AggregatedContents } from "./aggregated-contents.js";
import type { LiveMemory, LiveMemoryOptions } from "./live-memory.js";
import type { LocationFigures } from "./location-figures.js";
import type { ChangeReader } from "./memory-changes.js";
import { StreamedContents } from "./streamed-contents.js";

/** What a pass over single allocations and frees finds out besides the figures. */
export interface FurtherAnalyses {
  readonly live?: LiveMemoryOptions | undefined;
  /** The analyses, which read what changes in `live`. */
  readonly readers: (live: LiveMemory) => readonly ChangeReader[];
}

/** What captures of one file format hold, and how it is found. */
export interface CaptureContents {
  /**
   * Reads `source` to its end and tells of each memory snapshot. What it returns gives the figures. `further` analyses
   * need a capture of single records.
   * @throws CaptureError `CORRUPT`; the function returned: `NO_DATA`
   */
  read(
    source: CaptureSource,
    onSnapshot: (snapshot: MemorySnapshot) => void,
    further?: FurtherAnalyses,
  ): () => LocationFigures;
  /** @throws CaptureError `AGGREGATED` where the capture does not hold each single allocation and free */
  checkSingleRecords(): void;
}

/** The contents of a capture called `name` in messages, by the file format that its header tells. */
export function contentsOf(fileFormat: string, name: string): CaptureContents {
  return fileFormat === "AGGREGATED_ALLOCATIONS" ? new AggregatedContents(name) : new StreamedContents();
}
