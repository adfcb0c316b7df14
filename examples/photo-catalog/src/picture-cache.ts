import type { Picture } from "./picture.js";

/** Keeps the pictures used last, up to `limit` bytes of pixels. */
export class PictureCache {
  readonly #pictures = new Map<string, Picture>();
  #bytes = 0;

  constructor(readonly limit: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  get(name: string, load: () => Picture): Picture {
    const picture = this.#pictures.get(name) ?? this.#add(load());
    // A Map remembers the order of insertion: the picture used last comes last.
    this.#pictures.delete(name);
    this.#pictures.set(name, picture);
    this.#evict();
    return picture;
  }

  #add(picture: Picture): Picture {
    this.#bytes += picture.pixels.length;
    return picture;
  }

  #evict(): void {
    for (const [name, picture] of this.#pictures) {
      if (this.#bytes <= this.limit) return;
      this.#pictures.delete(name);
      this.#bytes -= picture.pixels.length;
    }
  }
}
