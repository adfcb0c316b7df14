import MiniSearch from "minisearch";
import type { Caption } from "./captions.js";

/** An index over captions: words, prefixes and near misses. */
export function indexCaptions(captions: readonly Caption[]): MiniSearch<Caption> {
  const index = new MiniSearch<Caption>({
    fields: ["title", "place", "tags"],
    storeFields: ["photo", "title"],
    searchOptions: { boost: { title: 2 }, prefix: true, fuzzy: 0.2 },
  });
  index.addAll(captions);
  return index;
}
