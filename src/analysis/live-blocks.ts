const INITIAL_SLOTS = 4096;
/** A table of fewer words is in the cache anyway. */
const CACHED_WORDS = 2 ** 16;
const TWO_32 = 2 ** 32;
const TWO_MINUS_32 = 2 ** -32;

/**
 * The live blocks of the malloc family: address -> (size, location).
 *
 * An open-addressing table with linear probing in one Uint32Array, four words a slot, so that a look-up costs one
 * cache line: [location + 1 (0: free slot), address low, address high (16 bits) << 16 | size high (16 bits), size low].
 * Addresses and sizes are below 2^48. Removal shifts the run back instead of leaving tombstones, which a capture of
 * many short-lived blocks would fill the table with.
 */
export class LiveBlocks {
  /** Live blocks. */
  count = 0;
  /** Size in bytes of the block that `remove` or `replace` found. */
  foundSize = 0;
  /** Keeps the reads of `fetch` from being left out. @internal */
  fetched = 0;
  #slots = new Uint32Array(INITIAL_SLOTS * 4);
  #mask = INITIAL_SLOTS - 1;
  #shift = 32 - Math.log2(INITIAL_SLOTS);

  /**
   * Reads the slots of these addresses, so that they are in the cache when the blocks are added or removed: the reads do
   * not wait for each other, as those of one block after the other would.
   */
  fetch(addresses: Float64Array, from: number, to: number): void {
    const slots = this.#slots;
    if (slots.length < CACHED_WORDS) return;
    const shift = this.#shift;
    let sum = 0;
    for (let i = from; i < to; i++) {
      const address = addresses[i] as number;
      sum += slots[(hash(address >>> 0, (address * TWO_MINUS_32) | 0) >>> shift) * 4] as number;
    }
    this.fetched = sum;
  }

  /** Adds a block; where one is live at the address, replaces it and returns its location, otherwise -1. */
  add(address: number, size: number, location: number): number {
    if (this.count * 2 > this.#mask) this.#grow();
    const slots = this.#slots;
    const mask = this.#mask;
    const low = address >>> 0;
    const high = (address * TWO_MINUS_32) | 0;
    const sizeLow = size >>> 0;
    const mixed = (high << 16) | (size * TWO_MINUS_32);
    let slot = hash(low, high) >>> this.#shift;
    for (;;) {
      const at = slot * 4;
      const taken = slots[at] as number;
      if (taken === 0) {
        slots[at] = location + 1;
        slots[at + 1] = low;
        slots[at + 2] = mixed;
        slots[at + 3] = sizeLow;
        this.count++;
        return -1;
      }
      if (slots[at + 1] === low && (slots[at + 2] as number) >>> 16 === high) {
        this.foundSize = sizeAt(slots, at);
        slots[at] = location + 1;
        slots[at + 2] = mixed;
        slots[at + 3] = sizeLow;
        return taken - 1;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Removes the block at the address and returns its location (size: `foundSize`), or -1 where there is none. */
  remove(address: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const low = address >>> 0;
    const high = (address * TWO_MINUS_32) | 0;
    let slot = hash(low, high) >>> this.#shift;
    for (;;) {
      const at = slot * 4;
      const taken = slots[at] as number;
      if (taken === 0) return -1;
      if (slots[at + 1] === low && (slots[at + 2] as number) >>> 16 === high) {
        this.foundSize = sizeAt(slots, at);
        this.#close(slot);
        this.count--;
        return taken - 1;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Frees a slot, moving the later entries of its run that are reached through it. */
  #close(hole: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hole;
    for (;;) {
      slot = (slot + 1) & mask;
      const at = slot * 4;
      if (slots[at] === 0) break;
      const home = hash(slots[at + 1] as number, (slots[at + 2] as number) >>> 16) >>> this.#shift;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        const to = hole * 4;
        slots[to] = slots[at] as number;
        slots[to + 1] = slots[at + 1] as number;
        slots[to + 2] = slots[at + 2] as number;
        slots[to + 3] = slots[at + 3] as number;
        hole = slot;
      }
    }
    slots[hole * 4] = 0;
  }

  #grow(): void {
    const old = this.#slots;
    const size = (this.#mask + 1) * 2;
    const mask = size - 1;
    const shift = this.#shift - 1;
    const slots = new Uint32Array(size * 4);
    for (let at = 0; at < old.length; at += 4) {
      if (old[at] === 0) continue;
      let slot = hash(old[at + 1] as number, (old[at + 2] as number) >>> 16) >>> shift;
      while (slots[slot * 4] !== 0) slot = (slot + 1) & mask;
      slots[slot * 4] = old[at] as number;
      slots[slot * 4 + 1] = old[at + 1] as number;
      slots[slot * 4 + 2] = old[at + 2] as number;
      slots[slot * 4 + 3] = old[at + 3] as number;
    }
    this.#slots = slots;
    this.#mask = mask;
    this.#shift = shift;
  }
}

function sizeAt(slots: Uint32Array, at: number): number {
  return ((slots[at + 2] as number) & 0xffff) * TWO_32 + (slots[at + 3] as number);
}

/** Fibonacci hashing: the high bits are well mixed, whatever the alignment of the addresses. */
function hash(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
}
