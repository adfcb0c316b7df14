// Records an aggregated capture: adds allocations up as they happen, and writes the sums at the end.
#pragma once

#include "aggregate/high_water_mark.h"
#include "record/record_writer.h"

namespace heapray {

class AggregatingRecorder final : public Recorder {
 public:
  explicit AggregatingRecorder(RecordWriter* writer, Locations locations = Locations())
      : writer_(writer), mark_(std::move(locations)) {}

  bool Records(ThreadEncoding& thread, const PendingRecord* records, size_t count) override;
  bool Snapshot(const MemoryFigures& figures) override {
    return writer_->SnapshotWithTracked(figures, mark_.live_bytes());
  }
  bool Complete(std::string_view trailer_json) override;

 private:
  RecordWriter* writer_;
  HighWaterMark mark_;
};

}  // namespace heapray
