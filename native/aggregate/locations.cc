#include "aggregate/locations.h"

#include <algorithm>

#include "stacks/flat_map.h"

namespace heapray {

size_t Locations::SlotOf(uint32_t thread, uint32_t node, wire::Allocator allocator) const {
  size_t mask = capacity_ - 1;
  uint64_t origin = static_cast<uint64_t>(thread) << 8 | static_cast<uint64_t>(allocator);
  size_t slot = MixBits(node ^ MixBits(origin)) & mask;
  for (;; slot = (slot + 1) & mask) {
    if (slots_[slot] == 0) return slot;
    const AllocatingLocation& found = locations_[slots_[slot] - 1];
    if (found.node == node && found.thread == thread && found.allocator == allocator) return slot;
  }
}

uint32_t Locations::Find(uint32_t thread, uint32_t node, wire::Allocator allocator, uint64_t peak) {
  if (capacity_ == 0) Rehash(1024);
  size_t slot = SlotOf(thread, node, allocator);
  if (slots_[slot] != 0) return slots_[slot] - 1;

  if (in_use_ >= sweep_at_) Sweep(peak);
  if (in_use_ * 2 >= capacity_) Rehash(capacity_ * 2);
  slot = SlotOf(thread, node, allocator);
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(locations_.size());
    locations_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  // Nothing of it was live at the last peak.
  locations_[index] = {thread, node, allocator, true, appeared_++, 0, 0, peak, 0, 0};
  slots_[slot] = index + 1;
  in_use_++;
  return index;
}

// Threads come and go, and each has locations of its own: without this, memory would follow all that there ever were.
void Locations::Sweep(uint64_t peak) {
  for (uint32_t i = 0; i < locations_.size(); i++) {
    AllocatingLocation& location = locations_[i];
    if (!location.in_use || !location.IsEmpty(peak)) continue;
    location.in_use = false;
    free_.push_back(i);
    in_use_--;
  }
  Rehash(capacity_);
  sweep_at_ = std::max(sweep_at_, in_use_ * 2);
}

void Locations::Rehash(size_t capacity) {
  slots_ = std::make_unique<uint32_t[]>(capacity);
  capacity_ = capacity;
  for (uint32_t i = 0; i < locations_.size(); i++) {
    const AllocatingLocation& location = locations_[i];
    if (location.in_use) slots_[SlotOf(location.thread, location.node, location.allocator)] = i + 1;
  }
}

}  // namespace heapray
