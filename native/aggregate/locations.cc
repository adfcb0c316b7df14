#include "aggregate/locations.h"

#include <algorithm>

namespace heapray {
namespace {

constexpr size_t kFirstLocations = 1024;
// Locations that are looked at for each new one: those that are empty never become the larger part.
constexpr int kSweptTogether = 3;

}  // namespace

uint32_t Locations::Add(const Place& place, uint64_t peak) {
  if (entries_.size() >= first_sweep_) Sweep(peak);
  uint32_t index = unused_;
  if (index == kNone) {
    if (made_ == locations_.count() && !locations_.Resize(std::max(kFirstLocations, size_t{made_} * 2))) return kNone;
    index = made_;
  }
  Entry* entry = entries_.Claim(place);
  if (entry == nullptr) return kNone;
  *entry = {place.thread_and_node, index, place.allocator};
  AllocatingLocation& location = locations_[index];
  if (index == made_) {
    made_++;
  } else {
    unused_ = location.next_unused;
  }
  location = {};
  location.thread = static_cast<uint32_t>(place.thread_and_node >> 32);
  location.node = static_cast<uint32_t>(place.thread_and_node);
  location.allocator = place.allocator;
  location.in_use = true;
  location.number = appeared_++;
  // Nothing of it was live at the last peak.
  location.copied_at = peak;
  return index;
}

// Threads come and go, and each has locations of its own: without this, memory would follow all that there ever were.
void Locations::Sweep(uint64_t peak) {
  for (int i = 0; i < kSweptTogether; i++) {
    if (sweep_next_ >= made_) sweep_next_ = 0;
    uint32_t index = sweep_next_++;
    AllocatingLocation& location = locations_[index];
    if (!location.in_use || !location.IsEmpty(peak)) continue;
    Place place = {static_cast<uint64_t>(location.thread) << 32 | location.node, location.allocator};
    entries_.Remove(entries_.Find(place));
    location.in_use = false;
    location.next_unused = unused_;
    unused_ = index;
  }
}

}  // namespace heapray
