import { Float64Column, Uint32Column } from "./columns.js";
import { StringTable } from "./string-table.js";

/**
 * What a capture defines once and then refers to by id: strings, scripts, functions, frames, stacks and threads.
 * Columns per kind; ids count from 1 and 0 stands for nothing (the empty string, the empty stack, thread 0).
 * Tables only grow while a capture is read, so an id that was seen stays valid.
 */
export class CaptureTables {
  readonly strings = new StringTable();

  readonly scriptUrl = new Uint32Column(64);
  readonly scriptSourceMapUrl = new Uint32Column(64);

  readonly functionName = new Uint32Column();
  readonly functionScript = new Uint32Column();
  readonly functionLine = new Uint32Column();
  readonly functionColumn = new Uint32Column();

  /** Of physical frame `id` the logical frames are `frameEnd[id - 1]` to `frameEnd[id]`, innermost first. */
  readonly frameEnd = new Uint32Column();
  /** Of a native frame, which has no logical frames: its module, or 0, and its return address less the module's bias. */
  readonly frameModule = new Uint32Column();
  readonly frameAddress = new Float64Column();
  /** By native frame: the name (string id) that its module had for it, where the capture brings names along. */
  readonly frameSymbol = new Map<number, number>();
  /** Native frames whose outermost function is left out: it is an interpreter's loop, and frames outside stand for it. */
  readonly insideLoop = new Set<number>();
  readonly logicalFunction = new Uint32Column();
  readonly logicalLine = new Uint32Column();
  readonly logicalColumn = new Uint32Column();

  readonly modulePath = new Uint32Column(16);
  /** Where the module was loaded, less its own addresses. */
  readonly moduleBias = new Float64Column(16);
  /** In hexadecimal; empty for none. */
  readonly moduleBuildId: string[] = [""];

  readonly nodeParent = new Uint32Column();
  readonly nodeFrame = new Uint32Column();

  readonly threadTid = new Uint32Column(16);
  readonly threadName = new Uint32Column(16);

  constructor() {
    for (const column of [
      this.scriptUrl,
      this.scriptSourceMapUrl,
      this.functionName,
      this.functionScript,
      this.functionLine,
      this.functionColumn,
      this.frameEnd,
      this.frameModule,
      this.frameAddress,
      this.modulePath,
      this.moduleBias,
      this.nodeParent,
      this.nodeFrame,
      this.threadTid,
      this.threadName,
    ]) {
      column.push(0);
    }
  }

  /** Whether a physical frame is machine code rather than functions of the runtime. */
  isNative(frame: number): boolean {
    return this.frameEnd.at(frame - 1) === this.frameEnd.at(frame);
  }
}
