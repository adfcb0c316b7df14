import type { ByteWindow } from "./byte-window.js";
import type { CaptureTables } from "./tables.js";
import { Flag, MAX_STRING_BYTES, Type } from "./wire.js";

/**
 * Decodes a record that defines something (a string, script, function, frame or thread) into the tables, from the
 * window's position, which is after its `tag` at `start`. False where the input ends inside of it.
 * @throws CaptureError `CORRUPT`
 */
export function readDefinition(tag: number, start: number, window: ByteWindow, tables: CaptureTables): boolean {
  const type = tag & 15;
  switch (type) {
    case Type.STRING:
      return readString(start, window, tables);
    case Type.SCRIPT:
      return readScript(start, window, tables);
    case Type.FUNCTION:
      return readFunction(start, window, tables);
    case Type.FRAME:
      return (tag & Flag.NATIVE_FRAME) !== 0
        ? readNativeFrame(start, window, tables)
        : readFrame(start, window, tables);
    case Type.THREAD:
      return readThread(start, window, tables);
    default:
      throw new Error(`record type ${type} defines nothing`);
  }
}

function readString(start: number, window: ByteWindow, tables: CaptureTables): boolean {
  const length = window.varint();
  if (window.overrun) return false;
  if (length > MAX_STRING_BYTES) throw window.corrupt(start, `a string claims ${length} bytes`);
  if (!window.ensure(length)) return false;
  tables.strings.add(window.bytes.subarray(window.position, window.position + length));
  window.position += length;
  return true;
}

function readScript(start: number, window: ByteWindow, tables: CaptureTables): boolean {
  const url = window.varint();
  const map = window.varint();
  if (window.overrun) return false;
  const { strings, scriptUrl, scriptSourceMapUrl } = tables;
  mustExist(window, start, "string", url, strings.length);
  mustExist(window, start, "string", map, strings.length);
  scriptUrl.push(url);
  scriptSourceMapUrl.push(map);
  return true;
}

function readFunction(start: number, window: ByteWindow, tables: CaptureTables): boolean {
  const name = window.varint();
  const script = window.varint();
  const line = window.varint();
  const column = window.varint();
  if (window.overrun) return false;
  mustExist(window, start, "string", name, tables.strings.length);
  mustExist(window, start, "script", script, tables.scriptUrl.length);
  tables.functionName.push(name);
  tables.functionScript.push(script);
  tables.functionLine.push(line);
  tables.functionColumn.push(column);
  return true;
}

function readFrame(start: number, window: ByteWindow, tables: CaptureTables): boolean {
  const { logicalFunction, logicalLine, logicalColumn } = tables;
  const first = logicalFunction.length;
  const inlined = window.varint();
  if (window.overrun) return false;
  if (inlined < 1 || inlined > 255) throw window.corrupt(start, `a frame claims ${inlined} functions`);
  for (let i = 0; i < inlined; i++) {
    logicalFunction.push(window.varint());
    logicalLine.push(window.varint());
    logicalColumn.push(window.varint());
  }
  if (window.overrun) {
    logicalFunction.length = logicalLine.length = logicalColumn.length = first;
    return false;
  }
  for (let i = first; i < logicalFunction.length; i++) {
    mustExist(window, start, "function", logicalFunction.at(i), tables.functionName.length);
  }
  tables.frameEnd.push(logicalFunction.length);
  tables.frameModule.push(0);
  tables.frameAddress.push(0);
  return true;
}

function readNativeFrame(start: number, window: ByteWindow, tables: CaptureTables): boolean {
  const module = window.varint();
  const address = window.varint();
  if (window.overrun) return false;
  mustExist(window, start, "module", module, tables.modulePath.length);
  tables.frameEnd.push(tables.logicalFunction.length);
  tables.frameModule.push(module);
  tables.frameAddress.push(address);
  return true;
}

function readThread(start: number, window: ByteWindow, tables: CaptureTables): boolean {
  const index = window.varint();
  const tid = window.varint();
  const name = window.varint();
  if (window.overrun) return false;
  const { strings, threadTid, threadName } = tables;
  mustExist(window, start, "string", name, strings.length);
  if (index < 1 || index > threadTid.length) {
    throw window.corrupt(start, `thread ${index} is defined before thread ${threadTid.length}`);
  }
  if (index === threadTid.length) {
    threadTid.push(tid);
    threadName.push(name);
  } else {
    threadTid.items[index] = tid;
    threadName.items[index] = name;
  }
  return true;
}

/** @throws CaptureError `CORRUPT` where `id` is not below `length` */
export function mustExist(window: ByteWindow, start: number, what: string, id: number, length: number): void {
  if (id >= length) throw window.corrupt(start, `${what} ${id} is used before it is defined`);
}
