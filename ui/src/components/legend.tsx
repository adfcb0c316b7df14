import { Category } from "../../../src/reporters/flamegraph-data.js";
import { categoryName } from "../describe.js";
import { fillOf } from "../graph/palette.js";
import { formatCount } from "../model/format.js";
import type { PageState } from "../state.js";
import { theme } from "../theme.js";

/** The colours in use, and how to get help. */
export function Legend({ state, notes = [] }: { state: PageState; notes?: readonly string[] | undefined }) {
  const present = new Set(state.data.frames.category);
  const categories = Object.values(Category).filter((category) => category !== Category.ROOT && present.has(category));
  const frames = state.tree.value.size - 1;
  return (
    <footer class="legend">
      <ul aria-label="Colours">
        {categories.map((category) => (
          <li key={category}>
            <span class="swatch" style={{ background: fillOf(theme.value, category) }} />
            {categoryName(category, state.data.metadata)}
          </li>
        ))}
      </ul>
      {notes.length > 0 ? (
        <span class="notes" title={notes.join("\n")}>
          {notes.at(-1)}
        </span>
      ) : null}
      <span class="quiet">{frames === 1 ? "1 frame" : `${formatCount(frames)} frames`}</span>
    </footer>
  );
}
