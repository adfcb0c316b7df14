import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface HelpProps {
  readonly open: Signal<boolean>;
  readonly title: string;
  /** How to read the page. */
  readonly intro: ComponentChildren;
  readonly keys: readonly (readonly [keys: string, meaning: string])[];
  /** What the keys leave to say. */
  readonly children: ComponentChildren;
}

/** What the page shows and which keys it knows, in a dialog. */
export function Help({ open, title, intro, keys, children }: HelpProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = open.value;
  useEffect(() => {
    if (shown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown]);
  const close = (): void => {
    open.value = false;
  };
  return (
    <dialog class="help" ref={dialog} onClose={close} aria-labelledby="help-title">
      <h2 id="help-title">{title}</h2>
      <p>{intro}</p>
      <dl>
        {keys.map(([names, meaning]) => (
          <div key={names}>
            <dt>{names}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>{children}</p>
      <button type="button" class="help-close" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
