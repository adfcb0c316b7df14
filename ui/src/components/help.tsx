import { useEffect, useRef } from "preact/hooks";
import type { PageState } from "../state.js";

const KEYS: readonly (readonly [string, string])[] = [
  ["Click, Enter", "Zoom to a frame"],
  ["Esc", "Zoom out, one step back"],
  ["0", "Zoom out to everything"],
  ["↑ ↓ ← →", "Move through callers, callees and neighbours"],
  ["Home", "Select the root"],
  ["+ −, Ctrl + wheel", "Zoom freely"],
  ["Drag, Shift + wheel", "Move sideways"],
  ["/", "Search; Enter visits the matches, largest first"],
  ["?", "This help"],
];

export function Help({ state }: { state: PageState }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = state.helpOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const close = (): void => {
    state.helpOpen.value = false;
  };
  return (
    <dialog class="help" ref={dialog} onClose={close} aria-labelledby="help-title">
      <h2 id="help-title">Reading the graph</h2>
      <p>
        Each bar is a frame: a function, called at a line by the bar next to it on the root's side. Its width is the
        memory allocated by it and by all that it called. Siblings are sorted by size, so position says nothing about
        time.
      </p>
      <dl>
        {KEYS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>
        Search is for text in function names and <code>file:line:column</code>, in any case; between slashes it is a
        regular expression, e.g. <code>/parse(Row|Line)/i</code>.
      </p>
      <button type="button" class="help-close" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
