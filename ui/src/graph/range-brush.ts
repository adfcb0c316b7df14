import { effect } from "@preact/signals";
import type uPlot from "uplot";
import type { RangePart } from "../model/time-range.js";
import type { RangeState } from "../range-state.js";

/** Pointer travel, in pixels, that makes a new range out of a click. */
const DRAG_THRESHOLD = 4;
/** A tenth of all intervals is a page. */
const PAGE = 0.1;

const NAMES: Readonly<Record<RangePart, string>> = {
  start: "Start of the range",
  end: "End of the range",
  whole: "Range of time",
};

interface Drag {
  /** What is moved; a new range is drawn where nothing is. */
  readonly part: RangePart | undefined;
  readonly x: number;
  readonly ms: number;
  readonly fromMs: number;
  readonly toMs: number;
  moved: boolean;
}

/** The range of time on the memory chart: drawn, moved and resized by pointer and keys. */
export class RangeBrush {
  readonly #plot: uPlot;
  readonly #time: RangeState;
  readonly #layer = document.createElement("div");
  readonly #before = element("brush-outside");
  readonly #after = element("brush-outside");
  readonly #highest = element("brush-highest");
  readonly #parts: Readonly<Record<RangePart, HTMLElement>>;
  readonly #stop: () => void;
  #drag: Drag | undefined;
  #pending: (() => void) | undefined;
  #requested = 0;

  constructor(plot: uPlot, time: RangeState) {
    this.#plot = plot;
    this.#time = time;
    this.#parts = { start: this.#slider("start"), end: this.#slider("end"), whole: this.#slider("whole") };
    this.#layer.className = "brush";
    const { start, end, whole } = this.#parts;
    this.#layer.append(this.#before, this.#after, this.#highest, whole, start, end);
    plot.over.append(this.#layer);
    this.#listen();
    this.#stop = effect(() => {
      this.place();
      // The chart's mark is that of the range.
      plot.redraw(false, false);
    });
  }

  /** Puts everything where the range is, on a chart that may have another size. */
  place(): void {
    const { range, edges, highest, fromMs, toMs, intervals } = this.#time;
    const { first, last } = range.value;
    const left = this.#x(fromMs);
    const right = this.#x(toMs);
    this.#before.style.cssText = `left:0;width:${left}px`;
    this.#after.style.cssText = `left:${right}px;right:0`;
    this.#parts.whole.style.cssText = `left:${left}px;width:${Math.max(0, right - left)}px`;
    this.#parts.start.style.left = `${left}px`;
    this.#parts.end.style.left = `${right}px`;
    const interval = highest.value;
    this.#highest.hidden = interval === undefined;
    if (interval !== undefined) {
      const from = this.#x(edges[interval] as number);
      const width = Math.max(2, this.#x(edges[interval + 1] as number) - from);
      this.#highest.style.cssText = `left:${from}px;width:${width}px`;
    }
    this.#tell("start", first, fromMs, 0, last);
    this.#tell("end", last, toMs, first, intervals - 1);
    this.#tell("whole", first, fromMs, 0, intervals - 1 - last + first);
    const whole = `${this.#time.textOf(fromMs)} to ${this.#time.textOf(toMs)}`;
    this.#parts.whole.setAttribute("aria-valuetext", whole);
  }

  dispose(): void {
    cancelAnimationFrame(this.#requested);
    this.#stop();
    this.#layer.remove();
  }

  #x(ms: number): number {
    return this.#plot.valToPos(ms, "x");
  }

  #slider(part: RangePart): HTMLElement {
    const slider = element(`brush-${part}`);
    slider.dataset.part = part;
    slider.tabIndex = 0;
    slider.setAttribute("role", "slider");
    slider.setAttribute("aria-label", NAMES[part]);
    slider.addEventListener("keydown", (event) => this.#key(event, part));
    return slider;
  }

  #tell(part: RangePart, now: number, ms: number, least: number, most: number): void {
    const slider = this.#parts[part];
    slider.setAttribute("aria-valuemin", String(least));
    slider.setAttribute("aria-valuemax", String(most));
    slider.setAttribute("aria-valuenow", String(now));
    slider.setAttribute("aria-valuetext", this.#time.textOf(ms));
  }

  #key(event: KeyboardEvent, part: RangePart): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const time = this.#time;
    const page = Math.max(1, Math.round(time.intervals * PAGE));
    const step = event.shiftKey ? page : 1;
    const moves: Record<string, number> = {
      ArrowLeft: -step,
      ArrowDown: -step,
      ArrowRight: step,
      ArrowUp: step,
      PageDown: -page,
      PageUp: page,
      Home: -time.intervals,
      End: time.intervals,
    };
    const by = moves[event.key];
    if (by !== undefined) time.move(part, by);
    else if (event.key === "Escape" && !time.isWhole) time.reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #listen(): void {
    const layer = this.#layer;
    layer.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const part = (event.target as HTMLElement).dataset.part as RangePart | undefined;
      const { fromMs, toMs, isWhole } = this.#time;
      // The whole run cannot be moved; who pulls at it wants a part of it.
      const moves = part === "whole" && isWhole ? undefined : part;
      this.#drag = { part: moves, x: event.clientX, ms: this.#msAt(event), fromMs, toMs, moved: false };
      layer.setPointerCapture(event.pointerId);
    });
    layer.addEventListener("pointermove", (event) => {
      const drag = this.#drag;
      if (!drag) return;
      if (!drag.moved && Math.abs(event.clientX - drag.x) < DRAG_THRESHOLD) return;
      drag.moved = true;
      const ms = this.#msAt(event);
      this.#soon(() => this.#follow(drag, ms));
    });
    layer.addEventListener("pointerup", () => this.#drop());
    layer.addEventListener("pointercancel", () => this.#drop());
    layer.addEventListener("dblclick", () => this.#time.reset());
  }

  #msAt(event: PointerEvent): number {
    return this.#plot.posToVal(event.clientX - this.#plot.over.getBoundingClientRect().left, "x");
  }

  #follow(drag: Drag, ms: number): void {
    const time = this.#time;
    if (drag.part === undefined) time.choose(drag.ms, ms);
    else if (drag.part === "start") time.choose(Math.min(ms, drag.toMs), drag.toMs);
    else if (drag.part === "end") time.choose(drag.fromMs, Math.max(ms, drag.fromMs));
    else time.shift(drag.fromMs + ms - drag.ms);
  }

  /** Once a frame at most: pointers report faster than anything can be drawn. */
  #soon(what: () => void): void {
    this.#pending = what;
    if (this.#requested !== 0) return;
    this.#requested = requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    cancelAnimationFrame(this.#requested);
    this.#requested = 0;
    this.#pending?.();
    this.#pending = undefined;
  }

  #drop(): void {
    this.#flush();
    this.#drag = undefined;
  }
}

function element(name: string): HTMLElement {
  const made = document.createElement("div");
  made.className = name;
  return made;
}
