import { useSignal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { SnapshotTable } from "../../../src/reporters/flamegraph-data.js";
import { changeFacts } from "../change-facts.js";
import type { GraphController } from "../graph/controller.js";
import type { PageState } from "../state.js";
import { ChangeLegend } from "./change-legend.js";
import { ChangedLines } from "./changed-lines.js";
import { Graph } from "./graph.js";
import { GraphHelp } from "./graph-help.js";
import { type Fact, Header } from "./header.js";
import { Legend } from "./legend.js";
import { MemoryOverTime } from "./memory.js";
import { Toolbar } from "./toolbar.js";
import { Tooltip } from "./tooltip.js";
import { TopLines } from "./top-lines.js";

/** What parts of the page ask of the graph. */
export interface GraphHandle {
  current: GraphController | undefined;
}

/** What a page has besides where its program still runs. */
export interface LiveParts {
  readonly facts: readonly Fact[];
  /** Whether it goes on. */
  readonly status: ComponentChild;
  /** Memory until now. */
  readonly snapshots: SnapshotTable;
  /** What the last of them is of, like `now`. */
  readonly when: string;
  readonly tools: ComponentChild;
  /** What siblings are sorted by. */
  readonly order: ComponentChild;
  readonly keys: readonly (readonly [string, string])[];
  /** Shown at the bottom. */
  readonly notes: readonly string[];
}

export function App({ state, live }: { state: PageState; live?: LiveParts }) {
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
        instead={live ? { subject: live.status, facts: live.facts, live: true } : changeFacts(state.data)}
      />
      <MemoryOverTime data={state.data} newer={live} time={state.time} />
      <Toolbar state={state} graph={graph} tools={live?.tools} order={live?.order} />
      <main class="workspace" data-lines={linesOpen.value ? "open" : "closed"}>
        <Graph state={state} graph={graph} />
        <Lines state={state} open={linesOpen} />
      </main>
      <Colours state={state} notes={live?.notes} />
      <Tooltip state={state} />
      <GraphHelp state={state} keys={live?.keys} />
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
