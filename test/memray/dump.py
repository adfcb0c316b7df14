"""What memray itself tells of a capture, as JSON: run by the tests with the Python that memray is installed in."""

import json
import sys

import memray
from memray import FileFormat, FileReader


def merged(records, native):
    """By thread and stack: allocations and bytes, as memray's reporters add them up."""
    found = {}
    for record in records:
        stack = record.hybrid_stack_trace() if native else record.stack_trace()
        key = (record.tid, record.thread_name, tuple(tuple(frame) for frame in stack))
        count, size = found.get(key, (0, 0))
        found[key] = (count + record.n_allocations, size + record.size)
    return [[*key[:2], key[2], *figures] for key, figures in found.items()]


def temporal(records):
    """By thread, stack and interval."""
    found = {}
    for record in records:
        stack = tuple(tuple(frame) for frame in record.stack_trace())
        for interval in record.intervals:
            born, died = interval.allocated_before_snapshot, interval.deallocated_before_snapshot
            key = (record.tid, record.thread_name, (born, -1 if died is None else died), stack)
            count, size = found.get(key, (0, 0))
            found[key] = (count + interval.n_allocations, size + interval.n_bytes)
    return [[key[0], key[1], *key[2], key[3], *figures] for key, figures in found.items()]


def main(capture):
    reader = FileReader(capture)
    metadata = reader.metadata
    native = metadata.has_native_traces
    aggregated = metadata.file_format == FileFormat.AGGREGATED_ALLOCATIONS
    told = {
        "metadata": {
            "peak": metadata.peak_memory,
            "pid": metadata.pid,
            "command": metadata.command_line,
            "start": metadata.start_time.timestamp() * 1000,
            "end": metadata.end_time.timestamp() * 1000,
            "mainThread": metadata.main_thread_id,
            "native": native,
            "allocations": metadata.total_allocations,
        },
        "peak": merged(reader.get_high_watermark_allocation_records(merge_threads=False), native),
        "leaks": merged(reader.get_leaked_allocation_records(merge_threads=False), native),
        "mergedPeak": merged(reader.get_high_watermark_allocation_records(merge_threads=True), native),
        "snapshots": [[s.time, s.rss, s.heap] for s in reader.get_memory_snapshots()],
    }
    if not aggregated:
        told["temporary"] = {
            threshold: merged(
                reader.get_temporary_allocation_records(merge_threads=False, threshold=threshold), native
            )
            for threshold in ((1,) if native else (0, 1, 5))
        }
        if not native:
            told["lifetimes"] = temporal(reader.get_temporal_allocation_records(merge_threads=False))
            records, by_snapshot = reader.get_temporal_high_water_mark_allocation_records(merge_threads=False)
            told["marks"] = temporal(records)
            told["marksBySnapshot"] = list(by_snapshot)
        stats = memray._memray.compute_statistics(capture, num_largest=10)
        told["stats"] = {
            "allocations": stats.total_num_allocations,
            "bytes": stats.total_memory_allocated,
            "peak": stats.peak_memory_allocated,
            "bySize": sorted(stats.allocation_count_by_size.items()),
            "byAllocator": stats.allocation_count_by_allocator,
            "topBySize": stats.top_locations_by_size,
            "topByCount": stats.top_locations_by_count,
        }
    json.dump(told, sys.stdout)


main(sys.argv[1])
