import type { Frame } from "../capture/records.js";
import type { CaptureTables } from "../capture/tables.js";
import { toPath } from "../symbols/file-urls.js";
import type { SourceMaps } from "../symbols/source-maps.js";

/** Turns stack nodes into frames: the program's own, through source maps where there are any. */
export class StackTraces {
  readonly #tables: CaptureTables;
  readonly #maps: SourceMaps | undefined;
  /** Logical frames by physical frame. */
  readonly #frames = new Map<number, readonly Frame[]>();

  /** Without `maps`, frames are where the running code was. */
  constructor(tables: CaptureTables, maps?: SourceMaps) {
    this.#tables = tables;
    this.#maps = maps;
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
      const made: Frame[] = [];
      for (let i = frameEnd.at(physical - 1); i < frameEnd.at(physical); i++) made.push(this.#frame(i));
      this.#frames.set(physical, made);
      frames = made;
    }
    return frames;
  }

  #frame(logical: number): Frame {
    const { strings, functionName, functionScript, scriptUrl, scriptSourceMapUrl, ...tables } = this.#tables;
    const id = tables.logicalFunction.at(logical);
    const line = tables.logicalLine.at(logical);
    const column = tables.logicalColumn.at(logical);
    const script = functionScript.at(id);
    const url = strings.get(scriptUrl.at(script));
    const original = this.#maps?.originalPosition(url, strings.get(scriptSourceMapUrl.at(script)), line, column);
    return { function: strings.get(functionName.at(id)), ...(original ?? { file: toPath(url), line, column }) };
  }
}
