import type { AllocationRecord } from "../capture/records.js";
import { answeringFrame } from "./answering-frame.js";

/** What is told apart: lines of source; functions, wherever their lines went between two versions; files. */
export type GrowthBy = "line" | "function" | "file";

export interface Held {
  readonly bytes: number;
  readonly allocations: number;
}

/** One side of a comparison. */
export interface GrowthSide {
  /** Live allocations, not merged over threads, whose names stand for what has no stack. */
  readonly records: Iterable<AllocationRecord>;
  /** The program's working directory: files below it are the same in another checkout. */
  readonly cwd: string;
}

/** What one place held before and after. */
export interface PlaceGrowth {
  /** Empty where files are told apart. */
  readonly function: string;
  /** Relative to the program's working directory where it is below it; empty for threads without a stack. */
  readonly file: string;
  /** 1-based; 0 where lines are not told apart, and of modules. */
  readonly line: number;
  readonly before: Held;
  readonly after: Held;
}

export interface Growth {
  readonly before: Held;
  readonly after: Held;
  /** Every place that holds another number of bytes or allocations than before, the largest change of bytes first. */
  readonly places: readonly PlaceGrowth[];
}

interface Sum {
  bytes: number;
  allocations: number;
}
type Place = Pick<PlaceGrowth, "function" | "file" | "line"> & { readonly before: Sum; readonly after: Sum };

/** What grew and what shrank, by the place that answers for it (see answeringFrame). */
export function growthOf(before: GrowthSide, after: GrowthSide, by: GrowthBy = "line"): Growth {
  const places = new Map<string, Place>();
  const total = { before: addUp(places, before, "before", by), after: addUp(places, after, "after", by) };
  const changed = [...places.values()].filter(
    (place) => place.before.bytes !== place.after.bytes || place.before.allocations !== place.after.allocations,
  );
  changed.sort((a, b) => Math.abs(changeOf(b)) - Math.abs(changeOf(a)) || (nameOf(a) < nameOf(b) ? -1 : 1));
  return { ...total, places: changed };
}

/** By how many bytes a place grew; negative where it shrank. */
export function changeOf({ before, after }: Pick<Growth, "before" | "after">): number {
  return after.bytes - before.bytes;
}

function addUp(places: Map<string, Place>, side: GrowthSide, when: "before" | "after", by: GrowthBy): Held {
  const total: Sum = { bytes: 0, allocations: 0 };
  const folder = side.cwd.endsWith("/") ? side.cwd : `${side.cwd}/`;
  for (const record of side.records) {
    const frame = answeringFrame(record.stackTrace(), record);
    const place = {
      // What has no file is told apart by its name alone.
      function: by === "file" && frame.file !== "" ? "" : frame.function,
      file: frame.file.startsWith(folder) ? frame.file.slice(folder.length) : frame.file,
      line: by === "line" ? frame.line : 0,
    };
    const name = nameOf(place);
    let known = places.get(name);
    if (known === undefined) {
      known = { ...place, before: { bytes: 0, allocations: 0 }, after: { bytes: 0, allocations: 0 } };
      places.set(name, known);
    }
    for (const sum of [known[when], total]) {
      sum.bytes += record.size;
      sum.allocations += record.nAllocations;
    }
  }
  return total;
}

function nameOf(place: Pick<PlaceGrowth, "function" | "file" | "line">): string {
  return `${place.file}\0${place.line}\0${place.function}`;
}
