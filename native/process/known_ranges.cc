#include "process/known_ranges.h"

#include <iterator>
#include <new>

#include "process/untracked.h"

namespace heapray {

KnownRanges& KnownRanges::Get() {
  static auto* ranges = new KnownRanges;
  return *ranges;
}

void KnownRanges::Set(uint64_t begin, uint64_t end, Owner owner) {
  if (begin >= end) return;
  Untracked untracked;
  SpinLock::Guard guard(lock_);
  Erase(begin, end);
  // Joined with its neighbours: V8's heap grows page by page.
  auto next = ranges_.lower_bound(begin);
  if (next != ranges_.end() && next->first == end && next->second.owner == owner) {
    end = next->second.end;
    next = ranges_.erase(next);
  }
  if (next != ranges_.begin()) {
    auto before = std::prev(next);
    if (before->second.end == begin && before->second.owner == owner) {
      before->second.end = end;
      return;
    }
  }
  ranges_.emplace_hint(next, begin, Rest{end, owner});
}

void KnownRanges::Clear(uint64_t begin, uint64_t end) {
  Untracked untracked;
  SpinLock::Guard guard(lock_);
  Erase(begin, end);
}

void KnownRanges::Forget() {
  new (&lock_) SpinLock;
  new (&ranges_) std::map<uint64_t, Rest>;
}

std::vector<KnownRanges::Range> KnownRanges::All() {
  Untracked untracked;
  std::vector<Range> all;
  // What is allocated is not allocated under the lock, which those wait for who map memory.
  for (size_t room = 256;; room *= 2) {
    all.reserve(room);
    SpinLock::Guard guard(lock_);
    if (ranges_.size() > all.capacity()) {
      room = ranges_.size();
      continue;
    }
    for (const auto& [begin, rest] : ranges_) all.push_back({begin, rest.end, rest.owner});
    return all;
  }
}

void KnownRanges::Erase(uint64_t begin, uint64_t end) {
  auto range = ranges_.lower_bound(begin);
  if (range != ranges_.begin() && std::prev(range)->second.end > begin) {
    auto before = std::prev(range);
    Rest rest = before->second;
    before->second.end = begin;
    if (rest.end > end) ranges_.emplace(end, rest);
  }
  while (range != ranges_.end() && range->first < end) {
    Rest rest = range->second;
    range = ranges_.erase(range);
    if (rest.end > end) ranges_.emplace(end, rest);
  }
}

}  // namespace heapray
