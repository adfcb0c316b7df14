import { changeOf, type Growth, type GrowthBy, type PlaceGrowth } from "../analysis/growth.js";
import { count, formatSize } from "./figures.js";
import type { Paint } from "./paint.js";
import { placeOf } from "./program-lines.js";
import { printable } from "./terminal-text.js";
import { table } from "./text-table.js";

export interface DiffOptions {
  /** What the two sides are, like `old.bin at its peak`. */
  readonly before: string;
  readonly after: string;
  readonly by: GrowthBy;
  /** How many places to tell of that grew, and how many that shrank. */
  readonly top: number;
  readonly paint: Paint;
}

/** What grew and what shrank, as text for a terminal, ending with a newline. */
export function diffText(growth: Growth, { before, after, by, top, paint }: DiffOptions): string {
  const change = changeOf(growth);
  const allocations = growth.after.allocations - growth.before.allocations;
  const painted = (bytes: number, text: string) =>
    bytes > 0 ? paint.grown(text) : bytes < 0 ? paint.shrunk(text) : text;
  const lines = [
    ...table([
      ["before", formatSize(growth.before.bytes), `${count(growth.before.allocations)} allocations`, printable(before)],
      ["after", formatSize(growth.after.bytes), `${count(growth.after.allocations)} allocations`, printable(after)],
    ]),
    "",
    painted(change, `  ${signedSize(change)} (${percent(growth)}), ${signedCount(allocations)} allocations`),
  ];
  const section = (title: string, places: readonly PlaceGrowth[]) => {
    if (places.length === 0) return;
    const shown = places.slice(0, top);
    const sum = places.reduce((bytes, place) => bytes + changeOf(place), 0);
    const which = shown.length < places.length ? `, the first ${shown.length}` : "";
    lines.push(
      "",
      paint.title(`${title} by ${formatSize(Math.abs(sum))} in ${plural(places.length, by)}${which}:`),
      "",
    );
    const [head = "", ...rows] = table([["change", "before", "after", "allocations", by], ...shown.map(row)]);
    lines.push(head, ...rows.map((text, i) => painted(changeOf(shown[i] as PlaceGrowth), text)));
  };
  section(
    "Grew",
    growth.places.filter((place) => changeOf(place) > 0),
  );
  section(
    "Shrank",
    growth.places.filter((place) => changeOf(place) < 0),
  );
  return `${lines.join("\n")}\n`;
}

/** The same as JSON, every place included. Sizes are bytes. Ends with a newline. */
export function diffJson(growth: Growth, { before, after, by }: Pick<DiffOptions, "before" | "after" | "by">): string {
  const side = (what: string, held: Growth["before"]) => ({ what, bytes: held.bytes, allocations: held.allocations });
  const data = {
    before: side(before, growth.before),
    after: side(after, growth.after),
    grown_bytes: changeOf(growth),
    by,
    places: growth.places.map((place) => ({ ...place, grown_bytes: changeOf(place) })),
  };
  return `${JSON.stringify(data, undefined, 2)}\n`;
}

function row(place: PlaceGrowth): string[] {
  return [
    signedSize(changeOf(place)),
    formatSize(place.before.bytes),
    formatSize(place.after.bytes),
    signedCount(place.after.allocations - place.before.allocations),
    placeOf(place, "."),
  ];
}

function plural(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${count(n)} ${what}s`;
}

function signedSize(bytes: number): string {
  return `${bytes > 0 ? "+" : ""}${formatSize(bytes)}`;
}

function signedCount(value: number): string {
  return `${value > 0 ? "+" : ""}${count(value)}`;
}

/** `+12.5%`; growth from nothing has no share. */
function percent(growth: Growth): string {
  if (growth.before.bytes === 0) return growth.after.bytes === 0 ? "0.0%" : "from nothing";
  const value = (100 * changeOf(growth)) / growth.before.bytes;
  return `${value > 0 ? "+" : ""}${value.toFixed(1)}%`;
}
