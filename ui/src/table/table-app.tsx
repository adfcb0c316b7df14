import { useEffect } from "preact/hooks";
import { Header } from "../components/header.js";
import { Grid } from "./grid.js";
import { RowDetails } from "./row-details.js";
import type { TableState } from "./state.js";
import { TableHelp } from "./table-help.js";
import { TableToolbar } from "./table-toolbar.js";
import "./table.css";

export function TableApp({ state }: { state: TableState }) {
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => pageKey(event, state);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, [state]);
  const { metadata, kind } = state.data;
  return (
    <div class="page table-page">
      <Header metadata={metadata} kind={kind} heldBytes={state.whole.bytes} helpOpen={state.helpOpen} />
      <TableToolbar state={state} />
      <main class="table-main">
        <Grid state={state} />
      </main>
      <RowDetails state={state} />
      <TableHelp state={state} />
      <div class="unseen" role="status" aria-live="polite">
        {state.announcement}
      </div>
    </div>
  );
}

/** Keys that work wherever the focus is. */
function pageKey(event: KeyboardEvent, state: TableState): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || state.helpOpen.value) return;
  const target = event.target as HTMLElement;
  if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
  if (event.key === "/") document.getElementById("search")?.focus();
  else if (event.key === "?") state.helpOpen.value = true;
  else return;
  event.preventDefault();
}
