#include "aggregate/aggregating_recorder.h"

#include <algorithm>

namespace heapray {
namespace {

// How many records ahead memory is asked for what they need.
constexpr size_t kAhead = 12;

}  // namespace

bool AggregatingRecorder::Records(ThreadEncoding& thread, const PendingRecord* records, size_t count) {
  const PendingRecord* end = records + count;
  for (size_t i = 0; i < std::min(count, kAhead); i++) mark_.Prefetch(records[i].address());
  for (; records != end; records++) {
    const PendingRecord& record = *records;
    if (records + kAhead < end) mark_.Prefetch(records[kAhead].address());
    wire::Allocator kind = record.kind();
    if (kind == wire::Allocator::kFree) {
      mark_.Freed(record.address());
    } else if (!mark_.Allocated(thread.index, record.node, kind, record.address(), record.size)) [[unlikely]] {
      return false;
    }
  }
  return true;
}

bool AggregatingRecorder::Complete(std::string_view trailer_json) {
  bool written =
      mark_.ForEachFigure([this](const LocationFigures& location) { return writer_->AggregatedLocation(location); });
  return written && writer_->Totals(mark_.total_allocations(), mark_.total_bytes()) && writer_->Trailer(trailer_json);
}

}  // namespace heapray
