import type { HowEnded, LiveSession } from "../live/live-session.js";
import { paintLive } from "./live-picture.js";
import { LiveViewState } from "./live-state.js";
import { Screen } from "./screen.js";

/** Ends of the session that are those of the program. */
const GONE: readonly HowEnded[] = ["exited", "signal", "killed"];

export interface LiveAppOptions {
  /** What is shown, in a few words. */
  readonly title: string;
  /** What `q` does. */
  readonly quitHelp: string;
  readonly colors: boolean;
  /** How the program ended, where that is known better than from the session. */
  readonly howEnded?: Promise<string>;
  /**
   * Writes a flame graph into a file of its own.
   * @returns what to say of it
   */
  readonly save: (html: string) => string;
}

/**
 * Shows a running program's memory in the terminal until the user quits; the session is left as it is.
 * @returns the signal that ended it, SIGINT for Ctrl-C; undefined where it was quit
 */
export async function watchLive(session: LiveSession, options: LiveAppOptions): Promise<NodeJS.Signals | undefined> {
  const { header } = session;
  const state = new LiveViewState(session.state, header);
  let signal: NodeJS.Signals | undefined;
  const screen = new Screen({
    colors: options.colors,
    paint: (canvas) => paintLive(canvas, state, { ...options, header }),
    onKey: (key) => app.press(key),
    onEnd: (by) => {
      signal = by;
    },
  });
  const app = new LiveApp(session, state, options, screen, () => {
    signal = "SIGINT";
  });
  const unhear = session.onChange(() => app.refresh());
  options.howEnded?.then(
    (sentence) => app.tellEnd(sentence),
    () => {},
  );
  app.refresh();
  try {
    await screen.closed;
  } finally {
    unhear();
  }
  return signal;
}

/** Between the session, the keys and the screen. */
class LiveApp {
  readonly #session: LiveSession;
  readonly #state: LiveViewState;
  readonly #options: LiveAppOptions;
  readonly #screen: Screen;
  readonly #interrupt: () => void;
  /** Whether locations were asked for and have not come, and whether others were wanted since. */
  #asked = false;
  #wanted = false;
  #saving = false;
  #howEnded: string | undefined;

  constructor(
    session: LiveSession,
    state: LiveViewState,
    options: LiveAppOptions,
    screen: Screen,
    interrupt: () => void,
  ) {
    this.#session = session;
    this.#state = state;
    this.#options = options;
    this.#screen = screen;
    this.#interrupt = interrupt;
  }

  press(key: string): void {
    const effect = this.#state.press(key);
    if (effect === "none") return;
    if (effect === "interrupt") this.#interrupt();
    if (effect === "interrupt" || effect === "quit") {
      this.#screen.close();
      return;
    }
    if (effect === "pause") this.#attempt(this.#pause());
    else if (effect === "save") this.#attempt(this.#save());
    else if (effect === "asks") this.#askLocations();
    this.#screen.redraw();
  }

  /** Shows what is new. */
  refresh(): void {
    const { end, state } = this.#session;
    const isGone = end !== undefined && GONE.includes(end.how);
    this.#state.end = isGone && this.#howEnded !== undefined ? { ...end, sentence: this.#howEnded } : end;
    if (!this.#state.isPaused) {
      this.#state.now = state;
      this.#askLocations();
    }
    this.#screen.redraw();
  }

  /** @param sentence how the program ended, in place of what the session says of it */
  tellEnd(sentence: string): void {
    this.#howEnded = sentence;
    this.refresh();
  }

  async #pause(): Promise<void> {
    this.#state.isPaused = !this.#state.isPaused;
    this.#state.now = this.#state.isPaused ? await this.#session.hold() : await this.#session.release();
    this.#askLocations();
    this.#screen.redraw();
  }

  async #save(): Promise<void> {
    if (this.#saving) return;
    this.#saving = true;
    this.#state.message = "Making a flame graph…";
    try {
      this.#state.message = this.#options.save(await this.#session.flameGraph());
    } finally {
      this.#saving = false;
    }
    this.#screen.redraw();
  }

  /** One question at a time: while it is not answered, the last one is remembered. */
  #askLocations(): void {
    if (this.#asked) {
      this.#wanted = true;
      return;
    }
    this.#asked = true;
    this.#wanted = false;
    this.#attempt(this.#takeLocations());
  }

  async #takeLocations(): Promise<void> {
    try {
      this.#state.locations = await this.#session.locations(this.#state.query);
    } finally {
      this.#asked = false;
    }
    if (this.#wanted) this.#askLocations();
    this.#screen.redraw();
  }

  /** What goes wrong is told on the screen, which goes on. */
  #attempt(work: Promise<void>): void {
    work.catch((error: Error) => {
      this.#state.message = `That did not work: ${error.message}`;
      this.#screen.redraw();
    });
  }
}
