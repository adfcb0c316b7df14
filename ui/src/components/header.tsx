import type { Signal } from "@preact/signals";
import type { ComponentChild } from "preact";
import type { ReportKind, ReportMetadata } from "../../../src/reporters/flamegraph-data.js";
import { formatBytes, formatCount, formatDuration } from "../model/format.js";
import { baseName, displayPath, visible } from "../model/names.js";
import { theme, toggleTheme } from "../theme.js";
import { Mark, MoonIcon, SunIcon } from "./icons.js";

const SUBJECTS = {
  "high-water-mark": "Memory held at the high-water mark",
  leaks: "Memory that was allocated and never freed",
  temporary: "Temporary allocations: freed soon after they were made",
  live: "Memory held at a moment of the run",
} as const;

/** What the held bytes are called, and a note on them. */
const HELD = {
  leaks: ["Leaked", "never freed"],
  temporary: ["Temporary", "in all of them"],
  live: ["Held", "at that moment"],
} as const;

/** A name, its figure, and a note on it. */
export type Fact = readonly [name: string, value: string, title?: string];
const RANGE_SUBJECTS: Readonly<Partial<Record<ReportKind, string>>> = {
  "high-water-mark": "Memory held at the high-water mark of a range of time",
  leaks: "Memory that was allocated in a range of time and not freed in it",
};

interface HeaderProps {
  readonly metadata: ReportMetadata;
  readonly kind: ReportKind;
  /** Whether that is of a range of time, chosen in the page. */
  readonly ranges?: boolean;
  /** Bytes of all that the report shows. */
  readonly heldBytes: number;
  readonly helpOpen: Signal<boolean>;
  /** Shown instead of the run's subject and figures. */
  readonly instead?:
    | { readonly subject: ComponentChild; readonly facts: readonly Fact[]; readonly live?: boolean }
    | undefined;
}

/** Which program the report is of, and the figures of its run. */
export function Header({ metadata, kind, ranges = false, heldBytes, helpOpen, instead }: HeaderProps) {
  const [program = "", ...rest] = metadata.commandLine;
  const command = [baseName(program), ...rest.map((argument) => displayPath(argument, metadata.cwd))].join(" ");
  const started = new Date(metadata.startTimeMs);
  const facts: Fact[] = [
    ["Peak", formatBytes(metadata.peakMemory), `${formatCount(metadata.peakMemory)} bytes at the high-water mark`],
    ["Allocations", formatCount(metadata.totalAllocations), "allocations recorded in all"],
    ["Duration", formatDuration(metadata.endTimeMs - metadata.startTimeMs), `started ${started.toLocaleString()}`],
    ["Runtime", visible(`${metadata.runtime.name} ${metadata.runtime.version}`), `heapray ${metadata.heaprayVersion}`],
    ["PID", String(metadata.pid)],
  ];
  // What a range held is told beside the range.
  if (kind !== "high-water-mark" && !ranges) {
    const [name, what] = HELD[kind];
    facts.unshift([name, formatBytes(heldBytes), `${formatCount(heldBytes)} bytes ${what}`]);
  }
  return (
    <header class="top">
      <div class="brand">
        <Mark />
        <span class="brand-name">heapray</span>
      </div>
      <div class="subject">
        <h1 title={metadata.commandLine.map(visible).join(" ")}>
          <bdi>{command || "unnamed program"}</bdi>
        </h1>
        <p>
          <bdi>{instead?.subject ?? (ranges ? RANGE_SUBJECTS[kind] : undefined) ?? SUBJECTS[kind]}</bdi>
          {metadata.complete || instead?.live ? null : (
            <span class="warning"> · the process ended before tracking did</span>
          )}
        </p>
      </div>
      <dl class={instead?.live ? "facts live" : instead ? "facts compared" : "facts"}>
        {(instead?.facts ?? facts).map(([name, value, title]) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="top-buttons">
        <button
          type="button"
          class="icon-button"
          id="theme"
          onClick={toggleTheme}
          aria-label={theme.value === "dark" ? "Switch to light colours" : "Switch to dark colours"}
          title={theme.value === "dark" ? "Light colours" : "Dark colours"}
        >
          {theme.value === "dark" ? <SunIcon /> : <MoonIcon />}
        </button>
        <button
          type="button"
          class="icon-button"
          onClick={() => {
            helpOpen.value = true;
          }}
          aria-label="Keys and help"
          title="Keys and help (?)"
        >
          <span aria-hidden="true">?</span>
        </button>
      </div>
    </header>
  );
}
