// Single records, for drivers.
#pragma once

#include "record/recorder.h"

namespace heapray {

inline bool Allocation(Recorder& recorder, ThreadEncoding& thread, wire::Allocator allocator, uint64_t address,
                       uint64_t size, uint32_t node) {
  PendingRecord record = PendingRecord::Of(allocator, address, size, node, 0);
  return recorder.Records(thread, &record, 1);
}
inline bool Free(Recorder& recorder, ThreadEncoding& thread, uint64_t address) {
  PendingRecord record = PendingRecord::Of(wire::Allocator::kFree, address, 0, 0, 0);
  return recorder.Records(thread, &record, 1);
}
inline bool Munmap(Recorder& recorder, ThreadEncoding& thread, uint64_t address, uint64_t size) {
  PendingRecord record = PendingRecord::Of(wire::Allocator::kMunmap, address, size, 0, 0);
  return recorder.Records(thread, &record, 1);
}

}  // namespace heapray
