// Records an aggregated capture: adds allocations up as they happen, and writes the sums at the end.
#pragma once

#include "aggregate/high_water_mark.h"
#include "record/pending_record.h"
#include "record/record_writer.h"

namespace heapray {

class AggregatingRecorder final : public Recorder {
 public:
  explicit AggregatingRecorder(RecordWriter* writer, size_t first_sweep = Locations::kFirstSweep)
      : writer_(writer), mark_(first_sweep) {}

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
