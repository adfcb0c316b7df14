import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Category } from "../../../src/reporters/flamegraph-data.js";
import type { PageState } from "../state.js";
import { Choice } from "./choice.js";
import { ChevronIcon } from "./icons.js";

interface LinesPanelProps {
  readonly state: PageState;
  readonly open: Signal<boolean>;
  readonly title: string;
  /** The list's items. */
  readonly children: ComponentChildren;
}

/** A list of lines beside the graph, and which lines are in it. */
export function LinesPanel({ state, open, title, children }: LinesPanelProps) {
  const packages = state.data.frames.category.includes(Category.DEPENDENCY);
  return (
    <aside class="lines" aria-label={title}>
      <button
        type="button"
        class="panel-title"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <ChevronIcon />
        <span>{title}</span>
      </button>
      {open.value ? (
        <div class="scope">
          <Choice
            value={state.lineShare}
            options={[
              { value: "own", label: "own", title: "What a line answers for itself" },
              { value: "total", label: "total", title: "What was allocated by a line and all that it called" },
            ]}
          />
          {packages || state.lineShare.value === "total" ? (
            <Choice
              value={state.lineScope}
              options={[
                {
                  value: "program",
                  label: "your code",
                  title: "Lines of your program; the innermost one answers for the memory",
                },
                {
                  value: "any",
                  label: "any code",
                  title: "Lines of packages too",
                },
              ]}
            />
          ) : null}
        </div>
      ) : null}
      {open.value ? <ol>{children}</ol> : null}
    </aside>
  );
}

/** A search for the whole line, whatever the column; of what has no line, for its name. */
export function lineQuery(place: string, name: string, byName = false): string {
  return place === "" || byName ? name : place.replace(/^(.*:\d+):\d+$/, "$1");
}
