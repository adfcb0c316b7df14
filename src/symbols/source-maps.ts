import {
  decodedMappings,
  FlattenMap,
  LEAST_UPPER_BOUND,
  originalPositionFor,
  type TraceMap,
  traceSegment,
} from "@jridgewell/trace-mapping";
import { toPath, toUrl } from "./file-urls.js";
import type { ReadText } from "./text-files.js";

/** A position in a source file; line and column are 1-based, a column of 0 is unknown. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Maps positions in generated code to the source they were made from. Maps are read when first needed: files,
 * data URLs, index maps; nothing is fetched over a network. A map that is missing or broken maps nothing.
 */
export class SourceMaps {
  readonly #readText: ReadText;
  /** By script and map URL. */
  readonly #maps = new Map<string, TraceMap | undefined>();
  /** Text of the sources that the maps read so far brought along, by file. */
  readonly #contents = new Map<string, { map: TraceMap; index: number }>();

  /** `readText` reads map files, `readTextFile` for instance; maps in data URLs need no reading. */
  constructor(readText: ReadText) {
    this.#readText = readText;
  }

  /**
   * The original of a position (1-based; column 0: unknown) in `script` (path or URL), whose `sourceMappingURL`
   * comment says `sourceMapUrl` ("": none); undefined where there is none.
   */
  originalPosition(script: string, sourceMapUrl: string, line: number, column: number): SourcePosition | undefined {
    if (sourceMapUrl === "" || line < 1) return undefined;
    const map = this.#mapOf(script, sourceMapUrl);
    if (map === undefined) return undefined;
    const needle = { line, column: Math.max(column - 1, 0) };
    let found = originalPositionFor(map, needle);
    // Where only the line is known, its first mapping is the best guess.
    if (found.source === null && column === 0) found = originalPositionFor(map, { ...needle, bias: LEAST_UPPER_BOUND });
    if (!found.source) return undefined;
    return { file: toPath(found.source), line: found.line, column: column === 0 ? 0 : found.column + 1 };
  }

  /** What the source calls the name that begins at a position (1-based); undefined where the map does not tell. */
  originalName(script: string, sourceMapUrl: string, line: number, column: number): string | undefined {
    const map = this.#mapOf(script, sourceMapUrl);
    const segment = map && traceSegment(map, line - 1, column - 1);
    return segment?.length === 5 && segment[0] === column - 1 ? map?.names[segment[4]] : undefined;
  }

  /** The text of a source file (as in `SourcePosition.file`) where a map that was read holds it. */
  content(file: string): string | undefined {
    const found = this.#contents.get(file);
    return found?.map.sourcesContent?.[found.index] ?? undefined;
  }

  #mapOf(script: string, sourceMapUrl: string): TraceMap | undefined {
    const key = `${script}\n${sourceMapUrl}`;
    if (this.#maps.has(key)) return this.#maps.get(key);
    let map: TraceMap | undefined;
    try {
      map = readMap(script, sourceMapUrl, this.#readText);
      if (map !== undefined) this.#addContents(map);
    } catch {
      // The generated position is shown instead.
      map = undefined;
    }
    this.#maps.set(key, map);
    return map;
  }

  #addContents(map: TraceMap): void {
    // Decodes the mappings, so that broken ones are noticed here.
    decodedMappings(map);
    map.resolvedSources.forEach((source, index) => {
      const file = toPath(source);
      if (map.sourcesContent?.[index] != null && !this.#contents.has(file)) this.#contents.set(file, { map, index });
    });
  }
}

function readMap(script: string, sourceMapUrl: string, readText: ReadText): TraceMap | undefined {
  const scriptUrl = toUrl(script);
  if (sourceMapUrl.startsWith("data:")) return new FlattenMap(fromDataUrl(sourceMapUrl), scriptUrl ?? "");
  const mapUrl = new URL(sourceMapUrl, scriptUrl);
  if (mapUrl.protocol !== "file:") return undefined;
  mapUrl.search = mapUrl.hash = "";
  // Some tools put a line before the JSON that keeps browsers from running it.
  const text = readText(toPath(mapUrl.href))?.replace(/^\)\]\}'[^\n]*\n/, "");
  return text === undefined ? undefined : new FlattenMap(text, mapUrl.href);
}

function fromDataUrl(url: string): string {
  const comma = url.indexOf(",");
  const data = url.slice(comma + 1);
  if (!/;base64$/i.test(url.slice(0, comma))) return decodeURIComponent(data);
  return new TextDecoder().decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)));
}
