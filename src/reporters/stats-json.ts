import type { ResidentMemory } from "../analysis/resident-memory.js";
import type { LocationTotal, ModuleTotal, Statistics } from "../analysis/statistics.js";
import { languageOf } from "../capture/language.js";
import type { Metadata } from "../capture/records.js";
import { AllocatorType } from "../capture/wire.js";
import { rssJson } from "./stats-rss.js";

/**
 * Statistics in memray's JSON: its keys, sizes in bytes, times as Python writes them; and where RSS went. Ends with a
 * newline.
 */
export function statsJson(statistics: Statistics, metadata: Metadata, resident?: ResidentMemory): string {
  const language = languageOf(metadata.runtime);
  const location = ({ function: name, file, line }: LocationTotal) =>
    file === "" ? name : `${name}:${file}${line === 0 ? "" : `:${line}`}`;
  const module = ({ module: name, nAllocations, size }: ModuleTotal) => ({
    module: name,
    num_allocations: nAllocations,
    total_bytes: size,
  });
  const data = {
    total_num_allocations: statistics.totalNumAllocations,
    total_bytes_allocated: statistics.totalMemoryAllocated,
    allocation_size_histogram: statistics.allocationSizeHistogram.map(({ minBytes, maxBytes, count }) => ({
      min_bytes: minBytes,
      max_bytes: maxBytes,
      count,
    })),
    allocator_type_distribution: Object.fromEntries(
      [...statistics.allocationCountByAllocator].map(([allocator, count]) => [allocatorName(allocator), count]),
    ),
    top_allocations_by_size: statistics.topLocationsBySize.map((total) => ({
      location: location(total),
      size: total.size,
    })),
    top_allocations_by_count: statistics.topLocationsByCount.map((total) => ({
      location: location(total),
      count: total.nAllocations,
    })),
    top_modules_by_allocation_size: statistics.topModulesByAllocationSize.map(module),
    top_modules_by_allocation_count: statistics.topModulesByAllocationCount.map(module),
    rss_at_peak: resident === undefined ? null : rssJson(resident, language),
    metadata: {
      start_time: time(metadata.startTimeMs),
      end_time: time(metadata.endTimeMs),
      total_allocations: metadata.totalAllocations,
      total_frames: statistics.totalFrames,
      peak_memory: metadata.peakMemory,
      command_line: metadata.commandLine.join(" "),
      pid: metadata.pid,
      main_thread_id: metadata.mainThreadId,
      runtime: `${metadata.runtime.name} ${metadata.runtime.version}`,
      has_native_traces: metadata.hasNativeTraces,
      ...(language === "Python"
        ? { trace_python_allocators: metadata.tracePythonAllocators }
        : { trace_js_heap: metadata.traceJsHeap }),
      file_format: metadata.fileFormat,
      complete: metadata.complete,
    },
  };
  return `${JSON.stringify(data, undefined, 2)}\n`;
}

/** memray's name of an allocator; of one that this version does not know, its number. */
export function allocatorName(allocator: AllocatorType): string {
  return AllocatorType[allocator] ?? String(allocator);
}

/** `2026-01-01 13:00:00.250000+00:00` */
function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "000+00:00");
}
