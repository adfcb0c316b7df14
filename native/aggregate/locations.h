// The places that hold memory: each distinct (thread, stack node, allocator) with what is live of it, and what was live
// at the last peak. Peaks are numbered from 1 as live memory reaches new maxima; 0 is the beginning.
#pragma once

#include <cstddef>
#include <cstdint>

#include "aggregate/growing_table.h"
#include "record/wire.h"
#include "stacks/mapped_array.h"

namespace heapray {

// A cache line.
struct alignas(64) AllocatingLocation {
  uint32_t thread;
  uint32_t node;
  uint64_t number;  // in order of appearance
  uint64_t live_count;
  uint64_t live_bytes;
  // What was live at the peak of that number. A location that has not changed since the last peak has no copy of it:
  // it still is what it was then.
  uint64_t copied_at;
  uint64_t copied_count;
  uint64_t copied_bytes;
  wire::Allocator allocator;
  bool in_use;
  uint32_t next_unused;

  uint64_t PeakCount(uint64_t peak) const { return copied_at == peak ? copied_count : live_count; }
  uint64_t PeakBytes(uint64_t peak) const { return copied_at == peak ? copied_bytes : live_bytes; }
  // Whether it has nothing to tell: a new location of the same place would be the same.
  bool IsEmpty(uint64_t peak) const { return live_count == 0 && PeakCount(peak) == 0; }
};
static_assert(sizeof(AllocatingLocation) == 64);

class Locations {
 public:
  // No location's index.
  static constexpr uint32_t kNone = UINT32_MAX;

  static constexpr size_t kFirstSweep = 4096;

  // `first_sweep`: the number of locations from which on empty ones are looked for.
  explicit Locations(size_t first_sweep) : first_sweep_(first_sweep) {}

  // The place's location, new when it has none; `peak` is the last peak's number. kNone when there is no memory for it.
  // Indices of other locations that are not empty stay valid.
  uint32_t Find(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t peak) {
    Place place = {static_cast<uint64_t>(thread) << 32 | node, allocator};
    // Most allocations come from where the last one came from.
    if (place == last_place_) return last_;
    Entry* known = entries_.Find(place);
    uint32_t index = known != nullptr ? known->index : Add(place, peak);
    last_place_ = place;
    last_ = index;
    return index;
  }

  AllocatingLocation& operator[](uint32_t index) { return locations_[index]; }

  size_t size() const { return entries_.size(); }
  // Calls `visit(location)` for each, in no order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (uint32_t i = 0; i < made_; i++) {
      if (locations_[i].in_use) visit(locations_[i]);
    }
  }

 private:
  struct Place {
    uint64_t thread_and_node = 0;
    wire::Allocator allocator{};

    bool operator==(const Place& other) const {
      return thread_and_node == other.thread_and_node && allocator == other.allocator;
    }
  };
  // No allocator is 0.
  struct Entry {
    uint64_t thread_and_node = 0;
    uint32_t index = 0;
    wire::Allocator allocator{};

    bool free() const { return allocator == wire::Allocator{}; }
    using Key = Place;
    Key key() const { return {thread_and_node, allocator}; }
    static uint64_t Hash(const Key& place) {
      return SpreadBits(place.thread_and_node ^ static_cast<uint64_t>(place.allocator) << 56);
    }
  };

  [[gnu::noinline, gnu::cold]] uint32_t Add(const Place& place, uint64_t peak);
  void Sweep(uint64_t peak);

  Place last_place_;
  uint32_t last_ = kNone;
  GrowingTable<Entry> entries_;
  MappedArray<AllocatingLocation> locations_;
  uint32_t made_ = 0;        // of locations_
  uint32_t unused_ = kNone;  // a list of those that were swept
  uint32_t sweep_next_ = 0;
  size_t first_sweep_;
  uint64_t appeared_ = 0;
};

}  // namespace heapray
