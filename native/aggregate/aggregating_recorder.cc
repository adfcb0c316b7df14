#include "aggregate/aggregating_recorder.h"

namespace heapray {

bool AggregatingRecorder::Records(ThreadEncoding& thread, const PendingRecord* records, size_t count) {
  for (const PendingRecord* record = records; record != records + count; record++) {
    switch (record->kind()) {
      case wire::Allocator::kFree: mark_.Freed(record->address()); break;
      case wire::Allocator::kMunmap: mark_.Unmapped(record->address(), record->size); break;
      default: mark_.Allocated(thread.index, record->node, record->kind(), record->address(), record->size);
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
