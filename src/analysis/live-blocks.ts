const INITIAL_SLOTS = 4096;
/** Words of a slot. */
const WORDS = 4;
/** In place of the location + 1: the block was freed. */
export const FREED = -1;
/** Part of the slots that may be taken, and that may be live where the rest is emptied: runs cost time, room memory. */
const MOST_TAKEN = 0.65;
const MOST_LIVE = 0.5;
export const HIGH_HALF = 0xffff_0000 | 0;
const TWO_32 = 2 ** 32;
const TWO_MINUS_32 = 2 ** -32;

/** Words of a slot, from its place on: see LiveBlocks. */
export const HIGH_WORDS = 2;
export const SIZE_LOW = 3;

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
 * each is, and gives those that are new a slot, as if freed; the others take it from there, one event after the other.
 */
export class LiveBlocks {
  /** Live blocks. */
  count = 0;
  /** Replaced as the table grows; places are indexes into it. */
  slots = new Int32Array(INITIAL_SLOTS * WORDS);
  #shift = shiftFor(INITIAL_SLOTS);
  /** Slots that are not empty. */
  #taken = 0;
  /** Addresses that are not where they are looked for first. */
  #elsewhere = new Uint32Array(INITIAL_SLOTS);

  /**
   * Finds the places of the addresses [from, to), and makes room for blocks at all of them. Places stay valid until this
   * is called again.
   */
  locate(addresses: Float64Array, from: number, to: number, places: Int32Array): void {
    if ((this.#taken + to - from) * WORDS > this.slots.length * MOST_TAKEN) this.#makeRoom(to - from);
    if (to - from > this.#elsewhere.length) this.#elsewhere = new Uint32Array(to - from);
    const elsewhere = this.#elsewhere;
    const { slots } = this;
    const shift = this.#shift;
    let count = 0;
    // Neither branches nor a loop within: the processor reads many slots at a time.
    for (let i = from; i < to; i++) {
      const address = addresses[i] as number;
      const low = address | 0;
      const high = (address * TWO_MINUS_32) | 0;
      const at = (hash(low, high) >>> shift) * WORDS;
      places[i - from] = at;
      elsewhere[count] = i;
      const taken = slots[at] as number;
      const differs = ((slots[at + 1] as number) ^ low) | (((slots[at + HIGH_WORDS] as number) >>> 16) ^ high);
      count += ((differs | (0 - differs)) >>> 31) | (((taken | (0 - taken)) >>> 31) ^ 1);
    }
    for (let i = 0; i < count; i++) {
      const index = (elsewhere[i] as number) - from;
      places[index] = this.#placeOf(addresses[index + from] as number, places[index] as number);
    }
  }

  /** Whether a block is live in that place. */
  isLive(place: number): boolean {
    return (this.slots[place] as number) > 0;
  }

  /** Location of the live block in that place. */
  locationAt(place: number): number {
    return (this.slots[place] as number) - 1;
  }

  /** Size in bytes of the live block in that place. */
  sizeAt(place: number): number {
    const { slots } = this;
    return ((slots[place + HIGH_WORDS] as number) & 0xffff) * TWO_32 + ((slots[place + SIZE_LOW] as number) >>> 0);
  }

  /** Frees the live block in that place. */
  free(place: number): void {
    this.slots[place] = FREED;
    this.count--;
  }

  /** Adds a block in a place where none is live. */
  add(place: number, size: number, location: number): void {
    const { slots } = this;
    this.count++;
    slots[place] = location + 1;
    slots[place + HIGH_WORDS] = ((slots[place + HIGH_WORDS] as number) & HIGH_HALF) | (size * TWO_MINUS_32);
    slots[place + SIZE_LOW] = size | 0;
  }

  /** The address's place, from where it is looked for first; taken for it where it is new. */
  #placeOf(address: number, first: number): number {
    const { slots } = this;
    const mask = slots.length - 1;
    const low = address | 0;
    const high = (address * TWO_MINUS_32) | 0;
    let at = first;
    while (slots[at] !== 0) {
      if (slots[at + 1] === low && (slots[at + HIGH_WORDS] as number) >>> 16 === high) return at;
      at = (at + WORDS) & mask;
    }
    this.#taken++;
    slots[at] = FREED;
    slots[at + 1] = low;
    slots[at + HIGH_WORDS] = high << 16;
    slots[at + SIZE_LOW] = 0;
    return at;
  }

  /** Empties the slots of freed blocks; before, makes the table larger where the live ones would leave too few. */
  #makeRoom(blocks: number): void {
    let slots = this.slots.length / WORDS;
    while (this.count + blocks > slots * MOST_LIVE) slots *= 2;
    if (slots * WORDS === this.slots.length) this.#emptyFreed();
    else this.#grow(slots);
    this.#taken = this.count;
  }

  /** In place: from an empty slot on, each entry goes back to where it is found now that those before it have. */
  #emptyFreed(): void {
    const { slots } = this;
    const mask = slots.length - 1;
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
    const old = this.slots;
    const shift = shiftFor(size);
    const slots = new Int32Array(size * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      const found = old[at] as number;
      if (found > 0) put(slots, shift, found, old, at);
    }
    this.slots = slots;
    this.#shift = shift;
  }
}

function shiftFor(slots: number): number {
  return Math.clz32(slots) + 1;
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
