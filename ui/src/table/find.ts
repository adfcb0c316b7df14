import type { TableData } from "../../../src/reporters/table-data.js";
import { parseQuery, type Query } from "../model/search.js";

/** A plain search for a line of a file, like `csv.ts:4` or `csv.ts:4:7`: what the file's name ends with. */
const PLACE = /^(.*?)(?::\d+){1,2}$/;

/**
 * The frames that a search matches, by function name, source text, and `file:line:column`; 1 for a match. Texts are tried
 * once each and places only where the search could mean one, since a large table has a million of them.
 */
export function findFrames(data: TableData, text: string, query: Query = parseQuery(text)): Uint8Array {
  const { frames, strings } = data;
  const matches = new Uint8Array(frames.function.length);
  if (query.state !== "ready") return matches.fill(1);
  const matched = Uint8Array.from(strings, (string) => (string !== "" && query.test(string) ? 1 : 0));
  const ends = placeEnds(data, text.trim());
  for (let frame = 0; frame < matches.length; frame++) {
    const file = frames.file[frame] as number;
    const found =
      matched[frames.function[frame] as number] === 1 ||
      matched[file] === 1 ||
      matched[frames.source[frame] as number] === 1 ||
      (ends[file] === 1 && query.test(`${strings[file]}:${frames.line[frame]}:${frames.column[frame]}`));
    if (found) matches[frame] = 1;
  }
  return matches;
}

/** By string, 1 for files of which a place could match where the file's name alone does not. */
function placeEnds({ frames, strings }: TableData, text: string): Uint8Array {
  const ends = new Uint8Array(strings.length);
  const regex = text.startsWith("/") && /\/[a-z]*$/.test(text.slice(1));
  const place = PLACE.exec(text.toLowerCase());
  if (!regex && !place) return ends;
  for (const file of new Set(frames.file)) {
    const name = strings[file] ?? "";
    if (name !== "" && (regex || name.toLowerCase().endsWith(place?.[1] ?? ""))) ends[file] = 1;
  }
  return ends;
}
