import { readdirSync, statSync } from "node:fs";
import type { ProcessFacts } from "./process-facts.js";

/** Tells from outside whether a process still writes a capture: it has the file open until tracking ends. */
export class CaptureWatch {
  readonly #process: ProcessFacts;
  readonly #startTime: string | undefined;
  readonly #file: { readonly dev: number; readonly ino: number } | undefined;
  #descriptor: string | undefined;

  /** @param capture absolute path of a file that the process is writing now */
  constructor(process: ProcessFacts, capture: string) {
    this.#process = process;
    this.#startTime = process.startTime;
    this.#file = statSync(capture, { throwIfNoEntry: false });
    this.#descriptor = this.#descriptors().find((name) => this.#isCapture(name));
  }

  /** Whether the process has ended. */
  get hasEnded(): boolean {
    return !this.#process.isStill(this.#startTime);
  }

  /** Whether it still writes the capture. */
  get isWritten(): boolean {
    return this.#descriptor !== undefined && this.#isCapture(this.#descriptor);
  }

  #descriptors(): string[] {
    try {
      return readdirSync(this.#process.path("fd"));
    } catch {
      return [];
    }
  }

  #isCapture(descriptor: string): boolean {
    try {
      const { dev, ino } = statSync(this.#process.path(`fd/${descriptor}`));
      return dev === this.#file?.dev && ino === this.#file.ino;
    } catch {
      return false;
    }
  }
}
