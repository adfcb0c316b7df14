// The places that hold memory: each distinct (thread, stack node, allocator) with what is live of it, and what was live
// at the last peak. Peaks are numbered from 1 as live memory reaches new maxima; 0 is the beginning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "record/wire.h"

namespace heapray {

struct AllocatingLocation {
  uint32_t thread;
  uint32_t node;
  wire::Allocator allocator;
  bool in_use;
  uint64_t number;  // in order of appearance
  uint64_t live_count;
  uint64_t live_bytes;
  // What was live at the peak of that number. A location that has not changed since the last peak has no copy of it:
  // it still is what it was then.
  uint64_t copied_at;
  uint64_t copied_count;
  uint64_t copied_bytes;

  uint64_t PeakCount(uint64_t peak) const { return copied_at == peak ? copied_count : live_count; }
  uint64_t PeakBytes(uint64_t peak) const { return copied_at == peak ? copied_bytes : live_bytes; }
  // Whether it has nothing to tell: a new location of the same place would be the same.
  bool IsEmpty(uint64_t peak) const { return live_count == 0 && PeakCount(peak) == 0; }
};

class Locations {
 public:
  // `first_sweep`: the number of locations at which empty ones are looked for first.
  explicit Locations(size_t first_sweep = 4096) : sweep_at_(first_sweep) {}

  // The place's location, new when it has none; `peak` is the last peak's number. Indices of other locations that are
  // not empty stay valid.
  uint32_t Find(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t peak);

  AllocatingLocation& operator[](uint32_t index) { return locations_[index]; }
  const std::vector<AllocatingLocation>& all() const { return locations_; }

 private:
  // Slots hold an index + 1; 0 is a free slot.
  size_t SlotOf(uint32_t thread, uint32_t node, wire::Allocator allocator) const;
  void Sweep(uint64_t peak);
  void Rehash(size_t capacity);

  std::vector<AllocatingLocation> locations_;
  std::vector<uint32_t> free_;
  std::unique_ptr<uint32_t[]> slots_;
  size_t capacity_ = 0;  // of slots_, a power of two
  size_t in_use_ = 0;
  size_t sweep_at_;
  uint64_t appeared_ = 0;
};

}  // namespace heapray
