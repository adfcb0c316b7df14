import type { Signal } from "@preact/signals";
import { Category } from "../../../src/reporters/flamegraph-data.js";
import { frameTexts } from "../describe.js";
import { amountOf, growthPercent, signed } from "../describe-change.js";
import { STEPS, stepFill } from "../graph/change-palette.js";
import type { LineChange } from "../model/compare.js";
import { nodeOfLine } from "../model/lines.js";
import type { PageState } from "../state.js";
import { theme } from "../theme.js";
import { LinesPanel, lineQuery } from "./lines-panel.js";

const MOST = 100;

/** The lines that changed most, with both sides, as a list beside a differential flame graph. */
export function ChangedLines({ state, open }: { state: PageState; open: Signal<boolean> }) {
  const lines = state.changedLines.value;
  return (
    <LinesPanel
      state={state}
      open={open}
      title={`${{ line: "Lines", function: "Functions", file: "Files" }[state.data.comparison?.by ?? "line"]} that changed most`}
    >
      {lines.slice(0, MOST).map((line) => (
        <Line key={line.frame} state={state} line={line} largest={lines[0] as LineChange} />
      ))}
    </LinesPanel>
  );
}

function Line({ state, line, largest }: { state: PageState; line: LineChange; largest: LineChange }) {
  const { data } = state;
  const tree = state.tree.value;
  const { metric } = tree;
  const texts = frameTexts(data, line.frame);
  const changeOf = ({ before, after }: LineChange): number => after[metric] - before[metric];
  const [before, after, change] = [line.before[metric], line.after[metric], changeOf(line)];
  const share = change === 0 ? 0 : Math.abs(change / changeOf(largest));
  const show = (): void => {
    // What is gone shows as it was before, and what is new as it is after.
    if (nodeOfLine(data, state.tree.value, line.frame) === -1) state.width.value = after > 0 ? "after" : "before";
    const node = nodeOfLine(data, state.tree.value, line.frame);
    state.search.value = lineQuery(texts.place, texts.name, data.comparison?.by === "function");
    if (node !== -1) state.zoomTo(node);
  };
  const thread = data.frames.category[line.frame] === Category.THREAD;
  return (
    <li>
      <button type="button" class="line" onClick={show} title={`${texts.name}\n${texts.place}`}>
        <span class="line-place">
          <bdi>{texts.shortPlace === "" ? texts.name : texts.shortPlace}</bdi>
        </span>
        <span class="line-amount">{signed(metric, change)}</span>
        <span class="line-name">
          <bdi>{thread ? "no frames on its stacks" : texts.name}</bdi>
        </span>
        <span class="line-share">{growthPercent(before, after)}</span>
        <span class="line-sides">
          {amountOf(metric, before)} → {amountOf(metric, after)}
        </span>
        {texts.source === "" ? null : (
          <code class="line-source">
            <bdi>{texts.source}</bdi>
          </code>
        )}
        <span class="bar">
          <span style={{ width: `${change === 0 ? 0 : Math.max(0.5, share * 100)}%`, background: barColour(change) }} />
        </span>
      </button>
    </li>
  );
}

/** The other theme's stronger colours: a bar is thin. */
function barColour(change: number): string {
  return stepFill(theme.value === "dark" ? "light" : "dark", change > 0 ? STEPS : -STEPS);
}
