import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import type { Picture } from "./picture.js";

const decoders: Record<string, (file: Buffer) => Picture> = {
  ".jpg": (file) => {
    const { width, height, data } = jpeg.decode(file, { formatAsRGBA: true });
    return { width, height, pixels: data };
  },
  ".png": (file) => {
    const { width, height, data } = PNG.sync.read(file);
    return { width, height, pixels: data };
  },
};

/** @throws {Error} the file's name tells of no format known here */
export function decodePicture(name: string, file: Buffer): Picture {
  const decoder = decoders[name.slice(name.lastIndexOf("."))];
  if (!decoder) throw new Error(`${name}: not a JPEG or PNG`);
  return decoder(file);
}
