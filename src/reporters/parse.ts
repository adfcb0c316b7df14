import type { CaptureRecord, CaptureWalk, DefinitionKind } from "../capture/capture-walk.js";
import type { RawSnapshot } from "../capture/event-batch.js";
import type { CaptureHeader } from "../capture/records.js";
import type { CaptureTables } from "../capture/tables.js";
import { AllocatorType } from "../capture/wire.js";
import { escapeControlCharacters } from "./control-characters.js";

const CHUNK_CHARACTERS = 64 * 1024;
/** Source map URLs can be whole source maps; their own STRING line has all of it. */
const MAX_URL_CHARACTERS = 200;

/**
 * Every record of a capture as text, definitions included, in their order and as the capture has them: a line each, which
 * begins with the record's name and goes on with `key=value`. Strings are in JSON's quotes, addresses hexadecimal, numbered
 * blocks `#n`. In pieces of many lines.
 * @throws CaptureError `CORRUPT`, after the lines before the damage
 */
export function* parsedLines(walk: CaptureWalk): Generator<string, void, undefined> {
  let chunk = `${headerLine(walk.header, walk.version)}\n`;
  const records = walk.records();
  for (;;) {
    let next: IteratorResult<CaptureRecord, void>;
    try {
      next = records.next();
    } catch (error) {
      yield chunk;
      throw error;
    }
    if (next.done) break;
    chunk += `${lineOf(next.value, walk)}\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}

function headerLine(header: CaptureHeader, version: number): string {
  const { fileFormat = "ALL_ALLOCATIONS", ...options } = header.options;
  const fields = {
    version,
    file_format: String(fileFormat),
    pid: header.pid,
    main_tid: header.mainThreadId,
    start_time: time(header.startTimeMs),
    command_line: json(header.commandLine),
    cwd: quoted(header.cwd),
    runtime: quoted(`${header.runtime.name} ${header.runtime.version}`),
    engine: quoted(header.runtime.engine ?? ""),
    platform: quoted(`${header.platform} ${header.arch}`),
    heapray: quoted(header.heaprayVersion),
    options: json(options),
  };
  return line("HEADER", fields);
}

function lineOf(record: CaptureRecord, { tables, aggregate }: CaptureWalk): string {
  switch (record.kind) {
    case "allocation": {
      const { thread, node, size, address, numbered } = record;
      // Nearly all records are these; a template is several times quicker than what puts fields together.
      return `${allocatorName(record.allocator)} thread=${thread} node=${node} size=${size} ${place(address, numbered)}`;
    }
    case "free":
      return `FREE thread=${record.thread} ${place(record.address, record.numbered)}`;
    case "munmap":
      return `MUNMAP thread=${record.thread} size=${record.size} ${place(record.address, false)}`;
    case "switch":
      return line("SWITCH", { thread: record.thread, tid: tables.threadTid.at(record.thread) });
    case "snapshot":
      return snapshotLine(record.snapshot);
    case "location":
      return line("LOCATION", {
        thread: aggregate.thread.at(record.row),
        node: aggregate.node.at(record.row),
        allocator: allocatorName(aggregate.allocator.at(record.row)),
        n_allocations_in_high_water_mark: aggregate.peakCount.at(record.row),
        bytes_in_high_water_mark: aggregate.peakBytes.at(record.row),
        n_allocations_leaked: aggregate.liveCount.at(record.row),
        bytes_leaked: aggregate.liveBytes.at(record.row),
      });
    case "totals":
      return line("TOTALS", {
        n_allocations: aggregate.totals?.allocations ?? 0,
        bytes: aggregate.totals?.bytes ?? 0,
      });
    case "symbol": {
      const name = tables.frameSymbol.get(record.frame) ?? 0;
      return line("SYMBOL", { frame: record.frame, name: quoted(tables.strings.get(name)) });
    }
    case "trailer": {
      const { endTimeMs, reason, signal } = record.end;
      return line("TRAILER", { end_time: time(endTimeMs), reason: quoted(reason), ...(signal && { signal }) });
    }
    case "unknown":
      return line("UNKNOWN", { subtype: record.subtype, bytes: record.bytes });
    default:
      return definitionLine(record.kind, record.id, tables);
  }
}

function definitionLine(kind: DefinitionKind, id: number, tables: CaptureTables): string {
  const text = (string: number): string => quoted(tables.strings.get(string));
  switch (kind) {
    case "string":
      return line("STRING", { id, text: text(id) });
    case "script":
      return line("SCRIPT", {
        id,
        url: text(tables.scriptUrl.at(id)),
        source_map_url: quoted(shortened(tables.strings.get(tables.scriptSourceMapUrl.at(id)))),
      });
    case "function":
      return line("FUNCTION", {
        id,
        name: text(tables.functionName.at(id)),
        script: tables.functionScript.at(id),
        line: tables.functionLine.at(id),
        column: tables.functionColumn.at(id),
      });
    case "frame":
      return frameLine(id, tables);
    case "node":
      return line("NODE", { id, parent: tables.nodeParent.at(id), frame: tables.nodeFrame.at(id) });
    case "thread":
      return line("THREAD", { id, tid: tables.threadTid.at(id), name: text(tables.threadName.at(id)) });
    case "module":
      return line("MODULE", {
        id,
        path: text(tables.modulePath.at(id)),
        bias: hexadecimal(tables.moduleBias.at(id)),
        build_id: tables.moduleBuildId[id] ?? "",
      });
  }
}

/** Functions that were inlined into each other are one frame, innermost first. */
function frameLine(id: number, tables: CaptureTables): string {
  const { strings, frameEnd, logicalFunction, logicalLine, logicalColumn } = tables;
  if (tables.isNative(id)) {
    const [module, address] = [tables.frameModule.at(id), tables.frameAddress.at(id)];
    return line("NATIVE_FRAME", {
      id,
      module,
      path: quoted(strings.get(tables.modulePath.at(module))),
      address: hexadecimal(address),
    });
  }
  const functions: string[] = [];
  for (let i = frameEnd.at(id - 1); i < frameEnd.at(id); i++) {
    const of = logicalFunction.at(i);
    const name = strings.get(tables.functionName.at(of));
    const url = strings.get(tables.scriptUrl.at(tables.functionScript.at(of)));
    const position = `${logicalLine.at(i)}:${logicalColumn.at(i)}`;
    functions.push(`{function=${of} name=${quoted(name)} at=${quoted(`${url}:${position}`)}}`);
  }
  return line("FRAME", { id, functions: functions.join("") });
}

function snapshotLine({ timeMs, rss, heapUsed, heapCommitted, external, tracked }: RawSnapshot): string {
  return line("MEMORY_SNAPSHOT", {
    time_ms: timeMs,
    rss,
    heap_used: heapUsed,
    heap_committed: heapCommitted,
    external,
    ...(tracked !== undefined && { tracked }),
  });
}

function line(name: string, fields: Readonly<Record<string, string | number>>): string {
  return `${name} ${Object.entries(fields)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ")}`;
}

/** Where a block or range is. */
function place(address: number, numbered: boolean): string {
  return numbered ? `block=#${address}` : `address=${hexadecimal(address)}`;
}

function allocatorName(allocator: number): string {
  return AllocatorType[allocator] ?? `ALLOCATOR_${allocator}`;
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}

function shortened(url: string): string {
  return url.length <= MAX_URL_CHARACTERS ? url : `${url.slice(0, MAX_URL_CHARACTERS)}...`;
}

function quoted(text: string): string {
  return json(text);
}

/** JSON's own escapes leave some of the characters that steer terminals. */
function json(value: unknown): string {
  return escapeControlCharacters(JSON.stringify(value));
}

/** As ISO 8601 has it; what no date can be, as a number. */
function time(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString();
}
