import { Uint32Column } from "./columns.js";
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
  readonly logicalFunction = new Uint32Column();
  readonly logicalLine = new Uint32Column();
  readonly logicalColumn = new Uint32Column();

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
      this.nodeParent,
      this.nodeFrame,
      this.threadTid,
      this.threadName,
    ]) {
      column.push(0);
    }
  }
}
