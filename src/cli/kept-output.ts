import type { Readable } from "node:stream";
import { tell } from "./standard-error.js";
import { print } from "./standard-output.js";

/** Bytes of output that are kept. */
const MOST_BYTES = 1024 * 1024;

interface Piece {
  readonly write: (bytes: Uint8Array) => void;
  readonly bytes: Uint8Array;
}

/** What a program prints while the terminal is used for something else: its end is kept, and printed afterwards. */
export class KeptOutput {
  readonly #pieces: Piece[] = [];
  #keeps = false;
  #bytes = 0;
  #lost = 0;
  readonly #ended: Promise<unknown>;

  /** What of the two this process does not read is null. */
  constructor(stdout: Readable | null, stderr: Readable | null) {
    this.#ended = Promise.all([this.#hear(stdout, print), this.#hear(stderr, tell)]);
  }

  /** From here on nothing is printed. */
  keep(): void {
    this.#keeps = true;
  }

  /** Prints what was kept, and what comes from here on. */
  release(): void {
    this.#keeps = false;
    if (this.#lost > 0) tell(`[heapray] of what the program printed, the first ${this.#lost} bytes were not kept.\n`);
    this.#lost = 0;
    this.#bytes = 0;
    for (const { write, bytes } of this.#pieces.splice(0)) write(bytes);
  }

  /** Waits until there is no more to come: the program and whoever has its output from it have ended. */
  async ended(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
  }

  #hear(stream: Readable | null, write: Piece["write"]): Promise<void> {
    if (stream === null) return Promise.resolve();
    stream.on("data", (bytes: Uint8Array) => {
      if (this.#keeps) this.#add({ write, bytes });
      else write(bytes);
    });
    return new Promise((resolve) => stream.on("close", resolve).on("error", () => resolve()));
  }

  #add(piece: Piece): void {
    this.#pieces.push(piece);
    this.#bytes += piece.bytes.length;
    while (this.#bytes > MOST_BYTES) {
      const first = this.#pieces.shift();
      if (first === undefined) break;
      const over = Math.min(first.bytes.length, this.#bytes - MOST_BYTES);
      if (over < first.bytes.length) this.#pieces.unshift({ ...first, bytes: first.bytes.subarray(over) });
      this.#bytes -= over;
      this.#lost += over;
    }
  }
}
