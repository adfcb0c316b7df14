import { useSignal } from "@preact/signals";
import { formatBytes, formatCount, formatPercent } from "../model/format.js";
import type { PageState } from "../state.js";
import type { GraphHandle } from "./app.js";
import { CloseIcon, SearchIcon } from "./icons.js";

export function SearchBox({ state, graph }: { state: PageState; graph: GraphHandle }) {
  /** Which match Enter goes to next; matches are visited from the largest down. */
  const next = useSignal(0);
  const visit = (step: number): void => {
    const nodes = state.matches.value?.nodes;
    if (!nodes || nodes.length === 0) return;
    const index = (next.value + (step < 0 ? -2 : 0) + nodes.length * 2) % nodes.length;
    next.value = index + 1;
    const node = nodes[index] as number;
    state.select(node);
    graph.current?.show(node);
  };
  const clear = (): void => {
    state.search.value = "";
    next.value = 0;
  };
  return (
    <search class="search" data-state={state.query.value.state}>
      <SearchIcon />
      <input
        id="search"
        type="text"
        placeholder="Search functions and files, or /regex/"
        aria-label="Search functions and files"
        aria-describedby="search-result"
        autocomplete="off"
        spellcheck={false}
        value={state.search.value}
        onInput={(event) => {
          state.search.value = event.currentTarget.value;
          next.value = 0;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") visit(event.shiftKey ? -1 : 1);
          else if (event.key === "Escape" && state.search.value !== "") clear();
          else if (event.key === "Escape") event.currentTarget.blur();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <output id="search-result" for="search">
        <SearchResult state={state} />
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

function SearchResult({ state }: { state: PageState }) {
  const query = state.query.value;
  const matches = state.matches.value;
  if (query.state === "bad") return <span title={query.reason}>not a regular expression</span>;
  if (!matches) return null;
  if (matches.nodes.length === 0) return <span>no match</span>;
  const tree = state.tree.value;
  const bytes = tree.metric === "bytes";
  const amount = bytes ? formatBytes(matches.bytes) : `${formatCount(matches.allocations)} allocations`;
  const share = bytes
    ? formatPercent(matches.bytes, tree.totalBytes[0] as number)
    : formatPercent(matches.allocations, tree.totalAllocations[0] as number);
  const frames = matches.nodes.length === 1 ? "1 frame" : `${formatCount(matches.nodes.length)} frames`;
  return (
    <>
      <b>{amount}</b> <span>{share}</span> <span class="quiet">in {frames}</span>
    </>
  );
}
