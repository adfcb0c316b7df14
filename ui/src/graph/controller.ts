import { effect, untracked } from "@preact/signals";
import type { FlameGraphData } from "../../../src/reporters/flamegraph-data.js";
import { amountText, frameTexts, spoken } from "../describe.js";
import { changeText, spokenChange } from "../describe-change.js";
import { nodeAt, visibleDepth } from "../model/layout.js";
import { type Move, move } from "../model/navigate.js";
import type { CallTree } from "../model/tree.js";
import { clampView, interpolate, pan, reveal, type View, viewOf, WHOLE, zoomAbout } from "../model/view.js";
import type { PageState } from "../state.js";
import { changeFill } from "./change-palette.js";
import { depthAt, drawScene, FONT, type Label, NARROWEST, ROW_HEIGHT, type Rows, rowTop } from "./draw.js";
import { TextFitter } from "./text.js";

const ANIMATION_MS = 260;
/** Pointer travel, in pixels, that makes a drag out of a click. */
const DRAG_THRESHOLD = 4;

interface Animation {
  readonly from: View;
  readonly to: View;
  readonly fromScroll: number;
  readonly toScroll: number;
  readonly began: number;
}

/** Owns the canvas: draws the tree, and turns pointer and keys into changes of the page's state. */
export class GraphController {
  readonly #state: PageState;
  readonly #scroller: HTMLElement;
  readonly #spacer: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #fitter: TextFitter;
  readonly #labels = new Map<number, Label>();
  readonly #cleanups: (() => void)[] = [];
  #view: View = WHOLE;
  #animation: Animation | undefined;
  #tree: CallTree | undefined;
  /** What that tree was made of, and the frame that it was zoomed to. */
  #data: FlameGraphData | undefined;
  #zoomed = 0;
  #hovered = -1;
  #width = 0;
  #height = 0;
  #contentHeight = 0;
  #requested = 0;
  #drag: { readonly x: number; readonly y: number; lastX: number; lastY: number; moved: boolean } | undefined;

  constructor(state: PageState, scroller: HTMLElement, spacer: HTMLElement, canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser cannot draw on a canvas");
    this.#state = state;
    this.#scroller = scroller;
    this.#spacer = spacer;
    this.#canvas = canvas;
    this.#context = context;
    context.font = FONT;
    this.#fitter = new TextFitter((text) => context.measureText(text).width);

    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(scroller);
    this.#cleanups.push(() => observer.disconnect());
    this.#listen();
    this.#resize();
    this.#cleanups.push(
      effect(() => {
        const tree = state.tree.value;
        const orientation = state.orientation.value;
        const zoomed = state.zoomed.value;
        untracked(() => this.#goTo(tree, zoomed, orientation));
      }),
      effect(() => {
        state.palette.value;
        state.matches.value;
        state.selected.value;
        this.#request();
      }),
    );
  }

  dispose(): void {
    cancelAnimationFrame(this.#requested);
    for (const cleanup of this.#cleanups) cleanup();
  }

  /** Undoes panning and wheel zooming first, then the last zoom to a frame. */
  back(): void {
    const target = viewOf(this.#state.tree.value, this.#state.zoomed.value);
    if (Math.abs(target.start - this.#view.start) + Math.abs(target.end - this.#view.end) > 1e-6 && !this.#animation) {
      this.#animate(target, this.#scroller.scrollTop);
    } else {
      this.#state.zoomBack();
    }
  }

  reset(): void {
    this.#state.zoomTo(0);
    this.#goTo(this.#state.tree.value, 0, this.#state.orientation.value);
  }

  /** Follows the selection of another part of the page: brings the frame into sight. */
  show(node: number): void {
    const tree = this.#state.tree.value;
    const view = reveal(this.#view, viewOf(tree, node));
    this.#measure(view);
    this.#animate(view, this.#scrollFor(node, false));
  }

  #goTo(tree: CallTree, zoomed: number, orientation: Rows["orientation"]): void {
    const target = viewOf(tree, zoomed);
    const jump = this.#tree !== tree || this.#canvas.dataset.orientation !== orientation;
    const { data } = this.#state;
    const before = this.#tree;
    if (before && jump && data !== this.#data && this.#canvas.dataset.orientation === orientation) {
      this.#follow(before, tree, zoomed);
      return;
    }
    this.#tree = tree;
    this.#data = data;
    this.#zoomed = zoomed;
    this.#canvas.dataset.orientation = orientation;
    this.#measure(target);
    if (jump) {
      this.#animation = undefined;
      this.#view = target;
      this.#hovered = -1;
      this.#state.tip.value = undefined;
      this.#scroller.scrollTop = this.#scrollFor(zoomed, true);
      this.#request();
    } else {
      this.#animate(target, this.#scrollFor(zoomed, false));
    }
  }

  /** Shows other data of the same program: what is on the screen stays there as far as it can. */
  #follow(before: CallTree, tree: CallTree, zoomed: number): void {
    const from = viewOf(before, this.#zoomed);
    const to = viewOf(tree, zoomed);
    const scale = (to.end - to.start) / (from.end - from.start);
    const moved = ({ start, end }: View): View =>
      clampView({ start: to.start + (start - from.start) * scale, end: to.start + (end - from.start) * scale });
    this.#tree = tree;
    this.#data = this.#state.data;
    this.#zoomed = zoomed;
    this.#labels.clear();
    this.#view = moved(this.#view);
    if (this.#animation) {
      const { from, to, ...rest } = this.#animation;
      this.#animation = { ...rest, from: moved(from), to: moved(to) };
    }
    const tip = this.#state.tip.peek();
    this.#hovered = tip?.pointer ? tip.node : -1;
    this.#measure(this.#animation?.to ?? this.#view);
    this.#request();
  }

  /** Makes room for all levels that are, or will be, on the screen. In a flame graph the floor stays where it is. */
  #measure(target: View): void {
    const tree = this.#state.tree.value;
    const levels = visibleDepth(tree, target, this.#width, NARROWEST);
    const height = Math.max(levels * ROW_HEIGHT + 4, this.#height);
    if (height === this.#contentHeight) return;
    const fromBottom = this.#contentHeight - this.#scroller.scrollTop;
    this.#contentHeight = height;
    this.#spacer.style.height = `${height}px`;
    if (this.#state.orientation.peek() === "flame") this.#scroller.scrollTop = height - fromBottom;
  }

  /** The scroll position that shows a frame and what it called; the current one if that does already. */
  #scrollFor(node: number, always: boolean): number {
    const tree = this.#state.tree.value;
    const rows = this.#rows();
    const top = rowTop(rows, tree.depth[node] as number);
    const most = Math.max(0, this.#contentHeight - this.#height);
    const icicle = rows.orientation === "icicle";
    const fromEdge = icicle ? top : this.#height - top - ROW_HEIGHT;
    if (!always && fromEdge >= 0 && fromEdge < this.#height * 0.6) return Math.min(most, rows.scrollTop);
    const wanted = 2 * ROW_HEIGHT;
    const scroll = icicle ? rows.scrollTop + top - wanted : rows.scrollTop + top + ROW_HEIGHT - this.#height + wanted;
    return Math.min(most, Math.max(0, scroll));
  }

  #animate(to: View, toScroll: number): void {
    const from = this.#view;
    const fromScroll = this.#scroller.scrollTop;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#animation = undefined;
      this.#view = to;
      this.#scroller.scrollTop = toScroll;
    } else {
      this.#animation = { from, to, fromScroll, toScroll, began: performance.now() };
    }
    this.#request();
  }

  #request(): void {
    if (this.#requested === 0) this.#requested = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#requested = 0;
    const animation = this.#animation;
    if (animation) {
      const t = Math.min(1, Math.max(0, (now - animation.began) / ANIMATION_MS));
      const eased = 1 - (1 - t) ** 3;
      this.#view = interpolate(animation.from, animation.to, eased);
      this.#scroller.scrollTop = animation.fromScroll + (animation.toScroll - animation.fromScroll) * eased;
      if (t >= 1) this.#animation = undefined;
      else this.#request();
    }
    const state = this.#state;
    const tree = state.tree.peek();
    const change = state.change.peek();
    drawScene(this.#context, {
      tree,
      view: this.#view,
      rows: this.#rows(),
      width: this.#width,
      palette: state.palette.peek(),
      fill: change && ((node) => changeFill(state.palette.peek().theme, change, tree.metric, node)),
      label: (frame) => this.#label(frame),
      amount: (node) => (change ? changeText(change, tree.metric, node) : amountText(tree, node)),
      matches: state.matches.peek(),
      zoomed: state.zoomed.peek(),
      pixel: 1 / (window.devicePixelRatio || 1),
      hovered: this.#hovered,
      // Nobody chose the root; marking it would only be noise, until the keyboard starts from there.
      selected: state.selected.peek() || (this.#scroller.matches(":focus-visible") ? 0 : -1),
      fitter: this.#fitter,
    });
  }

  #label(frame: number): Label {
    let label = this.#labels.get(frame);
    if (!label) {
      const texts = frameTexts(this.#state.data, frame);
      label = { name: texts.name, place: texts.shortPlace };
      this.#labels.set(frame, label);
    }
    return label;
  }

  #rows(): Rows {
    return {
      orientation: this.#state.orientation.peek(),
      contentHeight: this.#contentHeight,
      scrollTop: this.#scroller.scrollTop,
      viewportHeight: this.#height,
    };
  }

  #resize(): void {
    const width = this.#scroller.clientWidth;
    const height = this.#scroller.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    if (width === this.#width && height === this.#height && this.#canvas.width === Math.round(width * ratio)) return;
    this.#width = width;
    this.#height = height;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#measure(this.#animation?.to ?? this.#view);
    if (this.#state.orientation.peek() === "flame" && this.#view === WHOLE)
      this.#scroller.scrollTop = this.#contentHeight;
    // Drawn at once: a resized canvas is blank, and would flash until the next frame.
    this.#draw(performance.now());
  }

  #nodeUnder(event: PointerEvent | MouseEvent): number {
    const box = this.#canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / this.#width;
    const place = this.#view.start + (this.#view.end - this.#view.start) * x;
    return nodeAt(this.#state.tree.peek(), depthAt(this.#rows(), event.clientY - box.top), place);
  }

  #hover(node: number, event?: PointerEvent, redraw = false): void {
    const tip = this.#state.tip;
    tip.value = node === -1 || !event ? undefined : { node, pointer: { x: event.clientX, y: event.clientY } };
    if (node === this.#hovered && !redraw) return;
    this.#hovered = node;
    this.#canvas.style.cursor = node === -1 ? "default" : "pointer";
    this.#request();
  }

  #listen(): void {
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      listener: (event: HTMLElementEventMap[K]) => void,
      options?: AddEventListenerOptions,
    ): void => {
      this.#scroller.addEventListener(type, listener, options);
      this.#cleanups.push(() => this.#scroller.removeEventListener(type, listener, options));
    };
    on("scroll", () => this.#request());
    on("keydown", (event) => this.#key(event));
    on("focus", () => this.#request());
    on("blur", () => this.#hover(-1, undefined, true));
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("pointerdown", (event) => {
      if (event.button !== 0 || event.target !== this.#canvas || event.pointerType === "touch") return;
      this.#drag = { x: event.clientX, y: event.clientY, lastX: event.clientX, lastY: event.clientY, moved: false };
    });
    on("pointermove", (event) => this.#pointerMove(event));
    on("pointerup", () => this.#canvas.classList.remove("dragging"));
    on("pointercancel", () => {
      this.#drag = undefined;
      this.#canvas.classList.remove("dragging");
    });
    on("pointerleave", () => this.#hover(-1));
    on("click", (event) => {
      const dragged = this.#drag?.moved === true;
      this.#drag = undefined;
      // The second click of a double click would land on whatever has moved under the pointer.
      if (dragged || event.detail > 1 || event.target !== this.#canvas) return;
      const node = this.#nodeUnder(event);
      if (node === -1) return;
      this.#state.tip.value = undefined;
      this.#zoomTo(node);
    });
  }

  #zoomTo(node: number): void {
    const state = this.#state;
    if (state.zoomed.peek() === node) this.#goTo(state.tree.peek(), node, state.orientation.peek());
    state.zoomTo(node);
    this.#announce(node);
  }

  #pointerMove(event: PointerEvent): void {
    const drag = this.#drag;
    if (!drag || event.buttons === 0) {
      this.#drag = undefined;
      this.#hover(event.target === this.#canvas ? this.#nodeUnder(event) : -1, event);
      return;
    }
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG_THRESHOLD) return;
    if (!drag.moved) {
      drag.moved = true;
      this.#scroller.setPointerCapture(event.pointerId);
      this.#canvas.classList.add("dragging");
    }
    this.#animation = undefined;
    this.#view = pan(this.#view, (drag.lastX - event.clientX) / this.#width);
    this.#scroller.scrollTop += drag.lastY - event.clientY;
    drag.lastX = event.clientX;
    drag.lastY = event.clientY;
    this.#hover(-1);
    this.#request();
  }

  #wheel(event: WheelEvent): void {
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      const box = this.#canvas.getBoundingClientRect();
      const factor = Math.exp(Math.max(-80, Math.min(80, event.deltaY * unit)) * 0.006);
      this.#free(zoomAbout(this.#view, (event.clientX - box.left) / this.#width, factor));
    } else if (sideways !== 0 && Math.abs(sideways) >= Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      this.#free(pan(this.#view, (sideways * unit) / this.#width));
    } else {
      this.#hover(-1);
      return;
    }
    event.preventDefault();
    this.#hover(this.#nodeUnder(event));
  }

  /** A view of the user's own making, not that of a frame. */
  #free(view: View): void {
    this.#animation = undefined;
    this.#view = view;
    this.#measure(view);
    this.#request();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const icicle = this.#state.orientation.peek() === "icicle";
    const moves: Record<string, Move> = {
      ArrowDown: icicle ? "child" : "parent",
      ArrowUp: icicle ? "parent" : "child",
      ArrowRight: "next",
      ArrowLeft: "previous",
      Home: "root",
    };
    const step = moves[event.key];
    if (step !== undefined) this.#moveTo(move(this.#state.tree.peek(), this.#state.selected.peek(), step));
    else if (event.key === "Enter" || event.key === " ") this.#zoomTo(this.#state.selected.peek());
    else if (event.key === "+" || event.key === "=") this.#free(zoomAbout(this.#view, 0.5, 0.7));
    else if (event.key === "-") this.#free(zoomAbout(this.#view, 0.5, 1 / 0.7));
    else if (event.key === "0") this.reset();
    else return;
    event.preventDefault();
  }

  #moveTo(node: number): void {
    const tree = this.#state.tree.peek();
    this.#state.select(node);
    this.#hovered = -1;
    const span = viewOf(tree, node);
    // Wider than the screen is fine as long as a part of it shows.
    const inSight = span.start < this.#view.end && span.end > this.#view.start;
    const view =
      inSight && span.end - span.start > this.#view.end - this.#view.start ? this.#view : reveal(this.#view, span);
    this.#measure(view);
    this.#animation = undefined;
    this.#view = view;
    this.#scroller.scrollTop = this.#scrollToSee(node);
    this.#request();
    this.#announce(node);
    this.#state.tip.value = { node };
  }

  /** The smallest scroll that leaves two levels of context around a frame. */
  #scrollToSee(node: number): number {
    const rows = this.#rows();
    const top = rowTop(rows, this.#state.tree.peek().depth[node] as number) + rows.scrollTop;
    const margin = 2 * ROW_HEIGHT;
    if (top - margin < rows.scrollTop) return Math.max(0, top - margin);
    const bottom = top + ROW_HEIGHT + margin;
    return bottom > rows.scrollTop + this.#height ? bottom - this.#height : rows.scrollTop;
  }

  #announce(node: number): void {
    const change = this.#state.change.peek();
    const spokenOf = change ? spokenChange(change) : spoken;
    this.#state.announcement.value = spokenOf(
      this.#state.data,
      this.#state.tree.peek(),
      node,
      this.#state.inverted.peek(),
    );
  }
}
