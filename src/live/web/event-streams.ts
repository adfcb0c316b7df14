import type { ServerResponse } from "node:http";

/** How long a browser waits before it connects again, milliseconds. */
const RETRY_MS = 1000;

/**
 * Tells all tabs the same, as server-sent events. A tab that does not read is not waited for: only the newest is of use, so
 * that is told once it reads again, and nothing is kept for it but what is on its way.
 */
export class EventStreams {
  readonly #streams = new Set<ServerResponse>();
  /** Those that have not been told the newest. */
  readonly #late = new Set<ServerResponse>();
  #newest = "";

  /** How many tabs are told. */
  get size(): number {
    return this.#streams.size;
  }

  /** Bytes that tabs have not read yet and that are kept for them. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const stream of this.#streams) bytes += stream.writableLength;
    return bytes;
  }

  /** @param now what a new tab is told at once */
  add(response: ServerResponse, now: string): void {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.write(`retry: ${RETRY_MS}\n\n`);
    response.write(eventOf(now));
    this.#streams.add(response);
    const forget = (): void => {
      this.#streams.delete(response);
      this.#late.delete(response);
    };
    response.on("close", forget).on("error", forget);
    response.on("drain", () => {
      if (this.#late.delete(response)) response.write(this.#newest);
    });
  }

  /** @param data one line */
  tell(data: string): void {
    this.#newest = eventOf(data);
    for (const stream of this.#streams) {
      if (stream.writableNeedDrain) this.#late.add(stream);
      else stream.write(this.#newest);
    }
  }
}

function eventOf(data: string): string {
  return `data: ${data}\n\n`;
}
