#include "hooks/address_space.h"

#include "process/mappings.h"

namespace heapray {
namespace {

constexpr uintptr_t kPage = 4096;

uintptr_t PageEnd(uintptr_t begin, size_t bytes) { return (begin + bytes + kPage - 1) / kPage * kPage; }

}  // namespace

void AddressSpace::ReadExisting() {
  ForEachMapping([this](const Mapping& mapping) {
    bool accessible = mapping.readable || mapping.writable || mapping.executable;
    ranges_[mapping.begin] = {mapping.end, accessible ? State::kForeign : State::kReserved};
  });
}

void AddressSpace::SplitAt(uintptr_t address) {
  auto next = ranges_.upper_bound(address);
  if (next == ranges_.begin()) return;
  auto range = std::prev(next);
  if (range->first == address || range->second.end <= address) return;
  ranges_.emplace_hint(next, address, range->second);
  range->second.end = address;
}

void AddressSpace::ForEach(uintptr_t begin, uintptr_t end, const std::function<void(uintptr_t, Range&)>& visit) {
  SplitAt(begin);
  SplitAt(end);
  for (auto range = ranges_.lower_bound(begin); range != ranges_.end() && range->first < end; ++range) {
    visit(range->first, range->second);
  }
}

void AddressSpace::Erase(uintptr_t begin, uintptr_t end) {
  ranges_.erase(ranges_.lower_bound(begin), ranges_.lower_bound(end));
}

// Joins neighbours of one state, so that the map's size follows the address space's and not the number of calls.
void AddressSpace::Merge(uintptr_t begin, uintptr_t end) {
  auto range = ranges_.lower_bound(begin);
  if (range != ranges_.begin()) --range;
  while (range != ranges_.end() && range->first <= end) {
    auto next = std::next(range);
    if (next == ranges_.end()) break;
    if (range->second.end == next->first && range->second.state == next->second.state) {
      range->second.end = next->second.end;
      ranges_.erase(next);
    } else {
      range = next;
    }
  }
}

void AddressSpace::Mapped(uintptr_t begin, size_t bytes, bool accessible, const Report& report) {
  uintptr_t end = PageEnd(begin, bytes);
  Unmapped(begin, bytes, report);
  ranges_[begin] = {end, accessible ? State::kCounted : State::kReserved};
  if (accessible) report({begin, end - begin, true});
  Merge(begin, end);
}

void AddressSpace::Unmapped(uintptr_t begin, size_t bytes, const Report& report) {
  uintptr_t end = PageEnd(begin, bytes);
  ForEach(begin, end, [&](uintptr_t at, Range& range) {
    if (range.state == State::kCounted) report({at, range.end - at, false});
  });
  Erase(begin, end);
}

void AddressSpace::Protected(uintptr_t begin, size_t bytes, bool accessible, const Report& report) {
  uintptr_t end = PageEnd(begin, bytes);
  ForEach(begin, end, [&](uintptr_t at, Range& range) {
    if (accessible && (range.state == State::kReserved || range.state == State::kDiscarded)) {
      report({at, range.end - at, true});
      range.state = State::kCounted;
    } else if (!accessible) {
      if (range.state == State::kCounted) report({at, range.end - at, false});
      range.state = State::kReserved;
    }
  });
  Merge(begin, end);
}

void AddressSpace::Discarded(uintptr_t begin, size_t bytes, const Report& report) {
  uintptr_t end = PageEnd(begin, bytes);
  ForEach(begin, end, [&](uintptr_t at, Range& range) {
    if (range.state != State::kCounted) return;
    report({at, range.end - at, false});
    range.state = State::kDiscarded;
  });
  Merge(begin, end);
}

void AddressSpace::Moved(uintptr_t from, size_t from_bytes, uintptr_t to, size_t to_bytes, const Report& report) {
  uintptr_t from_end = PageEnd(from, from_bytes);
  State state = State::kForeign;
  ForEach(from, from_end, [&](uintptr_t, Range& range) { state = range.state; });
  // The whole new range is charged to the line that moved or resized it, as a realloc is.
  Unmapped(from, from_bytes, report);
  Unmapped(to, to_bytes, report);
  uintptr_t to_end = PageEnd(to, to_bytes);
  ranges_[to] = {to_end, state};
  if (state == State::kCounted) report({to, to_end - to, true});
  Merge(to, to_end);
}

}  // namespace heapray
