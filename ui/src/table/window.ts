/** Height of a row, in pixels. */
export const ROW_HEIGHT = 28;
/** Taller than this, browsers cut elements off (Firefox at 17.8 million pixels). */
const MOST_PIXELS = 15_000_000;

/** Where a scroller is, in pixels. */
export interface Scroll {
  readonly top: number;
  readonly height: number;
}

/** The rows on the screen. */
export interface RowWindow {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
  /** Where the first row begins, in pixels below the screen's top; 0 or less. */
  readonly offset: number;
}

/** How tall the scrolled content is, in pixels: all rows, or as much as a browser can do. */
export function contentHeight(count: number): number {
  return Math.min(MOST_PIXELS, count * ROW_HEIGHT);
}

/** Which rows a scroller shows. Where there are more than fit into its content, it moves by more than a pixel at a time. */
export function rowWindow(count: number, scroll: Scroll): RowWindow {
  const top = scroll.top * pixelsPerPixel(count, scroll.height);
  const first = Math.max(0, Math.min(count - 1, Math.floor(top / ROW_HEIGHT)));
  const end = Math.min(count, Math.ceil((top + scroll.height) / ROW_HEIGHT));
  return { first, end, offset: first * ROW_HEIGHT - top };
}

/** The scroller's place from which a row is wholly seen; the nearest to where it is. */
export function scrollTo(row: number, count: number, scroll: Scroll): number {
  const scale = pixelsPerPixel(count, scroll.height);
  const top = scroll.top * scale;
  const rowTop = row * ROW_HEIGHT;
  if (rowTop < top) return Math.floor(rowTop / scale);
  if (rowTop + ROW_HEIGHT > top + scroll.height) return Math.ceil((rowTop + ROW_HEIGHT - scroll.height) / scale);
  return scroll.top;
}

/** Pixels of the table that a pixel of the scroller stands for. */
function pixelsPerPixel(count: number, height: number): number {
  const scrollable = contentHeight(count) - height;
  return scrollable <= 0 ? 1 : (count * ROW_HEIGHT - height) / scrollable;
}
