import type { Signal } from "@preact/signals";
import { Category } from "../../../src/reporters/flamegraph-data.js";
import { frameTexts } from "../describe.js";
import { fillOf } from "../graph/palette.js";
import { formatBytes, formatCount, formatPercent } from "../model/format.js";
import { type HoldingLine, nodeOfLine } from "../model/lines.js";
import type { PageState } from "../state.js";
import { theme } from "../theme.js";
import { LinesPanel, lineQuery } from "./lines-panel.js";

const MOST = 100;
/** What is said of a line that is none. */
const WITHOUT_PLACE: Partial<Record<Category, string>> = {
  [Category.THREAD]: "no frames on its stacks",
  [Category.SMALL]: "each too small to be shown",
};

/** The lines of the program that hold most, as a list beside the graph. */
export function TopLines({ state, open }: { state: PageState; open: Signal<boolean> }) {
  const lines = state.lines.value;
  return (
    <LinesPanel state={state} open={open} title="Lines that hold most">
      {lines.slice(0, MOST).map((line) => (
        <Line key={line.frame} state={state} line={line} largest={lines[0] as HoldingLine} />
      ))}
    </LinesPanel>
  );
}

function Line({ state, line, largest }: { state: PageState; line: HoldingLine; largest: HoldingLine }) {
  const { data } = state;
  const tree = state.tree.value;
  const texts = frameTexts(data, line.frame);
  const category = data.frames.category[line.frame] as Category;
  const byBytes = tree.metric === "bytes";
  const amount = byBytes ? line.bytes : line.allocations;
  const whole = (byBytes ? tree.totalBytes[0] : tree.totalAllocations[0]) as number;
  const share = amount / (byBytes ? largest.bytes : largest.allocations);
  const place = texts.shortPlace === "" ? texts.name : texts.shortPlace;
  const show = (): void => {
    const node = nodeOfLine(data, tree, line.frame);
    state.search.value = lineQuery(texts.place, texts.name);
    if (node !== -1) state.zoomTo(node);
  };
  return (
    <li>
      <button type="button" class="line" onClick={show} title={`${texts.name}\n${texts.place}`}>
        <span class="line-place">
          <bdi>{place}</bdi>
        </span>
        <span class="line-amount">{byBytes ? formatBytes(amount) : formatCount(amount)}</span>
        <span class="line-name">
          <bdi>{texts.shortPlace === "" ? WITHOUT_PLACE[category] : texts.name}</bdi>
        </span>
        <span class="line-share">{formatPercent(amount, whole)}</span>
        {texts.source === "" ? null : (
          <code class="line-source">
            <bdi>{texts.source}</bdi>
          </code>
        )}
        <span class="bar">
          <span style={{ width: `${Math.max(0.5, share * 100)}%`, background: barColour(category) }} />
        </span>
      </button>
    </li>
  );
}

function barColour(category: Category): string {
  return category === Category.PROGRAM ? "var(--accent)" : fillOf(theme.value === "dark" ? "light" : "dark", category);
}
