import { effect, type Signal, signal } from "@preact/signals";
import type { Theme } from "./graph/palette.js";

const KEY = "heapray-theme";

export const theme: Signal<Theme> = signal(remembered() ?? preferred());

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // Some browsers keep nothing for pages opened from a file.
  }
}

/** Puts the theme on the document, and follows the system until the user has chosen. */
export function followTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (remembered() === undefined) theme.value = preferred();
  });
}

function preferred(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function remembered(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === "dark" || value === "light" ? value : undefined;
  } catch {
    return undefined;
  }
}
