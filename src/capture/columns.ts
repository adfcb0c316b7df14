/** Columns that grow: typed arrays with a length of their own. */

/** A growing column of unsigned 32-bit integers. */
export class Uint32Column {
  /** The storage; only the first `length` items mean anything. Replaced as the column grows. */
  items: Uint32Array;
  length = 0;

  constructor(capacity = 1024) {
    this.items = new Uint32Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.items.length) this.grow();
    this.items[this.length++] = value;
  }

  at(index: number): number {
    return this.items[index] as number;
  }

  grow(): void {
    const grown = new Uint32Array(this.items.length * 2);
    grown.set(this.items);
    this.items = grown;
  }
}

/** A growing column of doubles. */
export class Float64Column {
  /** The storage; only the first `length` items mean anything. Replaced as the column grows. */
  items: Float64Array;
  length = 0;

  constructor(capacity = 1024) {
    this.items = new Float64Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.items.length) this.grow();
    this.items[this.length++] = value;
  }

  at(index: number): number {
    return this.items[index] as number;
  }

  grow(): void {
    const grown = new Float64Array(this.items.length * 2);
    grown.set(this.items);
    this.items = grown;
  }
}
