import { useLayoutEffect, useRef } from "preact/hooks";
import type { Category, FlameGraphData } from "../../../src/reporters/flamegraph-data.js";
import { categoryName, frameTexts } from "../describe.js";
import type { Orientation } from "../graph/draw.js";
import { fillOf } from "../graph/palette.js";
import { compositionOf } from "../model/details.js";
import { formatBytes, formatCount, formatPercent } from "../model/format.js";
import { visible } from "../model/names.js";
import type { PageState } from "../state.js";
import { theme } from "../theme.js";
import { ChangeDetails } from "./change-tooltip.js";

interface Place {
  readonly left: number;
  readonly top: number;
}

const MARGIN = 8;
const MOST_THREADS = 3;

export function Tooltip({ state }: { state: PageState }) {
  const box = useRef<HTMLDivElement>(null);
  const tip = state.tip.value;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || !tip) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    const { left, top } = tip.pointer
      ? besidePointer(tip.pointer, height)
      : inCorner(width, height, state.orientation.value);
    element.style.left = `${Math.max(MARGIN, Math.min(left, window.innerWidth - width - MARGIN))}px`;
    element.style.top = `${Math.max(MARGIN, Math.min(top, window.innerHeight - height - MARGIN))}px`;
  });
  if (!tip || tip.node >= state.tree.value.size) return null;
  return (
    <div class="tooltip" role="tooltip" ref={box}>
      {state.change.value ? (
        <ChangeDetails state={state} change={state.change.value} node={tip.node} />
      ) : (
        <FrameDetails state={state} node={tip.node} />
      )}
    </div>
  );
}

function besidePointer({ x, y }: { readonly x: number; readonly y: number }, height: number): Place {
  const above = y - height - 14;
  const fits = y + 18 + height + MARGIN <= window.innerHeight;
  return { left: x + 14, top: fits || above < MARGIN ? y + 18 : above };
}

/** A place that stays the same while the keys move on: the corner of the graph where frames are fewest. */
function inCorner(width: number, height: number, orientation: Orientation): Place {
  const graph = document.querySelector(".scroller")?.getBoundingClientRect();
  if (!graph) return { left: 0, top: 0 };
  const left = graph.right - width - 2 * MARGIN;
  return { left, top: orientation === "icicle" ? graph.bottom - height - MARGIN : graph.top + MARGIN };
}

function FrameDetails({ state, node }: { state: PageState; node: number }) {
  const { data } = state;
  const tree = state.tree.value;
  const frame = tree.frame[node] as number;
  const texts = frameTexts(data, frame);
  const category = data.frames.category[frame] as Category;
  const composition = compositionOf(state.graph.value, tree, state.options.value, node);
  const kinds = [
    { label: "Native", bytes: composition.nativeBytes, name: undefined },
    { label: "JavaScript objects", bytes: composition.jsBytes, name: "JavaScript objects" },
    { label: "Heap pages", bytes: composition.heapPageBytes, name: "heap pages" },
    { label: "Python's own", bytes: composition.pythonBytes, name: "Python's own allocator" },
  ].filter((kind) => kind.bytes > 0);
  const onlyKind = kinds.length === 1 ? kinds[0]?.name : undefined;
  const bytes = tree.totalBytes[node] as number;
  const wholeBytes = tree.totalBytes[0] as number;
  const allocations = tree.totalAllocations[node] as number;
  const zoomed = state.zoomed.value;
  return (
    <>
      <div class="tip-head">
        <span class="swatch" style={{ background: fillOf(theme.value, category) }} />
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
      <table>
        <tbody>
          <tr class="tip-total">
            <th scope="row">Total</th>
            <td>{formatBytes(bytes)}</td>
            <td>{formatPercent(bytes, wholeBytes)}</td>
          </tr>
          {zoomed === 0 || zoomed === node ? null : (
            <tr>
              <th scope="row">of the zoomed frame</th>
              <td />
              <td>{formatPercent(bytes, tree.totalBytes[zoomed] as number)}</td>
            </tr>
          )}
          {state.inverted.value ? null : (
            <tr>
              <th scope="row">Own</th>
              <td>{formatBytes(tree.ownBytes[node] as number)}</td>
              <td>{formatPercent(tree.ownBytes[node] as number, wholeBytes)}</td>
            </tr>
          )}
          <tr>
            <th scope="row">Allocations</th>
            <td>{formatCount(allocations)}</td>
            <td>{formatPercent(allocations, tree.totalAllocations[0] as number)}</td>
          </tr>
          {kinds.length > 1
            ? kinds.map(({ label, bytes }) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td>{formatBytes(bytes)}</td>
                  <td>{formatPercent(bytes, wholeBytes)}</td>
                </tr>
              ))
            : null}
        </tbody>
      </table>
      <div class="tip-foot">
        {formatCount(bytes)} bytes{onlyKind === undefined ? "" : ` of ${onlyKind}`} ·{" "}
        {threadsText(data, composition.threads)}
      </div>
    </>
  );
}

function threadsText(data: FlameGraphData, threads: readonly { readonly name: string }[]): string {
  if (threads.length === data.threads.length && threads.length > MOST_THREADS) return `all ${threads.length} threads`;
  const names = threads.slice(0, MOST_THREADS).map((thread) => visible(thread.name));
  const more = threads.length > MOST_THREADS ? ` and ${threads.length - MOST_THREADS} more` : "";
  return `${threads.length === 1 ? "thread" : "threads"} ${names.join(", ")}${more}`;
}
