import { Category, type FlameGraphData } from "../../../src/reporters/flamegraph-data.js";

export type Theme = "light" | "dark";

/** A colour in OKLCH: lightness 0 to 1, chroma, hue in degrees. */
export interface Oklch {
  readonly l: number;
  readonly c: number;
  readonly h: number;
}

/** Files of one category differ by hue, functions of one file by lightness. */
export const HUES = 11;
export const SHADES = 5;
/** From the darkest shade to the lightest. */
const SHADE_RANGE = 0.05;

/**
 * The program is what the reader came for, so it alone is warm and saturated; the further code is from the reader's hands,
 * the quieter it gets.
 */
const BASE: Record<Theme, Record<Category, Oklch & { readonly spread: number }>> = {
  light: {
    [Category.PROGRAM]: { l: 0.82, c: 0.105, h: 60, spread: 26 },
    [Category.DEPENDENCY]: { l: 0.84, c: 0.06, h: 250, spread: 34 },
    [Category.INTERNAL]: { l: 0.87, c: 0.045, h: 168, spread: 26 },
    [Category.BUILTIN]: { l: 0.89, c: 0.018, h: 120, spread: 20 },
    [Category.NATIVE]: { l: 0.82, c: 0.07, h: 352, spread: 24 },
    [Category.THREAD]: { l: 0.86, c: 0.032, h: 302, spread: 24 },
    [Category.ROOT]: { l: 0.9, c: 0.006, h: 80, spread: 0 },
    [Category.SMALL]: { l: 0.91, c: 0.008, h: 80, spread: 0 },
  },
  dark: {
    [Category.PROGRAM]: { l: 0.465, c: 0.094, h: 52, spread: 26 },
    [Category.DEPENDENCY]: { l: 0.43, c: 0.065, h: 254, spread: 34 },
    [Category.INTERNAL]: { l: 0.41, c: 0.045, h: 172, spread: 26 },
    [Category.BUILTIN]: { l: 0.37, c: 0.014, h: 120, spread: 20 },
    [Category.NATIVE]: { l: 0.44, c: 0.08, h: 356, spread: 24 },
    [Category.THREAD]: { l: 0.4, c: 0.04, h: 302, spread: 24 },
    [Category.ROOT]: { l: 0.32, c: 0.006, h: 80, spread: 0 },
    [Category.SMALL]: { l: 0.31, c: 0.008, h: 80, spread: 0 },
  },
};

export interface Palette {
  readonly theme: Theme;
  /** Fill of each frame. */
  readonly fills: readonly string[];
  /** Siblings too narrow to be told apart. */
  readonly rest: string;
  /** Such siblings, when there is a match among them. */
  readonly restMatch: string;
  readonly ink: string;
  /** Secondary text on a fill. */
  readonly inkSoft: string;
  /** A frame that the search found. */
  readonly match: string;
  readonly matchInk: string;
  readonly matchInkSoft: string;
  /** Outline of the frame under the pointer. */
  readonly hover: string;
  /** Outline of the selected frame. */
  readonly selected: string;
}

export const INKS: Record<Theme, Omit<Palette, "fills">> = {
  light: {
    theme: "light",
    rest: "#e4dfd6",
    restMatch: "#857d70",
    ink: "#1d1a16",
    inkSoft: "#4d463c",
    match: "#22201d",
    matchInk: "#ffffff",
    matchInkSoft: "#cfc9bf",
    hover: "#1d1a16",
    selected: "#0b57d0",
  },
  dark: {
    theme: "dark",
    rest: "#34322f",
    restMatch: "#9b9386",
    ink: "#f7f3ec",
    inkSoft: "#e2dcd2",
    match: "#f4efe6",
    matchInk: "#171614",
    matchInkSoft: "#55504a",
    hover: "#f7f3ec",
    selected: "#8ab4ff",
  },
};

export function paletteOf(data: Pick<FlameGraphData, "frames" | "strings">, theme: Theme): Palette {
  const { category, file, function: names } = data.frames;
  const colours = new Map<number, string>();
  const fills: string[] = [];
  const hashes = data.strings.map(hash);
  for (let frame = 0; frame < category.length; frame++) {
    const hue = (hashes[file[frame] as number] as number) % HUES;
    const shade = (hashes[names[frame] as number] as number) % SHADES;
    const key = ((category[frame] as number) * HUES + hue) * SHADES + shade;
    let fill = colours.get(key);
    if (fill === undefined) {
      fill = fillOf(theme, category[frame] as Category, hue, shade);
      colours.set(key, fill);
    }
    fills.push(fill);
  }
  return { ...INKS[theme], fills };
}

/** A category's fill; without hue (0 to 10) and shade (0 to 4) the middle ones, which the legend shows. */
export function fillOf(theme: Theme, category: Category, hue = (HUES - 1) / 2, shade = (SHADES - 1) / 2): string {
  const { l, c, h, spread } = BASE[theme][category];
  const lift = spread === 0 ? 0 : (shade / (SHADES - 1) - 0.5) * SHADE_RANGE;
  return toHex({ l: l + lift, c, h: h + (hue / (HUES - 1) - 0.5) * spread });
}

/** WCAG contrast of two `#rrggbb` colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  // The last steps of FNV barely reach the high bits; fold them in.
  return ((value >>> 15) ^ value) >>> 0;
}

export function toHex({ l, c, h }: Oklch): string {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const x = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const y = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const z = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
    -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z,
  ];
  return `#${linear.map((channel) => byte(channel).toString(16).padStart(2, "0")).join("")}`;
}

function byte(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  const encoded = value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
  return Math.round(encoded * 255);
}

function luminance(hex: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
