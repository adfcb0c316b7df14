/**
 * The lines of Python's code objects: each release of CPython packs them in another way (PEP 626, and the sources of
 * `co_lnotab`, `co_linetable`), and a memray capture has the table as the interpreter had it.
 */

const PYTHON_3_10 = 0x030a0000;
const PYTHON_3_11 = 0x030b0000;

/** 3.10: instructions of no line. */
const NO_LINE = -128;

/** 3.11: what an entry of the table says, besides columns; the line of all others is that before them. */
const LONG = 14;
const NO_COLUMNS = 13;
const ONE_LINE_2 = 12;
const ONE_LINE_0 = 10;

/**
 * The line of an instruction; 0 where the table does not tell.
 * @param hexversion `sys.hexversion` of the Python whose table it is
 * @param offset the instruction's, as that Python counts them
 */
export function lineAt(hexversion: number, table: Uint8Array, offset: number, firstLine: number): number {
  if (offset < 0) return 0;
  if (hexversion < PYTHON_3_10) return lineIn39(table, offset, firstLine);
  // Only of code that has no lines.
  if (table.length === 0) return 0;
  if (hexversion >= PYTHON_3_11) return lineIn311(table, offset, firstLine);
  return lineIn310(table, offset, firstLine);
}

/** Pairs: bytes of code, then by how much the line of what follows them differs. */
function lineIn39(table: Uint8Array, offset: number, firstLine: number): number {
  let line = firstLine;
  let address = 0;
  for (let at = 0; at + 1 < table.length; at += 2) {
    address += table[at] as number;
    if (address > offset) break;
    line += signedByte(table[at + 1] as number);
  }
  return line;
}

/** Pairs: bytes of code, and by how much their own line differs from those before. Offsets count instructions of two bytes. */
function lineIn310(table: Uint8Array, offset: number, firstLine: number): number {
  let line = firstLine;
  let address = 0;
  for (let at = 0; at + 1 < table.length; at += 2) {
    address += table[at] as number;
    const difference = signedByte(table[at + 1] as number);
    if (difference !== NO_LINE) line += difference;
    if (address > 2 * offset) break;
  }
  return line;
}

/** Entries of several bytes, of which only an entry's first one has its highest bit set. */
function lineIn311(table: Uint8Array, offset: number, firstLine: number): number {
  const wanted = Math.floor(offset / 2);
  let line = firstLine;
  let instruction = 0;
  for (let at = 0; at < table.length; ) {
    const first = table[at++] as number;
    if (first === 0) break;
    const kind = (first >> 3) & 15;
    if (kind === LONG || kind === NO_COLUMNS) {
      const zigzag = sextets(table, at);
      line += (zigzag & 1) !== 0 ? -(zigzag >>> 1) : zigzag >>> 1;
    } else if (kind >= ONE_LINE_0 && kind <= ONE_LINE_2) {
      line += kind - ONE_LINE_0;
    }
    instruction += (first & 7) + 1;
    if (instruction > wanted) return line;
    while (at < table.length && (table[at] as number) < 128) at++;
  }
  return 0;
}

/** A number of six bits a byte, the lowest first; bit 6 says that more follow. */
function sextets(table: Uint8Array, start: number): number {
  let value = 0;
  for (let at = start, shift = 0; at < table.length && shift < 32; at++, shift += 6) {
    const byte = table[at] as number;
    value |= (byte & 63) << shift;
    if ((byte & 64) === 0) break;
  }
  return value >>> 0;
}

function signedByte(byte: number): number {
  return byte < 128 ? byte : byte - 256;
}
