import type { Category } from "../../../src/reporters/flamegraph-data.js";
import { categoryName, frameTexts } from "../describe.js";
import { growthPercent, signed } from "../describe-change.js";
import { stepFill, stepOf } from "../graph/change-palette.js";
import type { TreeChange } from "../model/compare.js";
import { formatBytes, formatCount } from "../model/format.js";
import type { Metric } from "../model/tree.js";
import type { PageState } from "../state.js";
import { theme } from "../theme.js";

/** What a frame held before and after, and by how much that changed. */
export function ChangeDetails({ state, change, node }: { state: PageState; change: TreeChange; node: number }) {
  const { data } = state;
  const tree = state.tree.value;
  const frame = tree.frame[node] as number;
  const texts = frameTexts(data, frame);
  const category = data.frames.category[frame] as Category;
  const { before, after } = change;
  const column = tree.metric === "bytes" ? "totalBytes" : "totalAllocations";
  const step = stepOf(before[column][node] as number, after[column][node] as number);
  const rows: [string, Metric, keyof TreeChange["before"]][] = [
    ["Total", "bytes", "totalBytes"],
    ["Own", "bytes", "ownBytes"],
    ["Allocations", "allocations", "totalAllocations"],
  ];
  return (
    <>
      <div class="tip-head">
        <span class="swatch" style={{ background: stepFill(theme.value, step) }} />
        <strong>
          <bdi>{texts.name}</bdi>
        </strong>
      </div>
      <div class="tip-place">
        <bdi>{texts.place === "" ? categoryName(category, data.metadata) : texts.place}</bdi>
      </div>
      {texts.source === "" ? null : (
        <pre class="tip-source">
          <bdi>{texts.source}</bdi>
        </pre>
      )}
      <table class="tip-change">
        <thead>
          <tr>
            <td />
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Change</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {rows
            // A frame of an inverted graph holds nothing itself.
            .filter(([, , amount]) => amount !== "ownBytes" || !state.inverted.value)
            .map(([label, metric, amount]) => {
              const [old, now] = [before[amount][node] as number, after[amount][node] as number];
              const format = metric === "bytes" ? formatBytes : formatCount;
              return (
                <tr key={label} class={amount === "totalBytes" ? "tip-total" : undefined}>
                  <th scope="row">{label}</th>
                  <td>{format(old)}</td>
                  <td>{format(now)}</td>
                  <td>{signed(metric, now - old)}</td>
                  <td>{growthPercent(old, now)}</td>
                </tr>
              );
            })}
        </tbody>
      </table>
    </>
  );
}
