/** Tickets that were asked for before: most visitors load theirs several times. */
export class TicketCache {
  readonly #tickets = new Map<string, Buffer>();

  get size(): number {
    return this.#tickets.size;
  }

  get(key: string, render: () => Buffer): Buffer {
    let ticket = this.#tickets.get(key);
    if (ticket === undefined) {
      ticket = render();
      this.#tickets.set(key, ticket);
    }
    return ticket;
  }
}
