import type { PageQuery } from "../../reporters/live-page-data.js";

/** A graph that is younger serves another tab as well, milliseconds. */
const FRESH_MS = 400;
/** Queries whose graphs are kept. */
const MOST = 8;

interface Entry {
  readonly graph: Promise<Uint8Array>;
  madeAt: number;
}

/** Makes each graph once, however many tabs ask for it at about the same time. */
export class SharedGraphs {
  readonly #make: (query: PageQuery) => Promise<Uint8Array>;
  /** The newest last. */
  readonly #entries = new Map<string, Entry>();

  constructor(make: (query: PageQuery) => Promise<Uint8Array>) {
    this.#make = make;
  }

  get(query: PageQuery): Promise<Uint8Array> {
    const key = JSON.stringify([query.thread, query.kind]);
    const known = this.#entries.get(key);
    if (known !== undefined && performance.now() - known.madeAt < FRESH_MS) return known.graph;
    const graph = this.#make(query);
    // Until it is made, it is the newest.
    const entry: Entry = { graph, madeAt: Number.POSITIVE_INFINITY };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    graph.then(
      () => {
        entry.madeAt = performance.now();
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST && oldest !== undefined) this.#entries.delete(oldest);
    return graph;
  }

  /** Forgets them: the next ones are made anew. */
  clear(): void {
    this.#entries.clear();
  }
}
