import { blankPicture, type Picture } from "./picture.js";

const COLUMNS = 8;
const GAP = 16;

/** Lays thumbnails out in rows on one large white sheet. */
export function layOutContactSheet(thumbnails: readonly Picture[], cell: number): Picture {
  const rows = Math.ceil(thumbnails.length / COLUMNS);
  const sheet = blankPicture(COLUMNS * (cell + GAP) + GAP, rows * (cell + GAP) + GAP);
  thumbnails.forEach((thumbnail, i) => {
    const left = GAP + (i % COLUMNS) * (cell + GAP);
    const top = GAP + Math.floor(i / COLUMNS) * (cell + GAP);
    for (let y = 0; y < thumbnail.height; y++) {
      const row = thumbnail.pixels.subarray(y * thumbnail.width * 4, (y + 1) * thumbnail.width * 4);
      row.copy(sheet.pixels, ((top + y) * sheet.width + left) * 4);
    }
  });
  return sheet;
}
