import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface ToggleProps {
  readonly on: Signal<boolean>;
  readonly title: string;
  readonly children: ComponentChildren;
}

/** A button that stays pressed. */
export function Toggle({ on, title, children }: ToggleProps) {
  return (
    <button
      type="button"
      class="toggle"
      aria-pressed={on.value}
      title={title}
      onClick={() => {
        on.value = !on.value;
      }}
    >
      {children}
    </button>
  );
}
