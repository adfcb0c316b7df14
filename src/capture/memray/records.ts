import { AllocatorType } from "../wire.js";

/** The numbers of memray's formats 12 and 13 (docs/memray.md). */

/** The first byte of a record; of those from FRAME_POP on, the bits below say more. */
export const Record = {
  FILLER: 0,
  TRAILER: 1,
  MEMORY: 2,
  NATIVE_FRAME: 5,
  MEMORY_MAP_START: 6,
  SEGMENT_HEADER: 7,
  SEGMENT: 8,
  THREAD: 10,
  CONTEXT_SWITCH: 12,
  CODE_OBJECT: 14,
  FRAME_POP: 16,
  OBJECT: 32,
  FRAME_PUSH: 64,
  ALLOCATION: 128,
} as const;

/** The first byte of a record of an aggregated capture, where it is not that of a record above. */
export const AggregatedRecord = {
  MEMORY_SNAPSHOT: 1,
  ALLOCATION: 2,
  PYTHON_STACK: 3,
  PYTHON_FRAME: 4,
  SURVIVING_OBJECT: 13,
  TRAILER: 15,
} as const;

/** memray's allocators that a reader tells apart. */
export const MemrayAllocator = { PYMALLOC_FREE: 1, FREE: 5, MUNMAP: 15 } as const;

/** heapray's allocators by the number that memray has for them; a block of Python's own is freed like any other. */
export const ALLOCATORS: readonly (AllocatorType | undefined)[] = [
  undefined,
  AllocatorType.FREE,
  AllocatorType.PYMALLOC_MALLOC,
  AllocatorType.PYMALLOC_CALLOC,
  AllocatorType.PYMALLOC_REALLOC,
  AllocatorType.FREE,
  AllocatorType.MALLOC,
  AllocatorType.REALLOC,
  AllocatorType.CALLOC,
  AllocatorType.POSIX_MEMALIGN,
  AllocatorType.ALIGNED_ALLOC,
  AllocatorType.MEMALIGN,
  AllocatorType.VALLOC,
  AllocatorType.PVALLOC,
  AllocatorType.MMAP,
  AllocatorType.MUNMAP,
];
