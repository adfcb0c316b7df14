import type { ComponentChild } from "preact";
import { MemoryKind } from "../../../src/reporters/flamegraph-data.js";
import { hidingTexts } from "../describe.js";
import { visible } from "../model/names.js";
import type { PageState } from "../state.js";
import type { GraphHandle } from "./app.js";
import { Choice } from "./choice.js";
import { FlameIcon, IcicleIcon, ResetIcon } from "./icons.js";
import { SearchBox } from "./search-box.js";
import { Toggle } from "./toggle.js";

const KINDS = [
  [MemoryKind.NATIVE, "native"],
  [MemoryKind.JS, "JavaScript objects"],
  [MemoryKind.HEAP_PAGES, "heap pages"],
  [MemoryKind.PYTHON, "Python's own"],
] as const;

interface ToolbarProps {
  readonly state: PageState;
  readonly graph: GraphHandle;
  /** Of a live page. */
  readonly tools?: ComponentChild;
  readonly order?: ComponentChild;
}

export function Toolbar({ state, graph, tools, order }: ToolbarProps) {
  const { threads, weights } = state.data;
  const kinds = new Set(weights.kind);
  const hiding = hidingTexts(state.data.metadata);
  return (
    <div class="toolbar" role="toolbar" aria-label="Graph options">
      {tools}
      <SearchBox state={state} graph={graph} />
      <fieldset class="group">
        <legend>Hide</legend>
        <Toggle on={state.hideInternals} title={hiding.internals[1]}>
          {hiding.internals[0]}
        </Toggle>
        <Toggle on={state.hideDependencies} title={hiding.dependencies[1]}>
          {hiding.dependencies[0]}
        </Toggle>
      </fieldset>
      <Toggle on={state.inverted} title="Frames that allocate at the root, their callers below">
        inverted
      </Toggle>
      <fieldset class="group">
        <legend>Width</legend>
        <Choice
          value={state.metric}
          options={[
            { value: "bytes", label: "bytes" },
            { value: "allocations", label: "allocations" },
          ]}
        />
      </fieldset>
      {order}
      {state.data.comparison ? (
        <fieldset class="group">
          <legend>of</legend>
          <Choice
            value={state.width}
            options={[
              { value: "before", label: "before", title: "What was held before: shows what is gone" },
              { value: "after", label: "after", title: "What is held after: shows what is new" },
              {
                value: "change",
                label: "change only",
                title: "By how much stacks changed; what is as before is left out",
              },
            ]}
          />
        </fieldset>
      ) : null}
      {kinds.size > 1 ? (
        <label class="group">
          <span>Memory</span>
          <select
            value={state.kind.value}
            onChange={(event) => {
              state.kind.value = Number(event.currentTarget.value) as MemoryKind | -1;
            }}
          >
            <option value={-1}>all</option>
            {KINDS.filter(([kind]) => kinds.has(kind)).map(([kind, label]) => (
              <option key={kind} value={kind}>
                {label}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      {threads.length > 1 ? (
        <label class="group">
          <span>Thread</span>
          <select
            value={state.thread.value}
            onChange={(event) => {
              state.thread.value = Number(event.currentTarget.value);
            }}
          >
            <option value={-1}>all</option>
            {threads.map((name, index) => (
              <option key={name} value={index}>
                {visible(name)}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <div class="group last">
        <Choice
          value={state.orientation}
          options={[
            { value: "icicle", label: <IcicleIcon />, name: "Icicle: callers on top" },
            { value: "flame", label: <FlameIcon />, name: "Flame: callers below" },
          ]}
        />
        <button
          type="button"
          class="icon-button bordered"
          onClick={() => graph.current?.reset()}
          disabled={state.zoomed.value === 0}
          aria-label="Zoom out to everything"
          title="Zoom out to everything (0)"
        >
          <ResetIcon />
        </button>
      </div>
    </div>
  );
}
