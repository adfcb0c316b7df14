const INITIAL_SLOTS = 4096;
/** Words of a slot. */
const WORDS = 4;
/** In place of the location: the block was freed. */
const FREED = -1;
/** Part of the slots that may be taken, and that may be live where the rest is emptied: runs cost time, room memory. */
const MOST_TAKEN = 0.65;
const MOST_LIVE = 0.5;
const TWO_32 = 2 ** 32;
const TWO_MINUS_32 = 2 ** -32;

/**
 * The live blocks of the malloc family: address -> (size, location).
 *
 * An open-addressing table with linear probing in one Int32Array, four words a slot, so that a look-up costs one
 * cache line: [location + 1 (0: empty slot), address low, address high (16 bits) << 16 | size high (16 bits), size low].
 * Addresses and sizes are below 2^48, locations below 2^31 - 2.
 *
 * Allocators give the same addresses again and again: a freed block keeps its slot for the next one at its address, and
 * no entry is moved when blocks come or go. Where too many slots are taken, those of freed blocks are emptied, so that
 * the table is as large as the live blocks need.
 *
 * Look-ups come in two steps, so that the cache misses of many addresses are waited for at once: `locate` finds where
 * each is, or would be; the others take it from there, one event after the other.
 */
export class LiveBlocks {
  /** Live blocks. */
  count = 0;
  #slots = new Int32Array(INITIAL_SLOTS * WORDS);
  #mask = INITIAL_SLOTS * WORDS - 1;
  #shift = shiftFor(INITIAL_SLOTS);
  /** Slots that are not empty. */
  #taken = 0;

  /**
   * Finds the places of the addresses [from, to), and makes room for blocks at all of them. Places stay valid until this
   * is called again.
   */
  locate(addresses: Float64Array, from: number, to: number, places: Int32Array): void {
    if ((this.#taken + to - from) * WORDS > this.#slots.length * MOST_TAKEN) this.#makeRoom(to - from);
    const slots = this.#slots;
    const mask = this.#mask;
    const shift = this.#shift;
    for (let i = from; i < to; i++) {
      const address = addresses[i] as number;
      const low = address | 0;
      const high = (address * TWO_MINUS_32) | 0;
      let at = (hash(low, high) >>> shift) * WORDS;
      while (slots[at] !== 0 && (slots[at + 1] !== low || (slots[at + 2] as number) >>> 16 !== high)) {
        at = (at + WORDS) & mask;
      }
      places[i - from] = at;
    }
  }

  /** The place of the live block at the address, or -1; `place` is what `locate` found. */
  find(place: number, address: number): number {
    const at = this.#placeOf(place, address);
    return (this.#slots[at] as number) > 0 ? at : -1;
  }

  /** Location of the live block in that place. */
  locationAt(place: number): number {
    return (this.#slots[place] as number) - 1;
  }

  /** Size in bytes of the live block in that place. */
  sizeAt(place: number): number {
    const slots = this.#slots;
    return ((slots[place + 2] as number) & 0xffff) * TWO_32 + ((slots[place + 3] as number) >>> 0);
  }

  /** Frees the live block in that place. */
  free(place: number): void {
    this.#slots[place] = FREED;
    this.count--;
  }

  /** Adds a block at an address where none is live; `place` is what `locate` found. */
  add(place: number, address: number, size: number, location: number): void {
    const slots = this.#slots;
    const at = this.#placeOf(place, address);
    if (slots[at] === 0) this.#taken++;
    this.count++;
    slots[at] = location + 1;
    slots[at + 1] = address | 0;
    slots[at + 2] = ((address * TWO_MINUS_32) << 16) | (size * TWO_MINUS_32);
    slots[at + 3] = size | 0;
  }

  /** Where the address is or would be, from where `locate` found: a place that was empty may have been taken since. */
  #placeOf(place: number, address: number): number {
    const slots = this.#slots;
    const low = address | 0;
    const high = (address * TWO_MINUS_32) | 0;
    let at = place;
    while (slots[at] !== 0 && (slots[at + 1] !== low || (slots[at + 2] as number) >>> 16 !== high)) {
      at = (at + WORDS) & this.#mask;
    }
    return at;
  }

  /** Empties the slots of freed blocks; before, makes the table larger where the live ones would leave too few. */
  #makeRoom(blocks: number): void {
    let slots = this.#slots.length / WORDS;
    while (this.count + blocks > slots * MOST_LIVE) slots *= 2;
    if (slots * WORDS === this.#slots.length) this.#emptyFreed();
    else this.#grow(slots);
    this.#taken = this.count;
  }

  /** In place: from an empty slot on, each entry goes back to where it is found now that those before it have. */
  #emptyFreed(): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let start = 0;
    while (slots[start] !== 0) start += WORDS;
    for (let i = WORDS; i < slots.length; i += WORDS) {
      const at = (start + i) & mask;
      const found = slots[at] as number;
      slots[at] = 0;
      if (found > 0) put(slots, this.#shift, found, slots, at);
    }
  }

  #grow(size: number): void {
    const old = this.#slots;
    const shift = shiftFor(size);
    const slots = new Int32Array(size * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      const found = old[at] as number;
      if (found > 0) put(slots, shift, found, old, at);
    }
    this.#slots = slots;
    this.#mask = size * WORDS - 1;
    this.#shift = shift;
  }
}

function shiftFor(slots: number): number {
  return 32 - Math.log2(slots);
}

/** Puts the entry at `from`, whose first word is `found`, into the first empty slot for it. */
function put(slots: Int32Array, shift: number, found: number, source: Int32Array, from: number): void {
  const mask = slots.length - 1;
  const low = source[from + 1] as number;
  const mixed = source[from + 2] as number;
  const size = source[from + 3] as number;
  let at = (hash(low, mixed >>> 16) >>> shift) * WORDS;
  while (slots[at] !== 0) at = (at + WORDS) & mask;
  slots[at] = found;
  slots[at + 1] = low;
  slots[at + 2] = mixed;
  slots[at + 3] = size;
}

/** Fibonacci hashing: the high bits are well mixed, whatever the alignment of the addresses. */
function hash(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
}
