/** Allocations per second are those of about so long, milliseconds. */
const RATE_MS = 1000;

/** Where reading stands: in the program's time, behind it, and how fast the program allocates. Times are milliseconds. */
export class LivePace {
  /** Of the last snapshot: its time in the program, and when it was read. */
  #timeMs = 0;
  #readAt: number | undefined;
  /** How much later than it was taken a snapshot was read, at least; it includes by how much the clocks differ. */
  #leastDelay = Number.POSITIVE_INFINITY;
  #behindMs = 0;
  #startedAt: number | undefined;
  #marks: { readonly at: number; readonly allocations: number }[] = [];
  #elapsedMs = 0;

  snapshot(timeMs: number, now: number): void {
    this.#timeMs = timeMs;
    this.#readAt = now;
    this.#leastDelay = Math.min(this.#leastDelay, now - timeMs);
    this.#behindMs = now - timeMs - this.#leastDelay;
  }

  /** @param ended whether nothing more comes */
  at(
    now: number,
    allocations: number,
    ended: boolean,
  ): { allocationRate: number; behindMs: number; elapsedMs: number } {
    this.#startedAt ??= now;
    if (ended) {
      return { allocationRate: 0, behindMs: 0, elapsedMs: Math.max(this.#timeMs, this.#elapsedMs) };
    }
    const marks = this.#marks;
    marks.push({ at: now, allocations });
    while (marks.length > 2 && now - (marks[1]?.at ?? now) >= RATE_MS) marks.shift();
    const [first = { at: now, allocations }] = marks;
    const allocationRate = now > first.at ? (1000 * (allocations - first.allocations)) / (now - first.at) : 0;
    // Where there are few snapshots, the last one does not tell of now.
    const isNew = this.#readAt !== undefined && now - this.#readAt < RATE_MS;
    const behindMs = isNew ? this.#behindMs : 0;
    this.#elapsedMs = this.#readAt === undefined ? now - this.#startedAt : now - this.#leastDelay;
    return { allocationRate, behindMs, elapsedMs: this.#elapsedMs };
  }
}
