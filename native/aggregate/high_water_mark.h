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
  explicit HighWaterMark(size_t first_sweep) : locations_(first_sweep) {}

  // Whether what it allocates is a range, or the end of one.
  static constexpr bool IsRange(wire::Allocator allocator) {
    constexpr uint64_t kRanges = uint64_t{1} << static_cast<int>(wire::Allocator::kMmap) |
                                 uint64_t{1} << static_cast<int>(wire::Allocator::kMunmap) |
                                 uint64_t{1} << static_cast<int>(wire::Allocator::kHeapPages);
    return (kRanges >> (static_cast<int>(allocator) & 63) & 1) != 0;
  }

  // Returns false when there is no memory to go on with.
  [[gnu::always_inline]] bool Allocated(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t address,
                                        uint64_t size) {
    if (IsRange(allocator)) [[unlikely]]
      return Mapped(thread, node, allocator, address, size);
    total_allocations_++;
    total_bytes_ += size;
    uint32_t location = locations_.Find(thread, node, allocator, peak_);
    if (location == Locations::kNone) [[unlikely]]
      return false;
    LiveBlocks::Block replaced;
    switch (blocks_.Add(address, {size, location}, &replaced)) {
      case LiveBlocks::Added::kNoMemory: return false;
      // Its end was not seen, and goes first.
      case LiveBlocks::Added::kReplaced: Less(replaced.location, replaced.size, 1); break;
      case LiveBlocks::Added::kNew: break;
    }
    More(location, size);
    return true;
  }
  // Ignores addresses that it does not know.
  [[gnu::always_inline]] void Freed(uint64_t address) {
    LiveBlocks::Block block;
    if (blocks_.Remove(address, &block)) Less(block.location, block.size, 1);
  }
  void Unmapped(uint64_t address, uint64_t size);

  // For a block that is soon to come or go: brings what is known of it close.
  [[gnu::always_inline]] void Prefetch(uint64_t address) const { blocks_.Prefetch(address); }

  uint64_t live_bytes() const { return live_bytes_; }
  uint64_t total_allocations() const { return total_allocations_; }
  uint64_t total_bytes() const { return total_bytes_; }
  // Calls `visit(LocationFigures)` for what held memory at the high-water mark or holds some now, in order of
  // appearance, until it returns false; returns whether it never did. Allocates nothing from the heap: a process that
  // is crashing has none.
  template <typename Visit>
  bool ForEachFigure(Visit visit) const {
    MappedArray<const AllocatingLocation*> order(locations_.size() + 1);
    if (!order.usable()) return false;
    size_t count = 0;
    locations_.ForEach([&](const AllocatingLocation& location) {
      if (!location.IsEmpty(peak_)) order[count++] = &location;
    });
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
  [[gnu::noinline, gnu::cold]] bool Mapped(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t address,
                                           uint64_t size);

  // The location that is about to change.
  AllocatingLocation& Changing(uint32_t index) {
    AllocatingLocation& location = locations_[index];
    // The first change after a peak: no copy of the world at each new maximum.
    if (location.copied_at != peak_) {
      location.copied_at = peak_;
      location.copied_count = location.live_count;
      location.copied_bytes = location.live_bytes;
    }
    return location;
  }
  // One block or range more.
  void More(uint32_t index, uint64_t bytes) {
    AllocatingLocation& location = Changing(index);
    location.live_bytes += bytes;
    location.live_count++;
    live_bytes_ += bytes;
    if (live_bytes_ > peak_bytes_) {
      peak_bytes_ = live_bytes_;
      peak_++;
    }
  }
  void Less(uint32_t index, uint64_t bytes, uint64_t count) {
    AllocatingLocation& location = Changing(index);
    location.live_bytes -= bytes;
    location.live_count -= count;
    live_bytes_ -= bytes;
  }

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
