import { type ComponentChild, render } from "preact";
import { loadData } from "./load.js";
import { followTheme } from "./theme.js";
import "./style.css";

/** Shows the page of what the reporter packed, or says why it cannot be shown. */
export async function startPage<Data>(
  decode: (bytes: Uint8Array) => Data,
  page: (data: Data) => ComponentChild,
): Promise<void> {
  followTheme();
  const root = document.getElementById("app") as HTMLElement;
  try {
    const shown = page(await loadData(decode));
    root.replaceChildren();
    render(shown, root);
    performance.mark("heapray:interactive");
  } catch (error) {
    const message = document.createElement("p");
    message.className = "loading";
    message.setAttribute("role", "alert");
    message.textContent = `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}.`;
    root.replaceChildren(message);
  }
}
