const CHUNK_RANGES = 256;

/** Consecutive ranges; a chunk is never empty and never longer than CHUNK_RANGES. */
interface Chunk {
  count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly location: Uint32Array;
}

/** Told of each piece of a live range that is taken away. */
export interface RangeObserver {
  /** `pieces` is by how many the location's live ranges became more: -1 gone, 0 shorter, 1 cut in two. */
  rangeRemoved(location: number, bytes: number, pieces: number): void;
}

/**
 * The live address ranges (mappings, heap pages): disjoint, in address order. They are kept in sorted chunks, so that
 * even the hundred thousands of pieces that an allocator's madvise calls leave cost a short move per change.
 */
export class LiveRanges {
  readonly #chunks: Chunk[] = [];

  /** Adds [start, start + size); whatever was live there is removed before. */
  add(start: number, size: number, location: number, observer: RangeObserver): void {
    if (size <= 0) return;
    this.remove(start, size, observer);
    this.#insert(start, start + size, location);
  }

  /** Takes [start, start + size) out of all ranges that overlap it. */
  remove(start: number, size: number, observer: RangeObserver): void {
    const end = start + size;
    if (size <= 0) return;
    let chunkIndex = this.#chunkFor(start);
    while (chunkIndex < this.#chunks.length) {
      const chunk = this.#chunks[chunkIndex] as Chunk;
      const first = firstEndingAfter(chunk, start);
      let index = first;
      for (; index < chunk.count; index++) {
        const rangeStart = chunk.start[index] as number;
        const rangeEnd = chunk.end[index] as number;
        const location = chunk.location[index] as number;
        if (rangeStart >= end) break;
        if (rangeStart < start) {
          chunk.end[index] = start;
          if (rangeEnd > end) {
            observer.rangeRemoved(location, end - start, 1);
            this.#insert(end, rangeEnd, location);
            return;
          }
          observer.rangeRemoved(location, rangeEnd - start, 0);
        } else if (rangeEnd > end) {
          chunk.start[index] = end;
          observer.rangeRemoved(location, end - rangeStart, 0);
          break;
        } else {
          // Wholly covered; an empty range marks it until the chunk is compacted.
          chunk.end[index] = rangeStart;
          observer.rangeRemoved(location, rangeEnd - rangeStart, -1);
        }
      }
      const reachedEnd = index === chunk.count;
      compact(chunk, first, index);
      if (chunk.count === 0) this.#chunks.splice(chunkIndex, 1);
      else chunkIndex++;
      if (!reachedEnd) return;
    }
  }

  #insert(start: number, end: number, location: number): void {
    if (this.#chunks.length === 0) this.#chunks.push(newChunk());
    let chunkIndex = Math.min(this.#chunkFor(start), this.#chunks.length - 1);
    let chunk = this.#chunks[chunkIndex] as Chunk;
    if (chunk.count === CHUNK_RANGES) {
      const upper = splitOff(chunk);
      this.#chunks.splice(chunkIndex + 1, 0, upper);
      if (start >= (upper.start[0] as number)) {
        chunkIndex++;
        chunk = upper;
      }
    }
    const index = firstEndingAfter(chunk, start);
    move(chunk, index, index + 1, chunk.count - index);
    chunk.start[index] = start;
    chunk.end[index] = end;
    chunk.location[index] = location;
    chunk.count++;
  }

  /** The first chunk with a range that ends after the address; the number of chunks where there is none. */
  #chunkFor(address: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] as Chunk;
      if ((chunk.end[chunk.count - 1] as number) <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function newChunk(): Chunk {
  return {
    count: 0,
    start: new Float64Array(CHUNK_RANGES),
    end: new Float64Array(CHUNK_RANGES),
    location: new Uint32Array(CHUNK_RANGES),
  };
}

function firstEndingAfter(chunk: Chunk, address: number): number {
  let low = 0;
  let high = chunk.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk.end[middle] as number) <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

function move(chunk: Chunk, from: number, to: number, count: number): void {
  chunk.start.copyWithin(to, from, from + count);
  chunk.end.copyWithin(to, from, from + count);
  chunk.location.copyWithin(to, from, from + count);
}

/** Drops the empty ranges among [first, last). */
function compact(chunk: Chunk, first: number, last: number): void {
  let from = first;
  let to = last;
  // Only the first and the last range touched can be left; those between are gone.
  while (from < to && (chunk.end[from] as number) > (chunk.start[from] as number)) from++;
  while (to > from && (chunk.end[to - 1] as number) > (chunk.start[to - 1] as number)) to--;
  move(chunk, to, from, chunk.count - to);
  chunk.count -= to - from;
}

/** Moves the upper half of a full chunk into a new one. */
function splitOff(chunk: Chunk): Chunk {
  const half = chunk.count >>> 1;
  const upper = newChunk();
  upper.start.set(chunk.start.subarray(half, chunk.count));
  upper.end.set(chunk.end.subarray(half, chunk.count));
  upper.location.set(chunk.location.subarray(half, chunk.count));
  upper.count = chunk.count - half;
  chunk.count = half;
  return upper;
}
