/**
 * Bytes between a reporter and its page (gzip and base64 come on top): little-endian u32 length of a JSON header, the
 * header, then columns, one after the other. A column is a run of unsigned LEB128 varints, at most 2^53 - 1 each. Free
 * of node and DOM, so that both sides share it.
 */

/** What every header has, besides what is a report's own. */
interface PackedHeader {
  readonly version: number;
  /** Bytes of each column. */
  readonly columns: readonly number[];
}

/** A report's columns on the way out; each is a run of whole numbers, 0 or more. */
export function packColumns(header: { readonly version: number }, columns: readonly ArrayLike<number>[]): Uint8Array {
  const packed = columns.map(varints);
  const whole: PackedHeader = { ...header, columns: packed.map((column) => column.length) };
  const json = new TextEncoder().encode(JSON.stringify(whole));
  const bytes = new Uint8Array(packed.reduce((sum, column) => sum + column.length, 4 + json.length));
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  let offset = 4 + json.length;
  for (const column of packed) {
    bytes.set(column, offset);
    offset += column.length;
  }
  return bytes;
}

export interface UnpackedColumns<Header> {
  readonly header: Header;
  /** The next column, which holds `count` numbers. @throws Error when the bytes end before it does */
  next(count: number): Float64Array;
}

/** @throws Error when the bytes are not what `packColumns` writes with a header of this version. */
export function unpackColumns<Header extends { readonly version: number }>(
  bytes: Uint8Array,
  version: number,
): UnpackedColumns<Header> {
  if (bytes.length < 4) throw new Error("the report's data is empty");
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (4 + headerLength > bytes.length) throw new Error("the report's data is cut short");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headerLength))) as Header & PackedHeader;
  if (header.version !== version) throw new Error(`the report's data has version ${header.version}, not ${version}`);
  let offset = 4 + headerLength;
  let index = 0;
  return {
    header,
    next(count) {
      const length = header.columns[index++] ?? 0;
      if (count > length || offset + length > bytes.length) throw new Error("the report's data is cut short");
      const values = readVarints(bytes.subarray(offset, offset + length), count);
      offset += length;
      return values;
    },
  };
}

function varints(values: ArrayLike<number>): Uint8Array {
  let bytes = new Uint8Array(values.length * 2 + 16);
  let length = 0;
  for (let i = 0; i < values.length; i++) {
    if (length + 10 > bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    let value = values[i] as number;
    while (value >= 0x80) {
      bytes[length++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    bytes[length++] = value;
  }
  return bytes.subarray(0, length);
}

function readVarints(bytes: Uint8Array, count: number): Float64Array {
  const values = new Float64Array(count);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    // Past the end there is undefined, which counts as 0 here and is told below.
    let byte = bytes[offset++] as number;
    let value = byte & 0x7f;
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = bytes[offset++] as number;
      value += (byte & 0x7f) * factor;
    }
    values[i] = value;
  }
  if (offset > bytes.length) throw new Error("the report's data is cut short");
  return values;
}

/** Each number's difference to the one before, with its sign in the lowest bit. */
export function differences(values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length);
  let last = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const difference = value - last;
    out[i] = difference >= 0 ? difference * 2 : -difference * 2 - 1;
    last = value;
  }
  return out;
}

/** What `differences` was made of. */
export function sums(coded: Float64Array): Float64Array {
  const out = new Float64Array(coded.length);
  let last = 0;
  for (let i = 0; i < coded.length; i++) {
    const code = coded[i] as number;
    last += code % 2 === 0 ? code / 2 : -(code + 1) / 2;
    out[i] = last;
  }
  return out;
}
