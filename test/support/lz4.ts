/** Packs as LZ4 does, if not so well. */

export interface Lz4Options {
  /** Bytes that a block holds. */
  readonly blockBytes?: number;
  readonly blockChecksums?: boolean;
  readonly contentChecksum?: boolean;
  readonly contentSize?: boolean;
  /** Leaves the content as it is. */
  readonly stored?: boolean;
}

const SHORTEST = 4;
const FARTHEST = 65_535;
/** A block ends with some literals, by the format's rules. */
const LAST_LITERALS = 12;

/** A frame of LZ4. Blocks repeat what those before them have. Checksums are zeros. */
export function lz4Frame(content: Uint8Array, options: Lz4Options = {}): Uint8Array<ArrayBuffer> {
  const { blockBytes = 64 * 1024, blockChecksums = false, contentChecksum = false, contentSize = false } = options;
  const flags = 0x40 | (blockChecksums ? 0x10 : 0) | (contentSize ? 8 : 0) | (contentChecksum ? 4 : 0);
  const out: number[] = [0x04, 0x22, 0x4d, 0x18, flags, 0x40];
  if (contentSize) out.push(...u32(content.length), 0, 0, 0, 0);
  out.push(0);
  for (let start = 0; start < content.length; start += blockBytes) {
    const end = Math.min(content.length, start + blockBytes);
    const packed = options.stored ? [] : packBlock(content, start, end);
    if (options.stored || packed.length >= end - start) {
      out.push(...u32(((end - start) | 0x8000_0000) >>> 0), ...content.subarray(start, end));
    } else {
      out.push(...u32(packed.length), ...packed);
    }
    if (blockChecksums) out.push(0, 0, 0, 0);
  }
  out.push(0, 0, 0, 0);
  if (contentChecksum) out.push(0, 0, 0, 0);
  return Uint8Array.from(out);
}

function packBlock(content: Uint8Array, start: number, end: number): number[] {
  const out: number[] = [];
  const seen = new Map<number, number>();
  const keyAt = (at: number): number => new DataView(content.buffer, content.byteOffset).getUint32(at, true);
  for (let at = Math.max(0, start - FARTHEST); at < start && at + 4 <= content.length; at++) seen.set(keyAt(at), at);
  let literals = start;
  for (let at = start; at < end - LAST_LITERALS; ) {
    const before = seen.get(keyAt(at));
    seen.set(keyAt(at), at);
    if (before === undefined || at - before > FARTHEST) {
      at++;
      continue;
    }
    let length = SHORTEST;
    while (at + length < end - LAST_LITERALS && content[before + length] === content[at + length]) length++;
    sequence(out, content.subarray(literals, at), length, at - before);
    at += length;
    literals = at;
  }
  sequence(out, content.subarray(literals, end));
  return out;
}

function sequence(out: number[], literals: Uint8Array, length = SHORTEST, back?: number): void {
  const more = length - SHORTEST;
  out.push((Math.min(15, literals.length) << 4) | Math.min(15, more));
  if (literals.length >= 15) lengthBytes(out, literals.length - 15);
  out.push(...literals);
  if (back === undefined) return;
  out.push(back & 255, back >> 8);
  if (more >= 15) lengthBytes(out, more - 15);
}

function lengthBytes(out: number[], length: number): void {
  let left = length;
  for (; left >= 255; left -= 255) out.push(255);
  out.push(left);
}

function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}
