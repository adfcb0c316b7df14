import { useEffect, useRef } from "preact/hooks";
import { NOTHING, NOTHING_IN_RANGE } from "../describe.js";
import { GraphController } from "../graph/controller.js";
import type { PageState } from "../state.js";
import { Ancestors } from "./ancestors.js";
import type { GraphHandle } from "./app.js";

export function Graph({ state, graph }: { state: PageState; graph: GraphHandle }) {
  const scroller = useRef<HTMLDivElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!scroller.current || !spacer.current || !canvas.current) return;
    const controller = new GraphController(state, scroller.current, spacer.current, canvas.current);
    graph.current = controller;
    return () => {
      graph.current = undefined;
      controller.dispose();
    };
  }, [state, graph]);
  const empty = state.tree.value.value[0] === 0;
  return (
    <section class="graph" aria-label="Flame graph">
      <Ancestors state={state} />
      <div
        class="scroller"
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the canvas inside has no elements of its own to focus
        tabIndex={0}
        role="application"
        aria-roledescription="flame graph"
        aria-label="Call tree. Arrow keys move through the frames, Enter zooms in, Escape zooms out."
      >
        <div class="spacer" ref={spacer}>
          <canvas ref={canvas} />
        </div>
      </div>
      {empty ? <p class="empty">{whyEmpty(state)}</p> : null}
    </section>
  );
}

function whyEmpty({ data, time, heldBytes, width }: PageState): string {
  if (time && heldBytes === 0) return NOTHING_IN_RANGE[time.view.value];
  if (data.weights.node.length === 0) return data.comparison ? "Neither side holds anything." : NOTHING[data.kind];
  if (!data.comparison) return "Nothing of this kind on this thread.";
  return width.value === "change" ? "Nothing changed." : `Nothing is held ${width.value}.`;
}
