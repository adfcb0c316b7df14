import { effect, untracked } from "@preact/signals";
import { decodeFlameGraph } from "../../../src/reporters/flamegraph-codec.js";
import type { FlameGraphData } from "../../../src/reporters/flamegraph-data.js";
import type { PageFigures } from "../../../src/reporters/live-page-data.js";
import { LiveState } from "./live-state.js";

/** From one graph to the next, milliseconds: the more the page needs for one, the longer, so that it has most time for its user. */
const LEAST_MS = 500;
const MOST_MS = 1000;
const REST = 15;

/** Keeps the page's state as new as it can be. */
export class LiveConnection {
  readonly #events = new EventSource("events");
  readonly #onState: (state: LiveState) => void;
  readonly #onTrouble: (message: string) => void;
  #state: LiveState | undefined;
  #figures: PageFigures | undefined;
  /** What the graph on the page is of. */
  #shown = "";
  #asking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onState called once, with the state
   * @param onTrouble called while there is none
   */
  constructor(onState: (state: LiveState) => void, onTrouble: (message: string) => void) {
    this.#onState = onState;
    this.#onTrouble = onTrouble;
    this.#events.onmessage = ({ data }: MessageEvent<string>) => this.#hear(JSON.parse(data) as PageFigures);
    this.#events.onerror = () => this.#lose();
    document.addEventListener("visibilitychange", () => this.#soon(0));
  }

  /** Saves what is held now as a report of its own. */
  async save(): Promise<Blob> {
    const response = await fetch("flamegraph");
    if (!response.ok) throw new Error((await response.text()).trim());
    return await response.blob();
  }

  #hear(figures: PageFigures): void {
    this.#figures = figures;
    const state = this.#state;
    if (figures.end !== undefined) this.#events.close();
    if (!state) {
      void this.#ask();
      return;
    }
    if (figures.end !== undefined) {
      // Nothing newer will come: also what is paused goes on to it, once it goes on.
      if (!state.paused.peek()) void this.#ask();
      state.connection.value = "ended";
    } else if (state.connection.peek() === "lost") {
      state.connection.value = "live";
      this.#soon(0);
    }
    if (!state.paused.peek()) state.tell(figures);
  }

  #lose(): void {
    if (this.#figures?.end !== undefined) return;
    if (this.#state) this.#state.connection.value = "lost";
    else this.#onTrouble("heapray does not answer; is it still running?");
  }

  /** The next graph after a while. */
  #soon(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  /** Gets a newer graph where one is wanted. */
  async #ask(): Promise<void> {
    if (this.#asking || document.hidden || this.#state?.paused.peek()) return;
    const query = this.#query();
    const now = `${query} ${this.#figures?.totalAllocations} ${this.#figures?.liveBytes} ${this.#figures?.end}`;
    if (now === this.#shown || this.#state?.connection.peek() === "lost") {
      if (this.#figures?.end === undefined) this.#soon(LEAST_MS);
      return;
    }
    this.#asking = true;
    let pauseMs = MOST_MS;
    const start = performance.now();
    try {
      const data = await graph(query);
      // It may have been paused meanwhile.
      if (this.#state?.paused.peek()) return;
      this.#shown = now;
      const took = this.#show(data);
      pauseMs = Math.min(MOST_MS, Math.max(LEAST_MS, REST * took));
    } catch (error) {
      if (!this.#state) this.#onTrouble((error as Error).message);
    } finally {
      this.#asking = false;
      this.#soon(Math.max(LEAST_MS, pauseMs - (performance.now() - start)));
    }
  }

  /** How long that took, milliseconds. */
  #show(data: FlameGraphData): number {
    const start = performance.now();
    const state = this.#state;
    if (state) {
      state.replace(data);
    } else {
      const made = new LiveState(data, this.#figures as PageFigures);
      if (this.#figures?.end !== undefined) made.connection.value = "ended";
      this.#state = made;
      this.#onState(made);
      this.#follow(made);
    }
    performance.measure("heapray:update", { start });
    return performance.now() - start;
  }

  /** Asks again when the user wants something else. */
  #follow(state: LiveState): void {
    effect(() => {
      state.page.thread.value;
      state.page.kind.value;
      const going = !state.paused.value;
      untracked(() => {
        if (!going) return;
        if (this.#figures) state.tell(this.#figures);
        this.#soon(0);
      });
    });
  }

  #query(): string {
    const parameters = new URLSearchParams();
    const page = this.#state?.page;
    const thread = page?.data.threads[page.thread.peek()];
    if (thread !== undefined) parameters.set("thread", thread);
    if (page && page.kind.peek() !== -1) parameters.set("kind", String(page.kind.peek()));
    return parameters.toString();
  }
}

async function graph(query: string): Promise<FlameGraphData> {
  const response = await fetch(`graph?${query}`);
  if (!response.ok) throw new Error((await response.text()).trim());
  return decodeFlameGraph(new Uint8Array(await response.arrayBuffer()));
}
