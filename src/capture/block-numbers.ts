const INITIAL_SLOTS = 4096;
/** Words of a slot. */
const WORDS = 3;
/** Part of the slots that may be taken, and that may be live where the table is not made larger. */
const MOST_TAKEN = 0.65;
const MOST_LIVE = 0.5;
const TWO_32 = 2 ** 32;
const TWO_MINUS_32 = 2 ** -32;
/** In place of the number: the block was freed. */
const FREED = 2 ** 48 - 1;

/**
 * The numbers of the live blocks: address -> number.
 *
 * An open-addressing table with linear probing in one Int32Array, three words a slot:
 * [address low, address high (16 bits) << 16 | number high (16 bits), number low], all zeros in an empty slot.
 * Addresses are below 2^48, numbers from 1 to 2^48 - 2.
 *
 * Allocators give the same addresses again and again: a freed block keeps its slot for the next one at its address.
 * Where too many slots are taken, those of freed blocks are emptied, so that the table is as large as the live blocks need.
 */
export class BlockNumbers {
  /** Live blocks. */
  count = 0;
  #slots = new Int32Array(INITIAL_SLOTS * WORDS);
  #mask = INITIAL_SLOTS - 1;
  #shift = shiftFor(INITIAL_SLOTS);
  /** Slots that are not empty, and how many may be. */
  #taken = 0;
  #most = INITIAL_SLOTS * MOST_TAKEN;

  /** Adds a block; the number of the one that was live at its address, or 0. */
  add(address: number, number: number): number {
    const slots = this.#slots;
    const low = address | 0;
    const high = (address * TWO_MINUS_32) | 0;
    const at = this.#find(low, high);
    const before = numberAt(slots, at);
    slots[at] = low;
    slots[at + 1] = (high << 16) | (number * TWO_MINUS_32);
    slots[at + 2] = number | 0;
    if (before !== 0 && before !== FREED) return before;
    this.count++;
    if (before === 0 && ++this.#taken > this.#most) this.#makeRoom();
    return 0;
  }

  /** Removes the block at the address; its number, or 0 where none is live there. */
  remove(address: number): number {
    const slots = this.#slots;
    const high = (address * TWO_MINUS_32) | 0;
    const at = this.#find(address | 0, high);
    const number = numberAt(slots, at);
    if (number === 0 || number === FREED) return 0;
    slots[at + 1] = (high << 16) | 0xffff;
    slots[at + 2] = -1;
    this.count--;
    return number;
  }

  /** Where the address is, or else the empty slot for it. */
  #find(low: number, high: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash(low, high) >>> this.#shift;
    for (;;) {
      const at = slot * WORDS;
      const mixed = slots[at + 1] as number;
      if (slots[at] === low && mixed >>> 16 === high) return at;
      if (mixed === 0 && slots[at + 2] === 0) return at;
      slot = (slot + 1) & mask;
    }
  }

  /** Leaves out the freed blocks; the table becomes larger where the live ones would leave too few empty slots. */
  #makeRoom(): void {
    const old = this.#slots;
    let size = this.#mask + 1;
    while (this.count > size * MOST_LIVE) size *= 2;
    this.#slots = new Int32Array(size * WORDS);
    this.#mask = size - 1;
    this.#shift = shiftFor(size);
    this.#taken = this.count;
    this.#most = size * MOST_TAKEN;
    for (let from = 0; from < old.length; from += WORDS) {
      const number = numberAt(old, from);
      if (number === 0 || number === FREED) continue;
      const mixed = old[from + 1] as number;
      const to = this.#find(old[from] as number, mixed >>> 16);
      this.#slots[to] = old[from] as number;
      this.#slots[to + 1] = mixed;
      this.#slots[to + 2] = old[from + 2] as number;
    }
  }
}

/** The number in a slot; 0 where it is empty. */
function numberAt(slots: Int32Array, at: number): number {
  const low = (slots[at + 2] as number) >>> 0;
  const high = (slots[at + 1] as number) & 0xffff;
  return high === 0 ? low : high * TWO_32 + low;
}

function shiftFor(slots: number): number {
  return 32 - Math.log2(slots);
}

/** Fibonacci hashing: the high bits are well mixed, whatever the alignment of the addresses. */
function hash(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
}
