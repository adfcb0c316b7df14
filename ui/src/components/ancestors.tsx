import { useEffect, useRef } from "preact/hooks";
import { frameTexts } from "../describe.js";
import { formatPercent } from "../model/format.js";
import { pathTo } from "../model/navigate.js";
import type { PageState } from "../state.js";

/** Of a longer path, the root and the innermost frames. */
const MOST = 40;

/** The path from the root to the selected frame; each part zooms to its frame. */
export function Ancestors({ state }: { state: PageState }) {
  const list = useRef<HTMLOListElement>(null);
  const tree = state.tree.value;
  const selected = state.selected.value;
  const path = pathTo(tree, selected);
  const shown = path.length > MOST ? [0, ...path.slice(1 - MOST)] : path;
  // A new selection is what moves the strip.
  useEffect(() => {
    const element = list.current;
    if (element) element.scrollLeft = element.scrollWidth;
  }, [selected, tree]);
  return (
    <nav class="ancestors" aria-label="Path to the selected frame">
      <ol ref={list}>
        {shown.map((node, index) => {
          const texts = frameTexts(state.data, tree.frame[node] as number);
          const current = node === selected;
          return (
            <li key={node}>
              {index === 1 && shown.length < path.length ? <span class="skipped">…</span> : null}
              <button
                type="button"
                aria-current={current ? "true" : undefined}
                title={texts.place === "" ? texts.name : `${texts.name}\n${texts.place}`}
                onClick={() => state.zoomTo(node)}
              >
                <bdi>{texts.name}</bdi>
                {current && node !== 0 ? <span class="quiet">{texts.shortPlace}</span> : null}
              </button>
            </li>
          );
        })}
      </ol>
      <span class="share">
        {formatPercent(tree.value[selected] as number, tree.value[0] as number)}
        <span class="quiet"> of all</span>
      </span>
    </nav>
  );
}
