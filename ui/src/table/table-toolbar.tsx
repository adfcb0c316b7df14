import type { Signal } from "@preact/signals";
import { Choice } from "../components/choice.js";
import { CloseIcon, CopyIcon, DownloadIcon, SearchIcon } from "../components/icons.js";
import { Toggle } from "../components/toggle.js";
import { copyText, download, fileName } from "../download.js";
import { formatCount } from "../model/format.js";
import { visible } from "../model/names.js";
import { csvOf } from "./csv.js";
import type { TableState } from "./state.js";

/** What the table shows, and ways to take it along. */
export function TableToolbar({ state }: { state: TableState }) {
  const { threads, allocators, metadata } = state.data;
  const csv = () => csvOf(state.data, state.rows.value, state.shown.value);
  const copy = async (): Promise<void> => {
    const rows = rowsText(state.shown.value.length);
    try {
      await copyText([...csv()].join(""));
      state.announcement.value = `Copied ${rows}.`;
    } catch (error) {
      state.announcement.value = `Nothing was copied: ${error instanceof Error ? error.message : String(error)}.`;
    }
  };
  return (
    <div class="toolbar" role="toolbar" aria-label="Table options">
      <TableSearch state={state} />
      <fieldset class="group">
        <legend>Line</legend>
        <Choice
          value={state.place}
          options={[
            {
              value: "owner",
              label: "your code",
              title: "The innermost line of your program answers for the memory",
            },
            { value: "frame", label: "innermost frame", title: "The function that called the allocator" },
          ]}
        />
      </fieldset>
      {allocators.length > 1 ? <Filter label="Allocator" value={state.allocator} names={allocators} /> : null}
      {threads.length > 1 ? (
        <>
          <Filter label="Thread" value={state.thread} names={threads} />
          <Toggle on={state.splitThreads} title="A row for each thread, instead of one for all of them">
            split threads
          </Toggle>
        </>
      ) : null}
      <div class="group last">
        <button type="button" class="toggle with-icon" onClick={copy} title="Copy the rows that are left as CSV">
          <CopyIcon /> Copy CSV
        </button>
        <button
          type="button"
          class="toggle with-icon"
          onClick={() => download(fileName("table", metadata), "text/csv", csv())}
          title="Download the rows that are left as CSV"
        >
          <DownloadIcon /> Download CSV
        </button>
      </div>
    </div>
  );
}

function rowsText(count: number): string {
  return count === 1 ? "1 row" : `${formatCount(count)} rows`;
}

interface FilterProps {
  readonly label: string;
  readonly value: Signal<number>;
  readonly names: readonly string[];
}

function Filter({ label, value, names }: FilterProps) {
  return (
    <label class="group">
      <span>{label}</span>
      <select
        value={value.value}
        onChange={(event) => {
          value.value = Number(event.currentTarget.value);
        }}
      >
        <option value={-1}>all</option>
        {names.map((name, index) => (
          <option key={name} value={index}>
            {visible(name)}
          </option>
        ))}
      </select>
    </label>
  );
}

function TableSearch({ state }: { state: TableState }) {
  const query = state.query.value;
  const clear = (): void => {
    state.search.value = "";
  };
  return (
    <search class="search" data-state={query.state}>
      <SearchIcon />
      <input
        id="search"
        type="text"
        placeholder="Search functions, files and source, or /regex/"
        aria-label="Search functions, files and source"
        aria-describedby="search-result"
        autocomplete="off"
        spellcheck={false}
        value={state.search.value}
        onInput={(event) => {
          state.search.value = event.currentTarget.value;
          state.selected.value = -1;
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape" && state.search.value !== "") clear();
          else if (event.key === "Escape") event.currentTarget.blur();
          else if (event.key === "Enter" || event.key === "ArrowDown") document.getElementById("table")?.focus();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <output id="search-result" for="search">
        {query.state === "bad" ? <span title={query.reason}>not a regular expression</span> : null}
        {query.state === "ready" ? rowsText(state.shown.value.length) : null}
      </output>
      {state.search.value === "" ? (
        <kbd>/</kbd>
      ) : (
        <button type="button" class="clear" onClick={clear} aria-label="Clear the search">
          <CloseIcon />
        </button>
      )}
    </search>
  );
}
