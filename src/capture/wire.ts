/**
 * The capture format's constants, described in docs/capture-format.md.
 * The agent's side is native/record/wire.h; a golden test holds the two together.
 */

export const MAGIC = Uint8Array.of(0x68, 0x65, 0x61, 0x70, 0x72, 0x61, 0x79, 0);
/** The newest format. */
export const FORMAT_VERSION = 3;
/** What the agent writes. */
export const RECORDED_VERSION = 2;
/** From this one on, blocks have numbers in place of addresses; captures have it once they were compressed. */
export const NUMBERED_VERSION = 3;
export const MAX_METADATA_BYTES = 16 * 1024 * 1024;
export const MAX_STRING_BYTES = 16 * 1024 * 1024;
export const MAX_BUILD_ID_BYTES = 64;

/** The low four bits of a tag byte. */
export const Type = {
  END: 0,
  MALLOC: 1,
  CALLOC: 2,
  REALLOC: 3,
  ALLOC: 4,
  FREE: 5,
  MMAP: 6,
  MUNMAP: 7,
  NODE: 8,
  FRAME: 9,
  FUNCTION: 10,
  SCRIPT: 11,
  STRING: 12,
  THREAD: 13,
  SWITCH: 14,
  EXTENDED: 15,
} as const;

/** The high four bits of a tag byte. */
export const Flag = {
  SAME_STACK: 0x10,
  SAME_SIZE: 0x20,
  SAME_ADDRESS: 0x40,
  HEAP_PAGES: 0x80,
  PARENT_IS_PREVIOUS: 0x10,
  FRAME_IS_NEXT: 0x20,
  NATIVE_FRAME: 0x10,
} as const;

export const Extended = { SNAPSHOT: 1, TRAILER: 2, LOCATION: 3, TOTALS: 4, MODULE: 5, SYMBOL: 6 } as const;

/** memray's allocator names and numbers; heapray's own kinds start at 32. */
export enum AllocatorType {
  PYMALLOC_FREE = 1,
  PYMALLOC_MALLOC = 2,
  PYMALLOC_CALLOC = 3,
  PYMALLOC_REALLOC = 4,
  FREE = 5,
  MALLOC = 6,
  REALLOC = 7,
  CALLOC = 8,
  POSIX_MEMALIGN = 9,
  ALIGNED_ALLOC = 10,
  MEMALIGN = 11,
  VALLOC = 12,
  PVALLOC = 13,
  MMAP = 14,
  MUNMAP = 15,
  HEAP_PAGES = 32,
  JS_OBJECT = 33,
}
