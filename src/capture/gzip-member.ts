/**
 * The container of a compressed capture (docs/capture-format.md): gzip members that tell their own length, so that a
 * reader needs to hold one at a time and several can be made at once. Any gzip program unpacks it.
 */

/** Bytes of the capture in a member, but for the last one. */
export const MEMBER_BYTES = 4 * 1024 * 1024;
/** What the reader takes for a member of ours, at most; bytes, packed or not. */
export const LARGEST_MEMBER = 64 * 1024 * 1024;
export const GZIP_MAGIC = Uint8Array.of(0x1f, 0x8b);
/** Of the header that members of ours have. */
export const MEMBER_HEADER_BYTES = 20;
/** Of the checksum and the length behind the data. */
export const MEMBER_TRAILER_BYTES = 8;

/** Of a header without optional fields, as a gzip library writes it. */
const PLAIN_HEADER_BYTES = 10;
const METHOD_DEFLATE = 8;
const HAS_EXTRA_FIELD = 4;
const UNKNOWN_SYSTEM = 255;
/** "hr", then the length of the field's content: the member's own length as an u32. */
const FIELD = Uint8Array.of(0x68, 0x72, 4, 0);

/** Rewrites a gzip member without optional fields, as every library makes it, into one that tells its length. */
export function withLength(gzip: Uint8Array): { readonly header: Uint8Array; readonly rest: Uint8Array } {
  const rest = gzip.subarray(PLAIN_HEADER_BYTES);
  const header = new Uint8Array(MEMBER_HEADER_BYTES);
  header.set([...GZIP_MAGIC, METHOD_DEFLATE, HAS_EXTRA_FIELD, 0, 0, 0, 0, 0, UNKNOWN_SYSTEM, FIELD.length + 4, 0]);
  header.set(FIELD, PLAIN_HEADER_BYTES + 2);
  new DataView(header.buffer).setUint32(MEMBER_HEADER_BYTES - 4, MEMBER_HEADER_BYTES + rest.length, true);
  return { header, rest };
}

/** The length in bytes that a member's header tells; undefined where these bytes are no header of that form. */
export function memberLength(header: Uint8Array): number | undefined {
  if (header.length < MEMBER_HEADER_BYTES || header[2] !== METHOD_DEFLATE || header[3] !== HAS_EXTRA_FIELD) return;
  if (!GZIP_MAGIC.every((byte, i) => header[i] === byte)) return;
  if (header[10] !== FIELD.length + 4 || header[11] !== 0) return;
  if (!FIELD.every((byte, i) => header[PLAIN_HEADER_BYTES + 2 + i] === byte)) return;
  return u32(header, MEMBER_HEADER_BYTES - 4);
}

/** Bytes that a whole member unpacks to. */
export function unpackedLength(member: Uint8Array): number {
  return u32(member, member.length - 4);
}

function u32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}
