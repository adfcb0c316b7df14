import type { Picture } from "./picture.js";

/** Scales a picture down so that its longer side is `side`; each pixel is the average of those it stands for. */
export function makeThumbnail(picture: Picture, side: number): Picture {
  const scale = side / Math.max(picture.width, picture.height);
  const width = Math.round(picture.width * scale);
  const height = Math.round(picture.height * scale);
  const pixels = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y++) {
    const top = Math.floor(y / scale);
    const bottom = Math.min(picture.height, Math.floor((y + 1) / scale));
    for (let x = 0; x < width; x++) {
      const left = Math.floor(x / scale);
      const right = Math.min(picture.width, Math.floor((x + 1) / scale));
      averageInto(pixels, (y * width + x) * 4, picture, left, top, right, bottom);
    }
  }
  return { width, height, pixels };
}

function averageInto(
  out: Buffer,
  at: number,
  { width, pixels }: Picture,
  left: number,
  top: number,
  right: number,
  bottom: number,
): void {
  const count = (right - left) * (bottom - top);
  for (let channel = 0; channel < 4; channel++) {
    let sum = 0;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) sum += pixels[(y * width + x) * 4 + channel] ?? 0;
    }
    out[at + channel] = sum / count;
  }
}
