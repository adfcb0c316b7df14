/** Measures and cuts text for one font; per character, because measuring whole strings is too slow for every frame. */
export class TextFitter {
  readonly #measure: (text: string) => number;
  readonly #widths = new Map<string, number>();
  readonly #ellipsis: number;

  constructor(measure: (text: string) => number) {
    this.#measure = measure;
    this.#ellipsis = measure("…");
  }

  width(text: string): number {
    let width = 0;
    for (const character of text) width += this.#character(character);
    return width;
  }

  /** The text, or as much of its beginning as fits with an ellipsis; empty when not even three characters do. */
  fit(text: string, room: number): string {
    let width = 0;
    let kept = "";
    let keptWithEllipsis = "";
    let characters = 0;
    for (const character of text) {
      width += this.#character(character);
      if (width > room) return characters >= 3 ? `${keptWithEllipsis.trimEnd()}…` : "";
      kept += character;
      if (width + this.#ellipsis <= room) {
        keptWithEllipsis = kept;
        characters++;
      }
    }
    return kept;
  }

  #character(character: string): number {
    let width = this.#widths.get(character);
    if (width === undefined) {
      width = this.#measure(character);
      this.#widths.set(character, width);
    }
    return width;
  }
}
