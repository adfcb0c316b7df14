import { type Language, languageOf } from "../capture/language.js";
import type { CaptureHeader, Frame } from "../capture/records.js";
import type { CaptureTables } from "../capture/tables.js";
import { toPath } from "../symbols/file-urls.js";
import type { FunctionNames } from "../symbols/function-names.js";
import type { SourceMaps } from "../symbols/source-maps.js";
import { NativeFrames } from "./native-frames.js";
import { isBelowLibrary, originOfPython } from "./python-files.js";
import { RunnerFrames } from "./runner-frames.js";

/** What explains frames; without one of these, they are shown as the capture has them. */
export interface FrameSources {
  /** Leads to where the program's own code is, from where the running code was. */
  readonly maps?: SourceMaps | undefined;
  /** Functions' names in the source. */
  readonly names?: FunctionNames | undefined;
  readonly native?: NativeFrames | undefined;
  /** The header's; of Node.js unless told. */
  readonly runtime?: CaptureHeader["runtime"];
}

/** Turns stack nodes into frames: the program's own, through source maps where there are any, and native ones. */
export class StackTraces {
  /** What the program is written in. */
  readonly language: Language;
  readonly #library: readonly string[];
  readonly #runner: RunnerFrames | undefined;
  readonly #tables: CaptureTables;
  readonly #maps: SourceMaps | undefined;
  readonly #names: FunctionNames | undefined;
  readonly #native: NativeFrames;
  /** Logical frames by physical frame. */
  readonly #frames = new Map<number, readonly Frame[]>();

  constructor(tables: CaptureTables, sources: FrameSources = {}) {
    const { maps, names, native = new NativeFrames(tables), runtime } = sources;
    this.language = runtime === undefined ? "JavaScript" : languageOf(runtime);
    this.#library = runtime?.standardLibrary ?? [];
    this.#tables = tables;
    this.#native = native;
    if (this.language === "Python") {
      this.#runner = new RunnerFrames(tables);
    } else {
      this.#maps = maps;
      this.#names = names;
    }
    this.follow();
  }

  /** Takes in what the tables have grown by; before that, stacks of new nodes must not be asked for. */
  follow(): void {
    this.#runner?.follow();
  }

  /** Announces the nodes that will be asked for next, where there may be many. */
  expect(nodes: readonly number[]): void {
    this.#native.expect(nodes);
  }

  /** The frames of a stack node, innermost first, at most `maxStacks` of them. */
  of(node: number, maxStacks = Number.POSITIVE_INFINITY): Frame[] {
    const { nodeParent, nodeFrame } = this.#tables;
    const trace: Frame[] = [];
    for (let at = node; at !== 0 && trace.length < maxStacks; at = nodeParent.at(at)) {
      for (const frame of this.framesOf(nodeFrame.at(at))) {
        if (trace.length >= maxStacks) break;
        trace.push(frame);
      }
    }
    return trace;
  }

  /** The functions of a physical frame, innermost first. */
  framesOf(physical: number): readonly Frame[] {
    if (this.#tables.isNative(physical)) return this.#native.of(physical);
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

  /** The lines that the functions of a physical frame begin at, innermost first; 0 where that is not known. */
  firstLinesOf(physical: number): number[] {
    const tables = this.#tables;
    const lines: number[] = [];
    if (tables.isNative(physical)) return lines;
    for (let i = tables.frameEnd.at(physical - 1); i < tables.frameEnd.at(physical); i++) {
      const id = tables.logicalFunction.at(i);
      const script = tables.functionScript.at(id);
      const [url, map] = [tables.scriptUrl.at(script), tables.scriptSourceMapUrl.at(script)].map((text) =>
        tables.strings.get(text),
      ) as [string, string];
      const line = tables.functionLine.at(id);
      lines.push(this.#maps?.originalPosition(url, map, line, tables.functionColumn.at(id))?.line ?? line);
    }
    return lines;
  }

  #frame(logical: number): Frame {
    const { strings, functionName, functionScript, functionLine, functionColumn, ...tables } = this.#tables;
    const id = tables.logicalFunction.at(logical);
    const line = tables.logicalLine.at(logical);
    const column = tables.logicalColumn.at(logical);
    const script = functionScript.at(id);
    const url = strings.get(tables.scriptUrl.at(script));
    const name = strings.get(functionName.at(id));
    if (this.language === "Python") return this.#pythonFrame(name, url, line, column);
    const sourceMapUrl = strings.get(tables.scriptSourceMapUrl.at(script));
    const original = this.#maps?.originalPosition(url, sourceMapUrl, line, column);
    const start = { script: toPath(url), sourceMapUrl, line: functionLine.at(id), column: functionColumn.at(id) };
    return { function: this.#names?.of(name, start) ?? name, ...(original ?? { file: toPath(url), line, column }) };
  }

  #pythonFrame(name: string, file: string, line: number, column: number): Frame {
    const internal = originOfPython(file) !== "internal" && isBelowLibrary(file, this.#library);
    return { function: name, file, line, column, ...(internal && { internal }) };
  }
}
