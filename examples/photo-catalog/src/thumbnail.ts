import sharp from "sharp";
import type { Picture } from "./picture.js";

/** Scales a picture down so that its longer side is `side`. */
export async function makeThumbnail({ width, height, pixels }: Picture, side: number): Promise<Picture> {
  const whole = sharp(pixels, { raw: { width, height, channels: 4 } });
  const { data, info } = await whole.resize(side, side, { fit: "inside" }).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: data };
}
