import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { changeFacts } from "../change-facts.js";
import type { GraphController } from "../graph/controller.js";
import type { PageState } from "../state.js";
import { ChangeLegend } from "./change-legend.js";
import { ChangedLines } from "./changed-lines.js";
import { Graph } from "./graph.js";
import { GraphHelp } from "./graph-help.js";
import { Header } from "./header.js";
import { Legend } from "./legend.js";
import { MemoryOverTime } from "./memory.js";
import { Toolbar } from "./toolbar.js";
import { Tooltip } from "./tooltip.js";
import { TopLines } from "./top-lines.js";

/** What parts of the page ask of the graph. */
export interface GraphHandle {
  current: GraphController | undefined;
}

export function App({ state }: { state: PageState }) {
  const graph: GraphHandle = useMemo(() => ({ current: undefined }), []);
  const linesOpen = useSignal(window.innerWidth >= 960);
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => pageKey(event, state, graph);
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, [state, graph]);
  const [Lines, Colours] = state.data.comparison ? [ChangedLines, ChangeLegend] : [TopLines, Legend];
  return (
    <div class="page">
      <Header
        metadata={state.data.metadata}
        kind={state.time?.view.value ?? state.data.kind}
        ranges={state.time !== undefined}
        heldBytes={state.heldBytes}
        helpOpen={state.helpOpen}
        instead={changeFacts(state.data)}
      />
      <MemoryOverTime data={state.data} time={state.time} />
      <Toolbar state={state} graph={graph} />
      <main class="workspace" data-lines={linesOpen.value ? "open" : "closed"}>
        <Graph state={state} graph={graph} />
        <Lines state={state} open={linesOpen} />
      </main>
      <Colours state={state} />
      <Tooltip state={state} />
      <GraphHelp state={state} />
      <div class="unseen" role="status" aria-live="polite">
        {state.announcement}
      </div>
    </div>
  );
}

/** Keys that work wherever the focus is. */
function pageKey(event: KeyboardEvent, state: PageState, graph: GraphHandle): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || state.helpOpen.value) return;
  const target = event.target as HTMLElement;
  const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (event.key === "Escape") {
    if (typing) return;
    graph.current?.back();
  } else if (typing) {
    return;
  } else if (event.key === "/") {
    document.getElementById("search")?.focus();
  } else if (event.key === "?") {
    state.helpOpen.value = true;
  } else {
    return;
  }
  event.preventDefault();
}
