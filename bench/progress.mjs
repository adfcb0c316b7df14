import { SingleBar } from "cli-progress";

/** What is being measured now, on standard error: a bar on a terminal, a line for each piece of work elsewhere. */
export class Progress {
  /** @type {SingleBar | undefined} */
  #bar;

  /**
   * @param {string} label
   * @param {number} [steps]
   */
  start(label, steps = 1) {
    this.stop();
    if (!process.stderr.isTTY) {
      process.stderr.write(`${label} ...\n`);
      return;
    }
    this.#bar = new SingleBar({
      format: `${label} [{bar}] {value}/{total} | {eta_formatted} left`,
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    });
    this.#bar.start(steps, 0);
  }

  step() {
    this.#bar?.increment();
    // Measuring blocks, so the bar's own timer does not get to draw it.
    this.#bar?.updateETA();
  }

  stop() {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
