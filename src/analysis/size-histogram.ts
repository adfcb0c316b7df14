/** Allocations of `minBytes` to `maxBytes`, both included. */
export interface SizeBin {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly count: number;
}

/**
 * Allocations by size, in bins that are equally wide on a logarithmic scale between the smallest size and the largest:
 * memray's histogram, to the byte. Allocations of no bytes are in the first bin. Empty where there are no allocations.
 * @param countBySize allocations by requested bytes
 */
export function sizeHistogram(countBySize: ReadonlyMap<number, number>, bins = 10): SizeBin[] {
  if (countBySize.size === 0) return [];
  let [smallest, largest] = [Number.POSITIVE_INFINITY, 1];
  for (const size of countBySize.keys()) {
    if (size > 0) smallest = Math.min(smallest, size);
    largest = Math.max(largest, size);
  }
  const high = Math.log(largest);
  let low = Math.log(Math.min(smallest, largest));
  // One size only: it is in the last bin.
  if (low === high) low /= 2;
  const step = (high - low) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const [size, count] of countBySize) {
    const bin = size === 0 ? 0 : step === 0 ? bins - 1 : Math.min(floorDivided(Math.log(size) - low, step), bins - 1);
    counts[bin] = (counts[bin] as number) + count;
  }
  const end = (bin: number): number => (bin < 0 ? 0 : Math.trunc(Math.exp(low + step * (bin + 1))));
  return counts.map((count, bin) => ({
    minBytes: end(bin - 1),
    maxBytes: bin === bins - 1 ? end(bin) : end(bin) - 1,
    count,
  }));
}

/** Python's `//`, which is not the rounded quotient rounded down. */
function floorDivided(dividend: number, divisor: number): number {
  const quotient = (dividend - (dividend % divisor)) / divisor;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}
