#include "aggregate/aggregating_recorder.h"

#include <algorithm>

namespace heapray {
namespace {

// How many records ahead memory is asked for what they need.
constexpr size_t kAhead = 12;

}  // namespace

inline bool AggregatingRecorder::Record(const ThreadEncoding& thread, const PendingRecord& record) {
  switch (record.kind()) {
    case wire::Allocator::kFree: mark_.Freed(record.address()); return true;
    case wire::Allocator::kMunmap: mark_.Unmapped(record.address(), record.size); return true;
    default: return mark_.Allocated(thread.index, record.node, record.kind(), record.address(), record.size);
  }
}

bool AggregatingRecorder::Records(ThreadEncoding& thread, const PendingRecord* records, size_t count) {
  const PendingRecord* end = records + count;
  const PendingRecord* ahead = records;
  for (const PendingRecord* first = records + std::min(count, kAhead); ahead != first; ahead++) {
    mark_.Prefetch(ahead->address());
  }
  for (; ahead != end; ahead++, records++) {
    mark_.Prefetch(ahead->address());
    if (!Record(thread, *records)) return false;
  }
  for (; records != end; records++) {
    if (!Record(thread, *records)) return false;
  }
  return true;
}

bool AggregatingRecorder::Complete(std::string_view trailer_json) {
  bool written =
      mark_.ForEachFigure([this](const LocationFigures& location) { return writer_->AggregatedLocation(location); });
  return written && writer_->Totals(mark_.total_allocations(), mark_.total_bytes()) && writer_->Trailer(trailer_json);
}

}  // namespace heapray
