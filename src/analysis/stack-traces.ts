import type { Frame } from "../capture/records.js";
import type { CaptureTables } from "../capture/tables.js";
import { toPath } from "../symbols/file-urls.js";
import type { FunctionNames } from "../symbols/function-names.js";
import type { SourceMaps } from "../symbols/source-maps.js";

/** Turns stack nodes into frames: the program's own, through source maps where there are any. */
export class StackTraces {
  readonly #tables: CaptureTables;
  readonly #maps: SourceMaps | undefined;
  readonly #names: FunctionNames | undefined;
  /** Logical frames by physical frame. */
  readonly #frames = new Map<number, readonly Frame[]>();

  /** Without `maps`, frames are where the running code was; without `names`, functions are called as they were there. */
  constructor(tables: CaptureTables, maps?: SourceMaps, names?: FunctionNames) {
    this.#tables = tables;
    this.#maps = maps;
    this.#names = names;
  }

  /** The frames of a stack node, innermost first, at most `maxStacks` of them. */
  of(node: number, maxStacks = Number.POSITIVE_INFINITY): Frame[] {
    const { nodeParent, nodeFrame } = this.#tables;
    const trace: Frame[] = [];
    for (let at = node; at !== 0 && trace.length < maxStacks; at = nodeParent.at(at)) {
      for (const frame of this.#framesOf(nodeFrame.at(at))) {
        if (trace.length >= maxStacks) break;
        trace.push(frame);
      }
    }
    return trace;
  }

  #framesOf(physical: number): readonly Frame[] {
    let frames = this.#frames.get(physical);
    if (frames === undefined) {
      const { frameEnd } = this.#tables;
      const made: Frame[] = this.#tables.isNative(physical) ? [this.#nativeFrame(physical)] : [];
      for (let i = frameEnd.at(physical - 1); i < frameEnd.at(physical); i++) made.push(this.#frame(i));
      this.#frames.set(physical, made);
      frames = made;
    }
    return frames;
  }

  #nativeFrame(physical: number): Frame {
    const { strings, frameModule, frameAddress, frameSymbol, modulePath } = this.#tables;
    const path = strings.get(modulePath.at(frameModule.at(physical)));
    const symbol = frameSymbol.get(physical);
    const address = `0x${frameAddress.at(physical).toString(16)}`;
    const unknown = path === "" ? address : `${address} in ${path.slice(path.lastIndexOf("/") + 1)}`;
    const name = symbol === undefined ? unknown : strings.get(symbol);
    return { function: name, file: path === "" ? "<native>" : path, line: 0, column: 0, native: true };
  }

  #frame(logical: number): Frame {
    const { strings, functionName, functionScript, functionLine, functionColumn, ...tables } = this.#tables;
    const id = tables.logicalFunction.at(logical);
    const line = tables.logicalLine.at(logical);
    const column = tables.logicalColumn.at(logical);
    const script = functionScript.at(id);
    const url = strings.get(tables.scriptUrl.at(script));
    const sourceMapUrl = strings.get(tables.scriptSourceMapUrl.at(script));
    const original = this.#maps?.originalPosition(url, sourceMapUrl, line, column);
    const start = { script: toPath(url), sourceMapUrl, line: functionLine.at(id), column: functionColumn.at(id) };
    const name = strings.get(functionName.at(id));
    return { function: this.#names?.of(name, start) ?? name, ...(original ?? { file: toPath(url), line, column }) };
  }
}
