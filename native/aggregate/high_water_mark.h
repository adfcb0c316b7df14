// Follows what is live, and finds the moment when it was most: the first time that the live bytes reached their
// maximum. src/analysis/high-water-mark.ts does the same with a capture's records; a test compares the two.
#pragma once

#include <algorithm>
#include <cstdint>

#include "aggregate/live_blocks.h"
#include "aggregate/live_ranges.h"
#include "aggregate/locations.h"
#include "record/record_writer.h"
#include "stacks/mapped_array.h"

namespace heapray {

class HighWaterMark {
 public:
  explicit HighWaterMark(Locations locations = Locations()) : locations_(std::move(locations)) {}

  void Allocated(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t address, uint64_t size);
  // Ignores addresses that it does not know.
  void Freed(uint64_t address);
  void Unmapped(uint64_t address, uint64_t size);

  uint64_t live_bytes() const { return live_bytes_; }
  uint64_t total_allocations() const { return total_allocations_; }
  uint64_t total_bytes() const { return total_bytes_; }
  // Calls `visit(LocationFigures)` for what held memory at the high-water mark or holds some now, in order of
  // appearance, until it returns false; returns whether it never did. Allocates nothing from the heap: a process that
  // is crashing has none.
  template <typename Visit>
  bool ForEachFigure(Visit visit) const {
    MappedArray<const AllocatingLocation*> order(locations_.all().size() + 1);
    if (!order.usable()) return false;
    size_t count = 0;
    for (const AllocatingLocation& location : locations_.all()) {
      if (location.in_use && !location.IsEmpty(peak_)) order[count++] = &location;
    }
    std::sort(order.data(), order.data() + count, [](auto* a, auto* b) { return a->number < b->number; });
    for (size_t i = 0; i < count; i++) {
      const AllocatingLocation& l = *order[i];
      if (!visit(LocationFigures{l.thread, l.node, l.allocator, l.PeakCount(peak_), l.PeakBytes(peak_), l.live_count,
                                 l.live_bytes})) {
        return false;
      }
    }
    return true;
  }

 private:
  void Change(uint32_t location, int64_t bytes, int64_t count);

  Locations locations_;
  LiveBlocks blocks_;
  LiveRanges ranges_;
  uint64_t live_bytes_ = 0;
  uint64_t peak_bytes_ = 0;
  uint64_t peak_ = 0;  // number of the last peak
  uint64_t total_allocations_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace heapray
