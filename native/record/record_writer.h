// Encodes records (docs/capture-format.md) into a sink; as a Recorder, writes down each allocation.
// Not thread-safe: the tracker's lock is held.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "record/recorder.h"
#include "record/sink.h"
#include "record/wire.h"

namespace heapray {

struct Location {
  uint32_t function = 0;
  uint32_t line = 0;
  uint32_t column = 0;
};

// What an aggregated capture says of a (thread, stack node, allocator).
struct LocationFigures {
  uint32_t thread = 0;
  uint32_t node = 0;
  wire::Allocator allocator{};
  uint64_t peak_count = 0;
  uint64_t peak_bytes = 0;
  uint64_t live_count = 0;
  uint64_t live_bytes = 0;
};

class RecordWriter final : public Recorder {
 public:
  explicit RecordWriter(Sink* sink) : sink_(sink) {}

  bool Header(std::string_view metadata_json);
  bool Records(ThreadEncoding& thread, const PendingRecord* records, size_t count) override;
  bool Snapshot(const MemoryFigures& figures) override;
  bool Complete(std::string_view trailer_json) override { return Trailer(trailer_json); }

  bool Node(uint32_t id, uint32_t parent, uint32_t frame);
  bool Frame(const Location* locations, size_t count);
  // `address`: a return address, less the module's load bias; module 0 is none, and the address then as it is.
  bool NativeFrame(uint32_t module, uint64_t address);
  // Defines the next module. A build id longer than the format has room for counts as none.
  bool Module(uint32_t path, uint64_t bias, const uint8_t* build_id, size_t build_id_bytes);
  // The name that a native frame's module has for its address.
  bool Symbol(uint32_t frame, uint32_t name);
  bool Function(uint32_t name, uint32_t script, uint32_t line, uint32_t column);
  bool Script(uint32_t url, uint32_t source_map_url);
  bool String(std::string_view text);
  bool Thread(uint32_t index, uint32_t tid, uint32_t name);
  bool Trailer(std::string_view json);

  // Of aggregated captures only.
  bool SnapshotWithTracked(const MemoryFigures& figures, uint64_t tracked_bytes);
  bool AggregatedLocation(const LocationFigures& location);
  bool Totals(uint64_t allocations, uint64_t bytes);

 private:
  // Room enough for any record but those that carry text.
  static constexpr size_t kRoom = 64;
  // Records that are encoded at a time.
  static constexpr size_t kBatch = 32;

  bool Switch(const ThreadEncoding& thread);

  // The tag goes last: a kill in between leaves a zero, and the stream ends cleanly before this record.
  static void PutTag(uint8_t* record, uint8_t tag) {
    std::atomic_signal_fence(std::memory_order_release);
    *static_cast<volatile uint8_t*>(record) = tag;
  }
  bool Finish(uint8_t* record, uint8_t tag, const uint8_t* end) {
    PutTag(record, tag);
    sink_->Commit(static_cast<size_t>(end - record));
    return true;
  }
  static uint8_t* Put(uint8_t* p, ThreadEncoding& thread, const PendingRecord& record);

  bool Extended(wire::ExtendedType type, const uint8_t* bytes, size_t count);
  bool Extended(wire::ExtendedType type, std::initializer_list<uint64_t> varints);

  Sink* sink_;
  uint32_t current_thread_ = 0;
  uint32_t last_node_id_ = 0;
  uint32_t last_node_frame_ = 0;
};

}  // namespace heapray
