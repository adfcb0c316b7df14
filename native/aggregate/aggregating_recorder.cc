#include "aggregate/aggregating_recorder.h"

namespace heapray {

bool AggregatingRecorder::Complete(std::string_view trailer_json) {
  for (const LocationFigures& location : mark_.Figures()) {
    if (!writer_->AggregatedLocation(location)) return false;
  }
  return writer_->Totals(mark_.total_allocations(), mark_.total_bytes()) && writer_->Trailer(trailer_json);
}

}  // namespace heapray
