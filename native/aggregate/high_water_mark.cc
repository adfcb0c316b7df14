#include "aggregate/high_water_mark.h"

namespace heapray {

void HighWaterMark::Allocated(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t address,
                              uint64_t size) {
  total_allocations_++;
  total_bytes_ += size;
  // Whatever was live there goes first: its end was not seen.
  if (allocator == wire::Allocator::kMmap || allocator == wire::Allocator::kHeapPages) {
    Unmapped(address, size);
    if (size == 0) return;
    uint32_t location = locations_.Find(thread, node, allocator, peak_);
    ranges_.Add(address, size, location);
    Change(location, static_cast<int64_t>(size), 1);
    return;
  }
  uint32_t location = locations_.Find(thread, node, allocator, peak_);
  LiveBlocks::Block replaced;
  if (blocks_.Add(address, {size, location}, &replaced)) {
    Change(replaced.location, -static_cast<int64_t>(replaced.size), -1);
  }
  Change(location, static_cast<int64_t>(size), 1);
}

void HighWaterMark::Freed(uint64_t address) {
  LiveBlocks::Block block;
  if (blocks_.Remove(address, &block)) Change(block.location, -static_cast<int64_t>(block.size), -1);
}

void HighWaterMark::Unmapped(uint64_t address, uint64_t size) {
  ranges_.Remove(address, size, [this](uint32_t location, uint64_t bytes, int pieces) {
    Change(location, -static_cast<int64_t>(bytes), pieces);
  });
}

void HighWaterMark::Change(uint32_t index, int64_t bytes, int64_t count) {
  AllocatingLocation& location = locations_[index];
  // The first change after a peak: no copy of the world at each new maximum.
  if (location.copied_at != peak_) {
    location.copied_at = peak_;
    location.copied_count = location.live_count;
    location.copied_bytes = location.live_bytes;
  }
  location.live_bytes += static_cast<uint64_t>(bytes);
  location.live_count += static_cast<uint64_t>(count);
  live_bytes_ += static_cast<uint64_t>(bytes);
  if (live_bytes_ > peak_bytes_) {
    peak_bytes_ = live_bytes_;
    peak_++;
  }
}

}  // namespace heapray
