import type { AllocationRecord } from "../capture/records.js";
import { answeringRank, nameWithoutFrames } from "./answering-frame.js";
import type { StackTraces } from "./stack-traces.js";

/** A function of one file; or a thread, where it allocates without a stack, whose file is empty. */
export interface LocationName {
  readonly function: string;
  readonly file: string;
  /** Where a function begins that has no name, which tells it from the others of its file; otherwise 0. */
  readonly line: number;
  /** As frames have it. */
  readonly internal?: true;
}

const NAMELESS = "<anonymous>";

/** In place of a row: not looked up yet; functions that were inlined into one another, or none. */
const UNKNOWN = -1;
export const SEVERAL = -2;

/** The function that answers for what a frame allocates; `rank` is that of answeringRank. */
interface Answer {
  readonly row: number;
  readonly rank: number;
}

/** Numbers the functions that frames are of, each a row of its own, in the order in which they are asked for. */
export class FunctionRows {
  readonly #stacks: StackTraces;
  readonly #names: LocationName[] = [];
  /** By file, then function. */
  readonly #rows = new Map<string, Map<string, number>>();
  /** By physical frame: its function's row, UNKNOWN or SEVERAL. */
  #rowOfFrame = new Int32Array(0);
  /** By physical frame that is SEVERAL: the rows, each once, innermost first. */
  readonly #rowsOfFrame = new Map<number, readonly number[]>();
  /** By physical frame. */
  readonly #answers = new Map<number, Answer>();

  constructor(stacks: StackTraces) {
    this.#stacks = stacks;
  }

  /** What the rows are. Only grows: a row keeps its number. */
  get names(): readonly LocationName[] {
    return this.#names;
  }

  /** Has room for so many frames. */
  makeRoom(frames: number): void {
    if (this.#rowOfFrame.length >= frames) return;
    const rows = new Int32Array(frames).fill(UNKNOWN);
    rows.set(this.#rowOfFrame);
    this.#rowOfFrame = rows;
  }

  /** Whether the frame was asked for before. */
  knows(frame: number): boolean {
    return this.#rowOfFrame[frame] !== UNKNOWN;
  }

  /** The rows of a frame that is SEVERAL, each once, innermost first. */
  rowsOf(frame: number): readonly number[] {
    return this.#rowsOfFrame.get(frame) ?? [];
  }

  /** Of a frame's functions, the one that answers for what they allocate, and how readily; undefined where it has none. */
  answerOf(frame: number): Answer | undefined {
    let answer = this.#answers.get(frame);
    if (answer === undefined) {
      const ranks = this.#stacks.framesOf(frame).map(answeringRank);
      if (ranks.length === 0) return undefined;
      const rank = Math.min(...ranks);
      answer = { row: this.#rowsOfFunctions(frame)[ranks.indexOf(rank)] as number, rank };
      this.#answers.set(frame, answer);
    }
    return answer;
  }

  /** The row of a physical frame's function, or SEVERAL. */
  rowOf(frame: number): number {
    const known = this.#rowOfFrame[frame] as number;
    if (known !== UNKNOWN) return known;
    const distinct = [...new Set(this.#rowsOfFunctions(frame))];
    const [first] = distinct;
    const row = distinct.length === 1 && first !== undefined ? first : SEVERAL;
    if (row === SEVERAL) this.#rowsOfFrame.set(frame, distinct);
    this.#rowOfFrame[frame] = row;
    return row;
  }

  #rowsOfFunctions(frame: number): number[] {
    const stacks = this.#stacks;
    let lines: readonly number[] | undefined;
    return stacks.framesOf(frame).map(({ function: name, file, internal }, i) => {
      if (name === NAMELESS) lines ??= stacks.firstLinesOf(frame);
      return this.#numberOf(name, file, name === NAMELESS ? (lines?.[i] ?? 0) : 0, internal);
    });
  }

  /** The row of what a thread allocates without a stack. */
  ofThread(thread: Pick<AllocationRecord, "threadName" | "tid" | "language">): number {
    return this.#numberOf(nameWithoutFrames(thread), "", 0);
  }

  #numberOf(name: string, file: string, line: number, internal?: true): number {
    let ofFile = this.#rows.get(file);
    if (ofFile === undefined) {
      ofFile = new Map();
      this.#rows.set(file, ofFile);
    }
    const key = line === 0 ? name : `${name}:${line}`;
    let row = ofFile.get(key);
    if (row === undefined) {
      row = this.#names.length;
      this.#names.push({ function: name, file, line, ...(internal && { internal }) });
      ofFile.set(key, row);
    }
    return row;
  }
}
