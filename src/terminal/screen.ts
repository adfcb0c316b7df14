import termkit, { type Terminal } from "terminal-kit";
import { ownTerminal } from "./terminal.js";

/** Colours are numbers of the terminal's 256; without one, the terminal's own. */
export interface Style {
  readonly color?: number;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
}

/** Columns and rows that may be drawn on; the first ones are 0. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Text in one style. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** What a picture is drawn on. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /**
   * Draws a row of an area; what does not fit is cut off.
   * @param row of the area
   * @param from how many columns of the text are to the left of the area
   */
  row(area: Area, row: number, spans: readonly Span[], from?: number): void;
}

export interface ScreenOptions {
  readonly colors: boolean;
  /** Draws the whole picture anew. */
  readonly paint: (canvas: Canvas) => void;
  /** A key, by terminal-kit's names: `UP`, `ENTER`, `PAGE_DOWN`, `CTRL_A`, or the character. */
  readonly onKey: (key: string) => void;
  /** A signal that ends programs, after the screen was closed; unless told, it ends this one. */
  readonly onEnd?: (signal: NodeJS.Signals) => void;
}

/** Signals that end programs, of those that programs get from their terminal or their user. */
const ENDING: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
/** What a character has after itself in the same place, or does not show at all; cells hold one character each. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/gu;

/**
 * The whole terminal, for one picture at a time; of a new picture only what changed is sent. The terminal is as it was
 * before when this is closed, when the process exits, and when it is ended or stopped by a signal.
 */
export class Screen {
  /** Resolves when the screen is closed, rejects where drawing or a key threw. */
  readonly closed: Promise<void>;
  readonly #terminal: Terminal;
  readonly #options: ScreenOptions;
  readonly #signals = new Map<NodeJS.Signals, () => void>();
  #buffer: InstanceType<typeof termkit.ScreenBuffer> | undefined;
  #open = false;
  #drawn = false;
  /** Whether the last picture has characters that take two columns. */
  #hasWide = false;
  #settle: (error?: unknown) => void = () => {};

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#terminal = ownTerminal();
    this.closed = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.#terminal.on("key", this.#onKey);
    this.#terminal.on("resize", this.#onResize);
    for (const signal of ENDING) this.#signals.set(signal, () => this.#endBy(signal));
    // Stopped by whoever else, the terminal may have been used meanwhile.
    this.#signals.set("SIGCONT", () => {
      this.#leave();
      this.#enter();
    });
    for (const [signal, handler] of this.#signals) process.on(signal, handler);
    process.on("exit", this.#leave);
    // The terminal may be gone; its SIGHUP ends the program.
    process.stdout.on("error", ignore);
    process.stdin.on("error", ignore);
    this.#enter();
  }

  /** Draws what is to be seen now, at the latest when the events at hand are done. */
  redraw(): void {
    if (!this.#drawn) return;
    this.#drawn = false;
    setImmediate(() => this.#draw());
  }

  /** @param error what went wrong, if that is why */
  close(error?: unknown): void {
    this.#leave();
    this.#terminal.off("key", this.#onKey);
    this.#terminal.off("resize", this.#onResize);
    for (const [signal, handler] of this.#signals) process.off(signal, handler);
    process.off("exit", this.#leave);
    process.stdin.unref();
    this.#settle(error);
  }

  readonly #onKey = (name: string): void => {
    if (name === "CTRL_Z") this.#stop();
    else this.#attempt(() => this.#options.onKey(name));
  };

  readonly #onResize = (): void => {
    this.#buffer = undefined;
    this.redraw();
  };

  #enter(): void {
    this.#open = true;
    this.#buffer = undefined;
    this.#drawn = true;
    this.#terminal.fullscreen(true);
    this.#terminal.hideCursor();
    this.#terminal.grabInput({});
    this.redraw();
  }

  readonly #leave = (): void => {
    if (!this.#open) return;
    this.#open = false;
    this.#terminal.grabInput(false);
    this.#terminal.styleReset();
    this.#terminal.hideCursor(false);
    this.#terminal.fullscreen(false);
  };

  /** What the shell's Ctrl-Z does: it stops the whole job. Where nobody can continue it, the kernel does not stop it. */
  #stop(): void {
    this.#leave();
    process.kill(0, "SIGTSTP");
    setTimeout(() => {
      if (!this.#open) this.#enter();
    }, 50);
  }

  #endBy(signal: NodeJS.Signals): void {
    this.close();
    if (this.#options.onEnd === undefined) process.kill(process.pid, signal);
    else this.#options.onEnd(signal);
  }

  #draw(): void {
    this.#drawn = true;
    if (!this.#open) return;
    const terminal = this.#terminal;
    const width = Math.max(1, terminal.width || 80);
    const height = Math.max(1, terminal.height || 24);
    const buffer = this.#buffer ?? new termkit.ScreenBuffer({ dst: terminal, width, height });
    const whole = this.#buffer === undefined;
    this.#buffer = buffer;
    this.#attempt(() => {
      // terminal-kit does not send what comes in place of the right half of a wide character.
      const hadWide = this.#hasWide;
      this.#hasWide = false;
      const onWide = () => {
        this.#hasWide = true;
      };
      this.#options.paint(canvasOf(buffer, this.#options.colors, onWide));
      if (whole) terminal.clear();
      buffer.draw({ delta: !hadWide });
    });
  }

  /** So that what went wrong can be read, and not on a screen that goes away. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.close(error);
    }
  }
}

/** Draws on cells, and clears them before; tells of characters that take two of them. */
export function canvasOf(
  buffer: InstanceType<typeof termkit.ScreenBuffer>,
  colors: boolean,
  onWide: () => void = () => {},
): Canvas {
  // Unless told, what is cleared lets through what was there before.
  buffer.fill({ attr: { defaultColor: true, bgDefaultColor: true }, char: " " });
  const { width, height } = buffer;
  return {
    width,
    height,
    row(area, row, spans, from = 0) {
      if (row < 0 || row >= area.height || area.width <= 0) return;
      let column = -from;
      for (const { text, style } of spans) {
        const { color, ...rest } = style ?? {};
        const attr = color !== undefined && colors ? { color, ...rest } : { defaultColor: true, ...rest };
        const { shown, start, end } = fitted(text, column, area.width);
        if (columnsOf(shown) > shown.length) onWide();
        if (shown !== "") buffer.put({ x: area.x + start, y: area.y + row, attr, wrap: false, dx: 1, dy: 0 }, shown);
        column = end;
        if (column >= area.width) return;
      }
    },
  };
}

/** How many columns the text takes. */
export function columnsOf(text: string): number {
  return termkit.stringWidth(text);
}

/** The part of a text between columns 0 and `width`, where it starts, and the column after the text. */
function fitted(text: string, column: number, width: number): { shown: string; start: number; end: number } {
  const start = Math.max(0, column);
  let shown = "";
  let at = column;
  for (const character of text.normalize("NFC").replace(ZERO_WIDTH, "")) {
    const columns = termkit.stringWidth(character);
    if (at + columns > width) {
      // Too wide for the last column.
      if (at < width && at >= 0) shown += " ";
      at = width;
      break;
    }
    if (at >= 0) shown += character;
    else if (at + columns > 0) shown += " ";
    at += columns;
  }
  return { shown, start, end: at };
}

function ignore(): void {}
