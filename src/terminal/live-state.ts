import { languageOf } from "../capture/language.js";
import type { CaptureHeader } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import type { LiveEnd, LiveLocation, LiveLocations, LiveQuery, LiveState, LiveThread } from "../live/live-session.js";
import { placeLabel } from "../reporters/tree-label.js";

/** What a key did: what is shown changed; other locations are to be asked for; or what is to be done. */
export type LiveEffect = "changed" | "asks" | "pause" | "save" | "quit" | "interrupt" | "none";

export type SortKey = "total" | "own" | "allocations";

/** Which memory is shown, by what gave it. */
export interface LiveKind {
  readonly label: string;
  readonly allocators?: readonly AllocatorType[];
}

const ALL: LiveKind = { label: "all memory" };
const MALLOC: LiveKind = {
  label: "malloc only",
  allocators: [
    AllocatorType.MALLOC,
    AllocatorType.REALLOC,
    AllocatorType.CALLOC,
    AllocatorType.POSIX_MEMALIGN,
    AllocatorType.ALIGNED_ALLOC,
    AllocatorType.MEMALIGN,
    AllocatorType.VALLOC,
    AllocatorType.PVALLOC,
  ],
};
const MAPPINGS: LiveKind = { label: "mappings only", allocators: [AllocatorType.MMAP] };
const HEAP_PAGES: LiveKind = { label: "JavaScript heap pages only", allocators: [AllocatorType.HEAP_PAGES] };
const JS_OBJECTS: LiveKind = { label: "JavaScript objects only", allocators: [AllocatorType.JS_OBJECT] };

const PYTHON_BLOCKS: LiveKind = {
  label: "Python's own allocator only",
  allocators: [AllocatorType.PYMALLOC_MALLOC, AllocatorType.PYMALLOC_CALLOC, AllocatorType.PYMALLOC_REALLOC],
};

/** What can be told apart in a capture of that kind. */
function kindsOf({ runtime, options }: Pick<CaptureHeader, "runtime" | "options">): readonly LiveKind[] {
  if (languageOf(runtime) === "Python") {
    return [ALL, MALLOC, MAPPINGS, ...(options.tracePythonAllocators === true ? [PYTHON_BLOCKS] : [])];
  }
  return [ALL, MALLOC, MAPPINGS, options.traceJsHeap ? JS_OBJECTS : HEAP_PAGES];
}

const VALUES: Readonly<Record<SortKey, (row: LiveLocation) => number>> = {
  total: (row) => row.totalBytes,
  own: (row) => row.ownBytes,
  allocations: (row) => row.totalAllocations,
};

const NOTHING: LiveLocations = { rows: [], bytes: 0, allocations: 0 };

/** The live view as it is used: what is shown of the last figures, in which order, and what is selected. */
export class LiveViewState {
  /** Whether the keys are explained instead of the table shown. */
  helps = false;
  /** Whether what is shown stands still. */
  isPaused = false;
  /** Whether keys are the filter's text. */
  isTyping = false;
  /** What was done last, or went wrong. */
  message = "";
  end: LiveEnd | undefined;
  #now: LiveState;
  #locations = NOTHING;
  /** Whether locations have come. */
  hasLocations = false;
  #rows: readonly LiveLocation[] = [];
  readonly #kinds: readonly LiveKind[];
  #kind = 0;
  /** Index of the thread that is shown; undefined: all of them. */
  #thread: number | undefined;
  #sort: SortKey = "own";
  #reversed = false;
  #filter = "";
  #texts = new Map<number, string>();
  /** The selected row's id; none until one has moved. */
  #selected: number | undefined;
  #cursor = 0;
  #pageRows = 10;

  readonly #cwd: string;

  constructor(now: LiveState, header: Pick<CaptureHeader, "cwd" | "runtime" | "options">) {
    this.#now = now;
    this.#cwd = header.cwd;
    this.#kinds = kindsOf(header);
  }

  /** The figures that are shown. */
  get now(): LiveState {
    return this.#now;
  }

  set now(state: LiveState) {
    this.#now = state;
  }

  /** Of what is shown, all locations together. */
  get shown(): LiveLocations {
    return this.#locations;
  }

  /** The locations that pass the filter, in order. */
  get rows(): readonly LiveLocation[] {
    return this.#rows;
  }

  /** Index of the selected row; undefined where none is. */
  get cursor(): number | undefined {
    return this.#selected === undefined || this.#rows.length === 0 ? undefined : this.#cursor;
  }

  get sort(): SortKey {
    return this.#sort;
  }

  /** Whether the smallest come first. */
  get isReversed(): boolean {
    return this.#reversed;
  }

  get filter(): string {
    return this.#filter;
  }

  get kind(): LiveKind {
    return this.#kinds[this.#kind] as LiveKind;
  }

  /** The thread that is shown, and the how manieth it is; undefined: all of them. */
  get thread(): { readonly thread: LiveThread; readonly position: number } | undefined {
    const position = this.#now.threads.findIndex(({ index }) => index === this.#thread);
    const thread = this.#now.threads[position];
    return thread === undefined ? undefined : { thread, position };
  }

  /** What is to be asked for. */
  get query(): LiveQuery {
    return { thread: this.#thread, allocators: this.kind.allocators };
  }

  /** Takes what is live by location, as asked for with `query`. */
  set locations(locations: LiveLocations) {
    this.#locations = locations;
    this.hasLocations = true;
    this.#layOut();
  }

  /** Tells how many rows PAGE_UP and PAGE_DOWN go over. */
  setPageRows(rows: number): void {
    this.#pageRows = Math.max(1, rows);
  }

  /** @param key by terminal-kit's names */
  press(key: string): LiveEffect {
    if (key === "CTRL_C") return "interrupt";
    // It has been read by now.
    this.message = "";
    if (this.isTyping) return this.#type(key);
    if (key === "q") return "quit";
    if (this.helps || key === "?") {
      this.helps = !this.helps;
      return "changed";
    }
    return this.#actions.get(key)?.() ?? "none";
  }

  readonly #actions = new Map<string, () => LiveEffect>([
    ["UP", () => this.#move(-1)],
    ["DOWN", () => this.#move(1)],
    ["PAGE_UP", () => this.#move(-this.#pageRows)],
    ["PAGE_DOWN", () => this.#move(this.#pageRows)],
    ["HOME", () => this.#select(0)],
    ["END", () => this.#select(this.#rows.length - 1)],
    ["t", () => this.#sortBy("total")],
    ["o", () => this.#sortBy("own")],
    ["a", () => this.#sortBy("allocations")],
    ["m", () => this.#toggleMerged()],
    ["<", () => this.#goThroughThreads(-1)],
    ["LEFT", () => this.#goThroughThreads(-1)],
    [">", () => this.#goThroughThreads(1)],
    ["RIGHT", () => this.#goThroughThreads(1)],
    ["k", () => this.#nextKind()],
    ["p", () => "pause"],
    [" ", () => "pause"],
    ["s", () => "save"],
    ["/", () => this.#startTyping()],
    ["ESCAPE", () => this.#escape()],
  ]);

  #move(rows: number): LiveEffect {
    // The first step selects what is at the top.
    if (this.cursor === undefined) return this.#select(rows > 0 ? rows - 1 : 0);
    return this.#select(this.#cursor + rows);
  }

  #select(row: number): LiveEffect {
    this.#cursor = Math.max(0, Math.min(row, this.#rows.length - 1));
    this.#selected = this.#rows[this.#cursor]?.id;
    return "changed";
  }

  #sortBy(key: SortKey): LiveEffect {
    this.#reversed = this.#sort === key && !this.#reversed;
    this.#sort = key;
    this.#layOut();
    return "changed";
  }

  #toggleMerged(): LiveEffect {
    this.#thread = this.#thread === undefined ? this.#now.threads[0]?.index : undefined;
    return "asks";
  }

  #goThroughThreads(step: number): LiveEffect {
    const { threads } = this.#now;
    if (threads.length === 0) return "none";
    const from = this.thread?.position ?? (step > 0 ? -1 : 0);
    this.#thread = threads[(from + step + threads.length) % threads.length]?.index;
    return "asks";
  }

  #nextKind(): LiveEffect {
    this.#kind = (this.#kind + 1) % this.#kinds.length;
    return "asks";
  }

  #startTyping(): LiveEffect {
    this.isTyping = true;
    return "changed";
  }

  #escape(): LiveEffect {
    if (this.#filter !== "") return this.#filterBy("");
    this.#selected = undefined;
    this.#cursor = 0;
    this.message = "";
    return "changed";
  }

  #type(key: string): LiveEffect {
    if (key === "ESCAPE" || key === "ENTER" || key === "KP_ENTER") {
      this.isTyping = false;
      return this.#filterBy(key === "ESCAPE" ? "" : this.#filter);
    }
    if (key === "BACKSPACE") return this.#filterBy([...this.#filter].slice(0, -1).join(""));
    if (key === "CTRL_U") return this.#filterBy("");
    // Names of keys are longer than a character, and in capitals.
    if ([...key].length === 1) return this.#filterBy(this.#filter + key);
    return /^(?:UP|DOWN|PAGE_UP|PAGE_DOWN|HOME|END)$/.test(key) ? (this.#actions.get(key)?.() ?? "none") : "none";
  }

  #filterBy(text: string): LiveEffect {
    this.#filter = text;
    this.#layOut();
    return "changed";
  }

  /** The selected row stays so wherever it goes; where it is gone, the one in its place is selected. */
  #layOut(): void {
    const value = VALUES[this.#sort];
    const wanted = this.#filter.toLowerCase();
    const rows = this.#locations.rows.filter((row) => wanted === "" || this.#textOf(row).includes(wanted));
    const direction = this.#reversed ? -1 : 1;
    rows.sort(
      (a, b) =>
        direction * (value(b) - value(a)) || b.totalBytes - a.totalBytes || b.ownBytes - a.ownBytes || a.id - b.id,
    );
    this.#rows = rows;
    if (this.#selected === undefined) return;
    const at = rows.findIndex(({ id }) => id === this.#selected);
    if (at >= 0) this.#cursor = at;
    else if (rows.length > 0) this.#select(this.#cursor);
  }

  /** What is shown of it. */
  #textOf(row: LiveLocation): string {
    let text = this.#texts.get(row.id);
    if (text === undefined) {
      text = `${row.function} ${placeLabel(row, this.#cwd)}`.toLowerCase();
      this.#texts.set(row.id, text);
    }
    return text;
  }
}
