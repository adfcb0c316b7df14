import { Category, type FlameGraphData } from "../../../src/reporters/flamegraph-data.js";

const known = new WeakMap<FlameGraphData["frames"], Uint32Array>();

/** By frame, its place in the order of names, files and lines. What is no code, like a thread, comes after all that is. */
export function frameOrder({ frames, strings }: Pick<FlameGraphData, "frames" | "strings">): Uint32Array {
  let places = known.get(frames);
  if (places !== undefined) return places;
  const { category, file, line, column } = frames;
  const name = Array.from(frames.function, (at) => strings[at] ?? "");
  const rank = (frame: number): number => (category[frame] === Category.SMALL ? 2 : file[frame] === 0 ? 1 : 0);
  const order = Array.from(name, (_, frame) => frame);
  order.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      compare(name[a] as string, name[b] as string) ||
      compare(strings[file[a] as number] ?? "", strings[file[b] as number] ?? "") ||
      (line[a] as number) - (line[b] as number) ||
      (column[a] as number) - (column[b] as number),
  );
  places = new Uint32Array(order.length);
  for (let place = 0; place < order.length; place++) places[order[place] as number] = place;
  known.set(frames, places);
  return places;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
