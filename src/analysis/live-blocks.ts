import type { EventBatch } from "../capture/event-batch.js";
import { AllocatorType } from "../capture/wire.js";
import type { MemoryChanges } from "./memory-changes.js";

const INITIAL_SLOTS = 4096;
/** Words of a slot. */
const WORDS = 4;
/** In place of the location + 1: the block was freed. */
const FREED = -1;
/** Part of the slots that may be taken, and that may be live where the rest is emptied: runs cost time, room memory. */
const MOST_TAKEN = 0.65;
const MOST_LIVE = 0.5;
const HIGH_HALF = 0xffff_0000 | 0;
const TWO_32 = 2 ** 32;
const TWO_MINUS_32 = 2 ** -32;

/** By the kind of an event: 1 for the free of a block, otherwise 0. */
const IS_FREE = new Uint8Array(256);
IS_FREE[AllocatorType.FREE] = 1;

/** Words of a slot, from its place on: see LiveBlocks. */
const HIGHS = 2;
const SIZE_LOW = 3;

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
  /** Places are indexes into it. */
  #slots = new Int32Array(INITIAL_SLOTS * WORDS);
  #shift = shiftFor(INITIAL_SLOTS);
  /** Slots that are not empty. */
  #taken = 0;
  /** Addresses that are not where they are looked for first. */
  #elsewhere = new Uint32Array(INITIAL_SLOTS);
  #places = new Int32Array(INITIAL_SLOTS);
  /** Rows of blocks in whose place others were allocated. */
  readonly #replacedAt: number[] = [];

  /**
   * Finds the places of the addresses [from, to), and makes room for blocks at all of them. Places stay valid until this
   * is called again.
   */
  locate(addresses: Float64Array, from: number, to: number, places: Int32Array): void {
    if ((this.#taken + to - from) * WORDS > this.#slots.length * MOST_TAKEN) this.#makeRoom(to - from);
    if (to - from > this.#elsewhere.length) this.#elsewhere = new Uint32Array(to - from);
    const elsewhere = this.#elsewhere;
    const slots = this.#slots;
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
      const differs = ((slots[at + 1] as number) ^ low) | (((slots[at + HIGHS] as number) >>> 16) ^ high);
      count += ((differs | (0 - differs)) >>> 31) | (((taken | (0 - taken)) >>> 31) ^ 1);
    }
    for (let i = 0; i < count; i++) {
      const index = (elsewhere[i] as number) - from;
      places[index] = this.#placeOf(addresses[index + from] as number, places[index] as number);
    }
  }

  /**
   * Takes in the events [from, to), all of them about blocks, and adds what they changed as rows. `ids`, from 0 on, are
   * the allocations' locations, or what else is to be kept as such; those of the rows go into `idOf`.
   *
   * What each event needs is looked up before, and frees and allocations go the same way: the processor has nothing to
   * guess. Its loops are small ones with nothing but arrays in locals, as V8 checks these before such a loop only.
   */
  follow(
    { address, kind, size }: EventBatch,
    from: number,
    to: number,
    ids: Uint32Array,
    changes: MemoryChanges,
    idOf: Uint32Array,
  ): void {
    if (to - from > this.#places.length) this.#places = new Int32Array(to - from);
    const places = this.#places;
    this.locate(address, from, to, places);
    const slots = this.#slots;
    const { event: eventOf, bytes: bytesOf } = changes;
    const isFree = IS_FREE;
    const first = changes.length;
    let row = first;
    for (let i = from; i < to; i++) {
      const place = places[i - from] as number;
      const freed = isFree[kind[i] as number] as number;
      const found = slots[place] as number;
      const high = slots[place + HIGHS] as number;
      const oldSize = (high & 0xffff) * TWO_32 + ((slots[place + SIZE_LOW] as number) >>> 0);
      if ((0 - found) >>> 31 !== freed) {
        // The free of a block that is not known, or an allocation in place of a block whose free was not seen.
        if (freed === 1) continue;
        this.#replacedAt.push(row);
        eventOf[row] = i;
        idOf[row] = found - 1;
        bytesOf[row] = 0 - oldSize;
        row++;
      }
      const bytes = size[i] as number;
      // All ones for a free: what FREED is, too.
      const mask = 0 - freed;
      const id = ids[i - from] as number;
      eventOf[row] = i;
      idOf[row] = ((found - 1) & mask) | (id & ~mask);
      bytesOf[row] = bytes - freed * oldSize;
      row++;
      slots[place] = (id + 1) | mask;
      slots[place + HIGHS] = (high & HIGH_HALF) | (bytes * TWO_MINUS_32);
      slots[place + SIZE_LOW] = bytes | 0;
    }
    changes.length = row;
    this.#countRows(kind, changes, first);
  }

  /** Fills in whether the rows from `first` on are allocations. */
  #countRows(kind: Uint8Array, { event, count, allocated, length }: MemoryChanges, first: number): void {
    const isFree = IS_FREE;
    let more = 0;
    for (let row = first; row < length; row++) {
      const freed = isFree[kind[event[row] as number] as number] as number;
      count[row] = 1 - 2 * freed;
      allocated[row] = 1 - freed;
      more += 1 - 2 * freed;
    }
    for (const row of this.#replacedAt) {
      count[row] = -1;
      allocated[row] = 0;
      more -= 2;
    }
    this.#replacedAt.length = 0;
    this.count += more;
  }

  /** Whether a block is live in that place. */
  isLive(place: number): boolean {
    return (this.#slots[place] as number) > 0;
  }

  /** Location of the live block in that place. */
  locationAt(place: number): number {
    return (this.#slots[place] as number) - 1;
  }

  /** Size in bytes of the live block in that place. */
  sizeAt(place: number): number {
    const slots = this.#slots;
    return ((slots[place + HIGHS] as number) & 0xffff) * TWO_32 + ((slots[place + SIZE_LOW] as number) >>> 0);
  }

  /** Frees the live block in that place. */
  free(place: number): void {
    this.#slots[place] = FREED;
    this.count--;
  }

  /** Adds a block in a place where none is live. */
  add(place: number, size: number, location: number): void {
    const slots = this.#slots;
    this.count++;
    slots[place] = location + 1;
    slots[place + HIGHS] = ((slots[place + HIGHS] as number) & HIGH_HALF) | (size * TWO_MINUS_32);
    slots[place + SIZE_LOW] = size | 0;
  }

  /** The address's place, from where it is looked for first; taken for it where it is new. */
  #placeOf(address: number, first: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const low = address | 0;
    const high = (address * TWO_MINUS_32) | 0;
    let at = first;
    while (slots[at] !== 0) {
      if (slots[at + 1] === low && (slots[at + HIGHS] as number) >>> 16 === high) return at;
      at = (at + WORDS) & mask;
    }
    this.#taken++;
    slots[at] = FREED;
    slots[at + 1] = low;
    slots[at + HIGHS] = high << 16;
    slots[at + SIZE_LOW] = 0;
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
    const old = this.#slots;
    const shift = shiftFor(size);
    const slots = new Int32Array(size * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      const found = old[at] as number;
      if (found > 0) put(slots, shift, found, old, at);
    }
    this.#slots = slots;
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
