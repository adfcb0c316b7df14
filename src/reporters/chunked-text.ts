const CHUNK_CHARACTERS = 64 * 1024;

/** Writes text in large pieces, however small those that it is given. */
export class ChunkedText {
  readonly #write: (chunk: string) => void;
  #chunk = "";

  constructor(write: (chunk: string) => void) {
    this.#write = write;
  }

  add(text: string): void {
    this.#chunk += text;
    if (this.#chunk.length >= CHUNK_CHARACTERS) this.flush();
  }

  /** Writes what is left. */
  flush(): void {
    if (this.#chunk !== "") this.#write(this.#chunk);
    this.#chunk = "";
  }
}
