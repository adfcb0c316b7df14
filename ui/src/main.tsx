import { render } from "preact";
import { App } from "./components/app.js";
import { loadData } from "./load.js";
import { PageState } from "./state.js";
import { followTheme } from "./theme.js";
import "./style.css";

followTheme();
const root = document.getElementById("app") as HTMLElement;
try {
  const state = new PageState(await loadData());
  root.replaceChildren();
  render(<App state={state} />, root);
  performance.mark("heapray:interactive");
} catch (error) {
  const message = document.createElement("p");
  message.className = "loading";
  message.setAttribute("role", "alert");
  message.textContent = `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}.`;
  root.replaceChildren(message);
}
