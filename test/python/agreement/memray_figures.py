"""Prints what memray's own reader finds in a capture of memray's, as JSON: `memray_figures.py CAPTURE`.

Each list has [allocator, thread, stack, allocations, bytes], the stack as [function, file, line] from the allocating
frame outwards.
"""

import json
import sys
from collections import Counter
from typing import Any, Iterable

from memray import AllocatorType, FileReader

FREES = {AllocatorType.FREE, AllocatorType.PYMALLOC_FREE, AllocatorType.MUNMAP}


def rows(records: Iterable[Any]) -> "list[list[Any]]":
    counts: Counter[Any] = Counter()
    sizes: Counter[Any] = Counter()
    for record in records:
        allocator = AllocatorType(record.allocator)
        if allocator in FREES:
            continue
        key = (allocator.name, record.thread_name, tuple(record.stack_trace()))
        counts[key] += record.n_allocations
        sizes[key] += record.size
    return [[*key, count, sizes[key]] for key, count in counts.items()]


def main(capture: str) -> None:
    with FileReader(capture) as reader:
        figures = {
            "peakMemory": reader.metadata.peak_memory,
            "total": rows(reader.get_allocation_records()),
            "highWaterMark": rows(reader.get_high_watermark_allocation_records(merge_threads=False)),
            "leaked": rows(reader.get_leaked_allocation_records(merge_threads=False)),
            "temporary": rows(reader.get_temporary_allocation_records(merge_threads=False, threshold=1)),
        }
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
