import { Float64Column } from "./columns.js";

const decoder = new TextDecoder();

/** A capture's strings, kept as UTF-8 and decoded when asked for. Id 0 is the empty string. */
export class StringTable {
  #bytes = new Uint8Array(16 * 1024);
  #used = 0;
  readonly #ends = new Float64Column();
  readonly #decoded = new Map<number, string>();

  constructor() {
    this.#ends.push(0);
  }

  /** Ids in use, 0 included. */
  get length(): number {
    return this.#ends.length;
  }

  add(utf8: Uint8Array): void {
    const end = this.#used + utf8.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = grown;
    }
    this.#bytes.set(utf8, this.#used);
    this.#used = end;
    this.#ends.push(end);
  }

  get(id: number): string {
    let text = this.#decoded.get(id);
    if (text === undefined) {
      text = id === 0 ? "" : decoder.decode(this.#bytes.subarray(this.#ends.at(id - 1), this.#ends.at(id)));
      this.#decoded.set(id, text);
    }
    return text;
  }
}
