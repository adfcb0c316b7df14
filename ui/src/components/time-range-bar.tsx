import { formatBytes, formatCount } from "../model/format.js";
import type { RangeState } from "../range-state.js";
import { Choice } from "./choice.js";

/** The chosen range of time in words, and what it held. */
export function TimeRangeBar({ time }: { time: RangeState }) {
  const { fromMs, toMs, isWhole, views, view } = time;
  const { bytes, allocations } = time.totals.value;
  const exact = `${formatCount(bytes)} bytes in ${formatCount(allocations)} allocations`;
  return (
    <div class="time-range">
      {views.length > 1 ? (
        <Choice
          value={view}
          options={[
            {
              value: "high-water-mark",
              label: "high-water mark",
              title: "What was held when memory was most in the range",
            },
            { value: "leaks", label: "leaks", title: "What was allocated in the range and not freed in it" },
          ]}
        />
      ) : null}
      <p class="range-words" role="status" aria-label="Range of time">
        <b class="range-times figure">{isWhole ? "Whole run" : `${time.textOf(fromMs)} to ${time.textOf(toMs)}`}</b>{" "}
        <span class="range-amount" title={exact}>
          {view.value === "leaks" ? (
            <>
              left behind <b class="figure">{formatBytes(bytes)}</b>
            </>
          ) : (
            <>
              held at most <b class="figure">{formatBytes(bytes)}</b> <HighestMoment time={time} />
            </>
          )}
        </span>{" "}
        <span class="quiet range-count">in {formatCount(allocations)} allocations</span>
      </p>
      {isWhole ? (
        <span class="quiet range-hint">Drag over the chart to choose a range of time</span>
      ) : (
        <button type="button" class="toggle" onClick={() => time.reset()} title="Back to the whole run (Esc)">
          Reset range
        </button>
      )}
    </div>
  );
}

/** About when memory was most; in the tooltip, in which interval. */
function HighestMoment({ time }: { time: RangeState }) {
  const interval = time.highest.value;
  if (interval === undefined || !time.mark) return null;
  const [from, to] = [time.edges[interval] as number, time.edges[interval + 1] as number];
  return (
    <span title={`between ${time.textOf(from)} and ${time.textOf(to)}`}>around {time.textOf(time.mark.timeMs)}</span>
  );
}
