import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface Option<T> {
  readonly value: T;
  readonly label: ComponentChildren;
  readonly title?: string;
  /** Said instead of the label, where that is a picture. */
  readonly name?: string;
}

/** A few values of which one holds, as buttons side by side. */
export function Choice<T extends string>({ value, options }: { value: Signal<T>; options: readonly Option<T>[] }) {
  return (
    <div class="choice">
      {options.map((option) => (
        <button
          type="button"
          key={option.value}
          aria-pressed={value.value === option.value}
          aria-label={option.name}
          title={option.title ?? option.name}
          onClick={() => {
            value.value = option.value;
          }}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
