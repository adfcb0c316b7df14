import type { InterpreterLoop } from "../capture/memray/native-traces.js";
import { ElfFile } from "./elf-file.js";
import { rangesOf } from "./symbol-table.js";

/** CPython's functions that execute others: the loop, or since 3.14 one function for each instruction. */
const LOOP = /_PyEval_EvalFrameDefault|^_TAIL_CALL_/;

/** Finds CPython's interpreter loop by the names in the modules' files on this machine. */
export class PythonLoop implements InterpreterLoop {
  /** By module: where code of the loop begins and ends, one after the other. */
  readonly #ranges = new Map<string, readonly (readonly [start: number, end: number])[]>();

  holds(module: string, address: number): boolean {
    let ranges = this.#ranges.get(module);
    if (ranges === undefined) {
      ranges = this.#read(module);
      this.#ranges.set(module, ranges);
    }
    // A return address may be the next function's first.
    const call = address - 1;
    return ranges.some(([start, end]) => call >= start && call < end);
  }

  #read(module: string): readonly (readonly [number, number])[] {
    if (!module.startsWith("/")) return [];
    const file = ElfFile.open(module);
    if (file === undefined) return [];
    try {
      return rangesOf(file, LOOP);
    } finally {
      file.close();
    }
  }
}
