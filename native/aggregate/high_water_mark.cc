#include "aggregate/high_water_mark.h"

namespace heapray {

bool HighWaterMark::Mapped(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t address, uint64_t size) {
  if (allocator == wire::Allocator::kMunmap) {
    Unmapped(address, size);
    return true;
  }
  total_allocations_++;
  total_bytes_ += size;
  // Whatever was live there goes first: its end was not seen.
  Unmapped(address, size);
  if (size == 0) return true;
  uint32_t location = locations_.Find(thread, node, allocator, peak_);
  if (location == Locations::kNone) return false;
  ranges_.Add(address, size, location);
  More(location, size);
  return true;
}

void HighWaterMark::Unmapped(uint64_t address, uint64_t size) {
  ranges_.Remove(address, size, [this](uint32_t location, uint64_t bytes, int pieces) {
    Less(location, bytes, static_cast<uint64_t>(-int64_t{pieces}));
  });
}

}  // namespace heapray
