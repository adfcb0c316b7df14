// biome-ignore-all lint/a11y/useSemanticElements: a table element cannot scroll a million rows of which it has forty
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and names the row that is active
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid has the keys
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ChevronIcon } from "../components/icons.js";
import { NOTHING } from "../describe.js";
import { copyText } from "../download.js";
import { fillOf } from "../graph/palette.js";
import { formatBytes, formatCount, formatPercent } from "../model/format.js";
import { visible } from "../model/names.js";
import { theme } from "../theme.js";
import { csvOf } from "./csv.js";
import type { ColumnName } from "./sort.js";
import type { TableState } from "./state.js";
import { rowTexts } from "./texts.js";
import { contentHeight, ROW_HEIGHT, rowWindow, type Scroll, scrollTo } from "./window.js";

const COLUMNS: readonly { readonly name: ColumnName; readonly label: string }[] = [
  { name: "bytes", label: "Size" },
  { name: "allocations", label: "Allocations" },
  { name: "allocator", label: "Allocator" },
  { name: "thread", label: "Thread" },
  { name: "function", label: "Function" },
  { name: "location", label: "Location" },
  { name: "source", label: "Source" },
];

/** The table: heads to sort by, the rows on the screen, and the sums of all that are left. */
export function Grid({ state }: { state: TableState }) {
  const scroller = useRef<HTMLDivElement>(null);
  const scroll = useSignal<Scroll>({ top: 0, height: 600 });
  const shown = state.shown.value;
  const count = shown.length;
  const selected = state.selected.value;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = (): void => {
      scroll.value = { top: element.scrollTop, height: element.clientHeight };
      // The scroller's bar has its room beside the heads and the sums too.
      element.parentElement?.style.setProperty("--scroll-bar", `${element.offsetWidth - element.clientWidth}px`);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [scroll]);
  // Other rows, another order: back to the first of them.
  useEffect(() => {
    if (scroller.current && shown.length > 0) scroller.current.scrollTop = 0;
  }, [shown]);

  const select = (index: number): void => {
    if (count === 0) return;
    state.selected.value = Math.max(0, Math.min(count - 1, index));
    if (scroller.current) scroller.current.scrollTop = scrollTo(state.selected.value, count, scroll.value);
  };
  const { first, end, offset } = rowWindow(count, scroll.value);
  return (
    <div
      id="table"
      class="table"
      data-split={state.splitThreads.value}
      role="grid"
      aria-label="Allocations"
      aria-rowcount={count + 2}
      aria-colcount={COLUMNS.length}
      aria-activedescendant={selected >= first && selected < end ? `row-${selected}` : undefined}
      tabIndex={0}
      onKeyDown={(event) => gridKey(event, state, select, Math.floor(scroll.value.height / ROW_HEIGHT))}
    >
      <Heads state={state} />
      <div
        class="table-scroller"
        ref={scroller}
        tabIndex={-1}
        onScroll={(event) => {
          scroll.value = { top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight };
        }}
      >
        <div class="table-spacer" style={{ height: `${contentHeight(count)}px` }}>
          <div class="table-window" style={{ height: `${Math.min(scroll.value.height, contentHeight(count))}px` }}>
            <div style={{ transform: `translateY(${offset}px)` }}>
              {Array.from(shown.subarray(first, end), (row, i) => (
                <Row key={first + i} state={state} row={row} index={first + i} onSelect={select} />
              ))}
            </div>
          </div>
        </div>
      </div>
      {count === 0 ? <p class="empty">{emptyText(state)}</p> : null}
      <Totals state={state} />
    </div>
  );
}

function Heads({ state }: { state: TableState }) {
  const { column, descending } = state.sort.value;
  return (
    <div class="table-row table-heads" role="row" aria-rowindex={1}>
      {COLUMNS.map(({ name, label }) => (
        <div
          key={name}
          class={`cell ${name}`}
          role="columnheader"
          aria-sort={name !== column ? "none" : descending ? "descending" : "ascending"}
        >
          <button
            type="button"
            onClick={() => state.sortBy(name)}
            data-order={name === column ? descending : undefined}
          >
            {label}
            <ChevronIcon />
          </button>
        </div>
      ))}
    </div>
  );
}

interface RowProps {
  readonly state: TableState;
  readonly row: number;
  /** Among the rows shown. */
  readonly index: number;
  readonly onSelect: (index: number) => void;
}

function Row({ state, row, index, onSelect }: RowProps) {
  const texts = rowTexts(state.data, state.rows.value, row);
  const share = state.whole.bytes === 0 ? 0 : texts.bytes / state.whole.bytes;
  return (
    <div
      id={`row-${index}`}
      class="table-row"
      role="row"
      aria-rowindex={index + 2}
      aria-selected={index === state.selected.value}
      onClick={() => onSelect(index)}
    >
      <Cell name="bytes">
        <span class="share-bar" style={{ width: `${(share * 100).toFixed(2)}%` }} />
        <span>{formatBytes(texts.bytes)}</span>
        <span class="quiet">{formatPercent(texts.bytes, state.whole.bytes)}</span>
      </Cell>
      <Cell name="allocations">{formatCount(texts.allocations)}</Cell>
      <Cell name="allocator">{texts.allocator}</Cell>
      <Cell name="thread" text={visible(texts.thread)} />
      <Cell name="function">
        <span class="swatch" style={{ background: fillOf(theme.value, texts.category) }} />
        <bdi title={texts.function}>{texts.function}</bdi>
      </Cell>
      <Cell name="location" text={texts.location} />
      <Cell name="source" text={texts.source} />
    </div>
  );
}

interface CellProps {
  readonly name: ColumnName;
  /** Of the program's own; shown whole when pointed at. */
  readonly text?: string;
  readonly children?: ComponentChildren;
}

function Cell({ name, text, children }: CellProps) {
  return (
    <div class={`cell ${name}`} role="gridcell">
      {text === undefined ? children : <bdi title={text}>{text}</bdi>}
    </div>
  );
}

function Totals({ state }: { state: TableState }) {
  const { bytes, allocations } = state.totals.value;
  const count = state.shown.value.length;
  return (
    <div class="table-row table-totals" role="row" aria-rowindex={count + 2}>
      <Cell name="bytes">
        <span>{formatBytes(bytes)}</span>
        <span class="quiet">{formatPercent(bytes, state.whole.bytes)}</span>
      </Cell>
      <Cell name="allocations">{formatCount(allocations)}</Cell>
      <Cell name="function">Total of {count === 1 ? "1 row" : `${formatCount(count)} rows`}</Cell>
    </div>
  );
}

function emptyText(state: TableState): string {
  if (state.data.rows.frame.length > 0) return "No row is left: nothing matches.";
  return NOTHING[state.data.kind];
}

function gridKey(event: KeyboardEvent, state: TableState, select: (index: number) => void, page: number): void {
  const selected = state.selected.value;
  if ((event.ctrlKey || event.metaKey) && event.key === "c") {
    const row = state.shown.value[selected];
    if (row === undefined || getSelection()?.isCollapsed === false) return;
    copyText([...csvOf(state.data, state.rows.value, [row])].join("")).then(
      () => {
        state.announcement.value = "Copied the row.";
      },
      (error: unknown) => {
        state.announcement.value = `Nothing was copied: ${String(error)}.`;
      },
    );
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const moves: Record<string, number> = {
    ArrowDown: selected + 1,
    ArrowUp: selected - 1,
    PageDown: selected + page,
    PageUp: selected - page,
    Home: 0,
    End: Number.MAX_SAFE_INTEGER,
  };
  const next = moves[event.key];
  if (next !== undefined) select(next);
  else if (event.key === "Escape") state.selected.value = -1;
  else return;
  event.preventDefault();
}
