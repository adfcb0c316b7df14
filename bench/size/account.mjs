// Which bytes of a capture belong to the records of memory, which to the stack tree's nodes, which to other definitions.
// It knows the format of docs/capture-format.md, and nothing of src/capture.

/**
 * @typedef {object} Share
 * @property {number} count
 * @property {Buffer} bytes all of them, one after the other
 */

/**
 * @typedef {object} Account
 * @property {number} bytes of the capture, header included
 * @property {Share} records allocations and frees, with the changes of threads between them
 * @property {Share} nodes distinct stack nodes
 * @property {Share} others frames, functions, scripts, strings, threads, snapshots, trailer
 */

const VERSIONS = [1, 2];
const Type = { END: 0, ALLOC: 4, FREE: 5, MUNMAP: 7, NODE: 8, FRAME: 9, FUNCTION: 10, SCRIPT: 11, STRING: 12 };
const Rest = { THREAD: 13, SWITCH: 14, EXTENDED: 15 };
const Flag = { SAME_STACK: 0x10, SAME_SIZE: 0x20, SAME_ADDRESS: 0x40, PARENT_IS_PREVIOUS: 0x10, FRAME_IS_NEXT: 0x20 };
const NATIVE_FRAME = 0x10;

/**
 * @param {Buffer} capture uncompressed
 * @returns {Account | undefined} undefined where it is of a version that is not known here
 * @throws {Error} it is not as docs/capture-format.md says
 */
export function account(capture) {
  if (!VERSIONS.includes(capture.readUInt32LE(8))) return undefined;
  const walk = new Walk(capture, 16 + capture.readUInt32LE(12));
  const records = new Parts();
  const nodes = new Parts();
  const others = new Parts();
  while (walk.position < capture.length) {
    const start = walk.position;
    const type = walk.record();
    if (type === Type.END) break;
    const bytes = capture.subarray(start, walk.position);
    if (type <= Type.MUNMAP) records.add(bytes);
    else if (type === Rest.SWITCH) records.add(bytes, 0);
    else if (type === Type.NODE) nodes.add(bytes);
    else others.add(bytes);
  }
  if (walk.position !== capture.length) {
    throw new Error(`a capture of ${capture.length} bytes was understood up to ${walk.position} only.`);
  }
  return { bytes: capture.length, records: records.share(), nodes: nodes.share(), others: others.share() };
}

class Parts {
  /** @type {Buffer[]} */
  #parts = [];
  #count = 0;

  /**
   * @param {Buffer} bytes
   * @param {number} count
   */
  add(bytes, count = 1) {
    this.#parts.push(bytes);
    this.#count += count;
  }

  share() {
    return { count: this.#count, bytes: Buffer.concat(this.#parts) };
  }
}

class Walk {
  #bytes;

  /**
   * @param {Buffer} bytes
   * @param {number} position
   */
  constructor(bytes, position) {
    this.#bytes = bytes;
    this.position = position;
  }

  /** Passes the record at the position. @returns {number} its type */
  record() {
    const tag = this.#bytes[this.position++] ?? 0;
    const type = tag & 15;
    if (type === Type.END) return type;
    if (type <= Type.MUNMAP) this.#memory(tag, type);
    else if (type === Type.NODE) this.#varints(unset(tag, Flag.PARENT_IS_PREVIOUS) + unset(tag, Flag.FRAME_IS_NEXT));
    else if (type === Type.FRAME) this.#varints((tag & NATIVE_FRAME) !== 0 ? 2 : 3 * this.#varint());
    else if (type === Type.FUNCTION) this.#varints(4);
    else if (type === Type.SCRIPT) this.#varints(2);
    else if (type === Type.STRING) this.#skip(this.#varint());
    else if (type === Rest.THREAD) this.#varints(3);
    else if (type === Rest.SWITCH) this.#varints(1);
    else {
      this.position++;
      this.#skip(this.#varint());
    }
    return type;
  }

  /**
   * @param {number} tag
   * @param {number} type
   */
  #memory(tag, type) {
    if (type === Type.ALLOC) this.position++;
    const isFree = type === Type.FREE || type === Type.MUNMAP;
    if (!isFree) this.#varints(unset(tag, Flag.SAME_STACK) + unset(tag, Flag.SAME_SIZE));
    this.#varints(unset(tag, Flag.SAME_ADDRESS) + Number(type === Type.MUNMAP));
  }

  /** @param {number} bytes */
  #skip(bytes) {
    this.position += bytes;
  }

  /** @param {number} count to pass */
  #varints(count) {
    for (let i = 0; i < count; i++) {
      while ((this.#bytes[this.position++] ?? 0) > 127);
    }
  }

  #varint() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.position++] ?? 0;
      value += (byte & 127) * scale;
      if (byte <= 127) return value;
    }
  }
}

/**
 * @param {number} tag
 * @param {number} flag
 */
function unset(tag, flag) {
  return (tag & flag) === 0 ? 1 : 0;
}
