import { type LocationInput, type ProfileInput, StringTable } from "pprof-format";
import type { CodePlace, Frame } from "../capture/records.js";
import { escapeControlCharacters } from "./control-characters.js";

/** pprof rounds mappings to pages. */
const PAGE_BYTES = 4096;

interface MappingRow {
  readonly id: number;
  readonly file: string;
  buildId: string;
  /** The highest address in it. */
  highest: number;
}

/** What samples of one profile refer to: locations, functions, mappings and strings, each once, numbered from 1 on. */
export class PprofTables {
  readonly #strings = new StringTable();
  readonly #functions = new Map<string, { id: number; name: number; filename: number }>();
  readonly #locations = new Map<string, LocationInput>();
  readonly #mappings = new Map<string, MappingRow>();
  /** Frames of one physical frame are the same objects in every stack. */
  readonly #known = new WeakMap<Frame, number>();

  readonly #program: string;

  /** `program`: path of the executable, whose mapping pprof takes for that of the profile. */
  constructor(program: string) {
    this.#program = program;
    this.#mappings.set(program, { id: 1, file: program, buildId: "", highest: 0 });
  }

  /** Control characters are escaped: pprof prints names as they are. */
  string(text: string): number {
    return this.#strings.dedup(escapeControlCharacters(text));
  }

  /** The location ids of a stack, innermost first. Native functions that were inlined at one address are one location. */
  locationsOf(frames: readonly Frame[]): number[] {
    const ids: number[] = [];
    for (let i = 0; i < frames.length; ) {
      const frame = frames[i] as Frame;
      let next = i + 1;
      while (next < frames.length && isInlinedWith(frame, frames[next] as Frame)) next++;
      let id = this.#known.get(frame);
      if (id === undefined) {
        id = this.#locationOf(frames.slice(i, next));
        this.#known.set(frame, id);
      }
      ids.push(id);
      i = next;
    }
    return ids;
  }

  /** All of it, as the rest of the profile. */
  finish(): ProfileInput {
    return {
      mapping: [...this.#mappings.values()].map(({ id, file, buildId, highest }) => ({
        id,
        memoryLimit: Math.ceil((highest + 1) / PAGE_BYTES) * PAGE_BYTES,
        filename: this.string(file),
        buildId: this.string(buildId),
        hasFunctions: true,
        hasFilenames: true,
        hasLineNumbers: true,
        hasInlineFrames: true,
      })),
      location: [...this.#locations.values()],
      function: [...this.#functions.values()].map((row) => ({ ...row, systemName: row.name })),
      stringTable: this.#strings,
    };
  }

  #locationOf(frames: readonly Frame[]): number {
    const { code } = frames[0] as Frame;
    const lines = frames.map(({ function: name, file, line, column }) => ({
      functionId: this.#functionOf(name, file),
      line,
      column,
    }));
    const mapping = code === undefined ? 0 : this.#mappingOf(code);
    const key = `${mapping} ${code?.address ?? 0} ${lines.map(({ functionId, line, column }) => `${functionId}:${line}:${column}`).join(" ")}`;
    let location = this.#locations.get(key);
    if (location === undefined) {
      // Addresses are the file's own, as if it were loaded at 0: the same in every run.
      location = { id: this.#locations.size + 1, mappingId: mapping, address: code?.address ?? 0, line: lines };
      this.#locations.set(key, location);
    }
    return location.id as number;
  }

  #functionOf(name: string, file: string): number {
    const key = `${name}\0${file}`;
    let row = this.#functions.get(key);
    if (row === undefined) {
      row = { id: this.#functions.size + 1, name: this.string(name), filename: this.string(file) };
      this.#functions.set(key, row);
    }
    return row.id;
  }

  #mappingOf({ module, buildId, address }: CodePlace): number {
    const key = module === this.#program ? module : `${module}\0${buildId}`;
    let row = this.#mappings.get(key);
    if (row === undefined) {
      row = { id: this.#mappings.size + 1, file: module, buildId, highest: 0 };
      this.#mappings.set(key, row);
    }
    row.buildId = buildId;
    row.highest = Math.max(row.highest, address);
    return row.id;
  }
}

/** Recursion brings the same frame again. */
function isInlinedWith(innermost: Frame, frame: Frame): boolean {
  return frame.code !== undefined && frame.code === innermost.code && frame !== innermost;
}
