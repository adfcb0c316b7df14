import { AllocatorType } from "./wire.js";

/** Whether an allocator's number stands for an end of memory rather than for memory. */
export function isDeallocator(allocator: number): boolean {
  return (
    allocator === AllocatorType.FREE || allocator === AllocatorType.MUNMAP || allocator === AllocatorType.PYMALLOC_FREE
  );
}

/** Whether it gives ranges of addresses, of which parts can end, rather than blocks. */
export function isRange(allocator: number): boolean {
  return allocator === AllocatorType.MMAP || allocator === AllocatorType.HEAP_PAGES;
}

/** Whether it is one of the functions of Python's own allocator. */
export function isPymalloc(allocator: number): boolean {
  return allocator >= AllocatorType.PYMALLOC_MALLOC && allocator <= AllocatorType.PYMALLOC_REALLOC;
}
