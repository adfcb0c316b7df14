import { categoryName } from "../describe.js";
import { formatCount } from "../model/format.js";
import { visible } from "../model/names.js";
import type { TableState } from "./state.js";
import { rowTexts } from "./texts.js";

/** All of the selected row, whatever the columns have room for. */
export function RowDetails({ state }: { state: TableState }) {
  const row = state.shown.value[state.selected.value];
  if (row === undefined) {
    return <footer class="details quiet">Select a row to see all of it here.</footer>;
  }
  const texts = rowTexts(state.data, state.rows.value, row);
  return (
    <footer class="details">
      <p>
        <b>
          <bdi>{texts.function}</bdi>
        </b>{" "}
        <bdi>{texts.place === "" ? categoryName(texts.category, state.data.metadata) : texts.place}</bdi>
      </p>
      {texts.source === "" ? null : (
        <code>
          <bdi>{texts.source}</bdi>
        </code>
      )}
      <p class="quiet">
        {formatCount(texts.bytes)} bytes in {formatCount(texts.allocations)} allocations of {texts.allocator} ·{" "}
        {texts.thread.endsWith(" threads") ? texts.thread : `thread ${visible(texts.thread)}`}
      </p>
    </footer>
  );
}
