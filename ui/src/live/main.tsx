import { render } from "preact";
import { scriptOf } from "../../../src/capture/command-line.js";
import { App } from "../components/app.js";
import { download, fileName } from "../download.js";
import { baseName } from "../model/names.js";
import { followTheme } from "../theme.js";
import { LiveConnection } from "./live-connection.js";
import { liveFacts } from "./live-facts.js";
import type { LiveState } from "./live-state.js";
import { LiveStatus } from "./live-status.js";
import { LiveTools, OrderChoice } from "./live-tools.js";
import "../style.css";
import "./live.css";

const KEYS: readonly (readonly [string, string])[] = [
  ["p", "Pause, and go on"],
  ["s", "Save what is held now as a flame graph"],
];

followTheme();
const root = document.getElementById("app") as HTMLElement;
const connection = new LiveConnection(show, (message) => {
  const text = root.querySelector(".loading");
  if (text) text.textContent = message;
});

function LivePage({ live }: { live: LiveState }) {
  const { page } = live;
  return (
    <App
      state={page}
      live={{
        facts: liveFacts(live.figures.value, page.data.metadata),
        status: <LiveStatus live={live} />,
        snapshots: live.snapshots.value,
        when: live.paused.value ? "when paused" : live.connection.value === "live" ? "now" : "at the end",
        tools: <LiveTools live={live} save={() => void save(live)} />,
        order: <OrderChoice live={live} />,
        keys: KEYS,
        notes: [...live.figures.value.warnings, live.trouble.value].filter((note) => note !== ""),
      }}
    />
  );
}

function show(live: LiveState): void {
  const { metadata } = live.page.data;
  document.title = `${baseName(scriptOf(metadata) ?? metadata.commandLine[0] ?? "program")} · live · heapray`;
  window.addEventListener("keydown", (event) => key(event, live));
  root.replaceChildren();
  render(<LivePage live={live} />, root);
  performance.mark("heapray:interactive");
}

function key(event: KeyboardEvent, live: LiveState): void {
  const { target } = event;
  const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (event.ctrlKey || event.metaKey || event.altKey || typing || live.page.helpOpen.value) return;
  const still = live.connection.value === "ended" && !live.paused.value;
  if (event.key === "p" && !still) live.paused.value = !live.paused.value;
  else if (event.key === "s") void save(live);
}

async function save(live: LiveState): Promise<void> {
  if (live.saving.peek()) return;
  live.saving.value = true;
  try {
    const report = await connection.save();
    download(fileName("flamegraph", live.page.data.metadata, "html"), "text/html", [report]);
    live.trouble.value = "";
  } catch (error) {
    live.trouble.value = `Nothing was saved: ${(error as Error).message}.`;
  }
  live.saving.value = false;
}
