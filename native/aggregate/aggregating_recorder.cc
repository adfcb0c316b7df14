#include "aggregate/aggregating_recorder.h"

namespace heapray {

bool AggregatingRecorder::Complete(std::string_view trailer_json) {
  bool written =
      mark_.ForEachFigure([this](const LocationFigures& location) { return writer_->AggregatedLocation(location); });
  return written && writer_->Totals(mark_.total_allocations(), mark_.total_bytes()) && writer_->Trailer(trailer_json);
}

}  // namespace heapray
