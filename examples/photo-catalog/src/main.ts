import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import jpeg from "jpeg-js";
import { exportCaptions, importCaptions } from "./captions.js";
import { layOutContactSheet } from "./contact-sheet.js";
import { decodePicture } from "./decode.js";
import { PictureCache } from "./picture-cache.js";
import { indexCaptions } from "./search.js";
import { makeTestPhotos } from "./test-photos.js";
import { makeThumbnail } from "./thumbnail.js";

const PHOTOS = 32;
const CAPTIONS = 8_000;
const CACHE_BYTES = 160 * 1024 * 1024;
const THUMBNAIL_SIDE = 320;

const folder = await mkdtemp(path.join(tmpdir(), "photo-catalog-"));
try {
  const names = await makeTestPhotos(folder, PHOTOS);
  console.log(`${names.length} photos`);

  const cache = new PictureCache(CACHE_BYTES);
  const load = (name: string) => cache.get(name, () => decodePicture(name, readFileSync(path.join(folder, name))));
  const thumbnails = await Promise.all(names.map((name) => makeThumbnail(load(name), THUMBNAIL_SIDE)));
  console.log(`${thumbnails.length} thumbnails, ${Math.round(cache.bytes / 1e6)} MB of pictures cached`);

  const sheet = layOutContactSheet(thumbnails, THUMBNAIL_SIDE);
  const file = jpeg.encode({ width: sheet.width, height: sheet.height, data: sheet.pixels }, 85).data;
  await writeFile(path.join(folder, "contact-sheet.jpg"), file);
  console.log(`contact sheet of ${sheet.width} x ${sheet.height} pixels`);

  const captions = importCaptions(exportCaptions(names, CAPTIONS));
  const index = indexCaptions(captions);
  console.log(`${captions.length} captions`);

  for (const query of ["morning harbour", "brige", "Lyon snow"]) {
    const [best, ...rest] = index.search(query);
    if (!best) continue;
    const { width, height } = load(best.photo);
    console.log(`${query}: ${rest.length + 1} hits, best "${best.title}" in ${best.photo} (${width} x ${height})`);
  }
} finally {
  await rm(folder, { recursive: true });
}
