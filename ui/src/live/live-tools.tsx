import { Choice } from "../components/choice.js";
import { DownloadIcon, PauseIcon, PlayIcon } from "../components/icons.js";
import type { LiveState } from "./live-state.js";

/** What only a live page can do. */
export function LiveTools({ live, save }: { live: LiveState; save: () => void }) {
  const paused = live.paused.value;
  return (
    <div class="group live-tools">
      <button
        type="button"
        class="tool"
        id="pause"
        aria-pressed={paused}
        // What stands still anyway cannot be paused.
        disabled={live.connection.value === "ended" && !paused}
        onClick={() => {
          live.paused.value = !paused;
        }}
        title={paused ? "Go on with what is held now (p)" : "Hold all that is shown still; the program goes on (p)"}
      >
        {paused ? <PlayIcon /> : <PauseIcon />}
        {paused ? "Go on" : "Pause"}
      </button>
      <button
        type="button"
        class="tool"
        id="save"
        onClick={save}
        disabled={live.saving.value}
        title="Save what is held now as a flame graph: one HTML file that opens offline (s)"
      >
        <DownloadIcon />
        {live.saving.value ? "Saving…" : "Save"}
      </button>
    </div>
  );
}

export function OrderChoice({ live }: { live: LiveState }) {
  return (
    <fieldset class="group">
      <legend>Order</legend>
      <Choice
        value={live.page.order}
        options={[
          { value: "name", label: "name", title: "Frames stay beside each other, whatever they hold" },
          { value: "size", label: "size", title: "Largest first; frames change places as they grow" },
        ]}
      />
    </fieldset>
  );
}
