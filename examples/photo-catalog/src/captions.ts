import { parse } from "csv-parse/sync";
import { randomNumbers } from "./random.js";

export interface Caption {
  readonly id: string;
  readonly photo: string;
  readonly title: string;
  readonly place: string;
  readonly tags: string;
}

const WORDS = "river hill meadow forest morning evening storm bridge harbour market snow garden road field lake".split(
  " ",
);
const PLACES = "Ribe Hamburg Gent Lyon Porto Turku Gdansk Kaunas Bergen Graz".split(" ");

/** A table such as a photo archive exports: one line a caption, several captions a photo. */
export function exportCaptions(photos: readonly string[], count: number): Buffer {
  const random = randomNumbers(count);
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? "";
  const lines = ["id,photo,title,place,tags"];
  for (let i = 0; i < count; i++) {
    const title = `"${pick(WORDS)}, ${pick(WORDS)} and ${pick(WORDS)} no. ${i}"`;
    lines.push(`c${i},${pick(photos)},${title},${pick(PLACES)},${pick(WORDS)} ${pick(WORDS)}`);
  }
  return Buffer.from(lines.join("\n"));
}

export function importCaptions(csv: Buffer): Caption[] {
  return parse<Caption>(csv, { columns: true });
}
