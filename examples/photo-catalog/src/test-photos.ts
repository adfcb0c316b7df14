import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { blankPicture, type Picture } from "./picture.js";
import { randomNumbers } from "./random.js";

/** Hills under a sky: smooth areas and edges, as photographs have. */
function drawLandscape(width: number, height: number, seed: number): Picture {
  const random = randomNumbers(seed);
  const picture = blankPicture(width, height);
  const skyHue = 120 + random() * 100;
  const hills = Array.from({ length: 4 }, (_, i) => ({
    base: height * (0.4 + i * 0.13),
    swing: height * (0.05 + random() * 0.1),
    length: width * (0.1 + random() * 0.3),
    shade: 150 - i * 30,
  }));
  for (let x = 0; x < width; x++) {
    const tops = hills.map((hill) => hill.base + hill.swing * Math.sin(x / hill.length));
    for (let y = 0; y < height; y++) {
      const at = (y * width + x) * 4;
      let hill = -1;
      for (let i = 0; i < tops.length; i++) if (y > (tops[i] ?? height)) hill = i;
      const shade = hill < 0 ? 255 - (y / height) * 120 : (hills[hill]?.shade ?? 0);
      picture.pixels[at] = hill < 0 ? skyHue : shade * 0.6;
      picture.pixels[at + 1] = shade;
      picture.pixels[at + 2] = hill < 0 ? 250 : shade * 0.4;
    }
  }
  return picture;
}

function encode({ width, height, pixels }: Picture, format: "jpg" | "png"): Buffer {
  if (format === "jpg") return jpeg.encode({ width, height, data: pixels }, 80).data;
  const png = new PNG({ width, height });
  pixels.copy(png.data);
  return PNG.sync.write(png, { deflateLevel: 1, filterType: 1 });
}

/** Writes `count` photos into `folder`; returns their file names. */
export async function makeTestPhotos(folder: string, count: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const format = i % 2 === 0 ? "jpg" : "png";
    const portrait = i % 5 === 0;
    const photo = drawLandscape(portrait ? 1000 : 1400, portrait ? 1400 : 1000, i + 1);
    const name = `photo-${String(i + 1).padStart(3, "0")}.${format}`;
    await writeFile(path.join(folder, name), encode(photo, format));
    names.push(name);
  }
  return names;
}
