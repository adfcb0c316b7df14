// What the tracker tells of the program as it happens. A capture of every allocation writes it down, an aggregated
// capture adds it up. Definitions (stacks, threads, texts) are not part of this: every format writes them as they
// appear. Not thread-safe: the tracker's lock is held. All return false once the capture cannot be written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "process/resident_memory.h"
#include "record/pending_record.h"
#include "record/wire.h"

namespace heapray {

// What a thread's next record may refer to instead of repeating it.
struct ThreadEncoding {
  uint32_t index = 0;  // of the thread in the capture
  uint32_t last_node = 0;
  uint64_t last_size = 0;
  uint64_t last_address = 0;
};

struct MemoryFigures {
  uint64_t time_ms = 0;
  uint64_t rss = 0;
  uint64_t heap_used = 0;
  uint64_t heap_committed = 0;
  uint64_t external = 0;
  // Where it was looked at.
  ResidentMemory resident;
};

class Recorder {
 public:
  virtual ~Recorder() = default;

  // Consecutive records of one thread: blocks of the malloc family and ranges (kMmap, kHeapPages) that a stack got, and
  // the ends of both.
  virtual bool Records(ThreadEncoding& thread, const PendingRecord* records, size_t count) = 0;
  virtual bool Snapshot(const MemoryFigures& figures) = 0;
  // Writes whatever is still missing, then the trailer.
  virtual bool Complete(std::string_view trailer_json) = 0;
};

}  // namespace heapray
