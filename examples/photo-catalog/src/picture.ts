/** Pixels, four bytes each: red, green, blue, alpha. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Buffer;
}

export function blankPicture(width: number, height: number): Picture {
  return { width, height, pixels: Buffer.alloc(width * height * 4, 255) };
}
