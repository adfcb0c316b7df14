// The live address ranges (mappings, heap pages): disjoint, each with the location that it counts for.
#pragma once

#include <cstdint>
#include <map>

namespace heapray {

class LiveRanges {
 public:
  // Adds a range; what was live there has been removed before. Empty ranges are none.
  void Add(uint64_t begin, uint64_t bytes, uint32_t location) {
    if (bytes > 0) ranges_[begin] = {begin + bytes, location};
  }

  // Takes [begin, begin + bytes) out of all ranges. Calls removed(location, bytes, pieces) for each piece taken;
  // `pieces` is by how many the location's ranges became more: -1 gone, 0 shorter, 1 cut in two.
  template <typename Removed>
  void Remove(uint64_t begin, uint64_t bytes, Removed removed) {
    if (bytes == 0) return;
    uint64_t end = begin + bytes;
    auto at = ranges_.lower_bound(begin);
    if (at != ranges_.begin()) {
      auto before = std::prev(at);
      Range& range = before->second;
      if (range.end > end) {
        ranges_.emplace_hint(at, end, range);
        range.end = begin;
        removed(range.location, bytes, 1);
        return;
      }
      if (range.end > begin) {
        uint64_t taken = range.end - begin;
        range.end = begin;
        removed(range.location, taken, 0);
      }
    }
    while (at != ranges_.end() && at->first < end) {
      Range range = at->second;
      uint64_t from = at->first;
      at = ranges_.erase(at);
      if (range.end > end) {
        ranges_.emplace_hint(at, end, range);
        removed(range.location, end - from, 0);
        return;
      }
      removed(range.location, range.end - from, -1);
    }
  }

 private:
  struct Range {
    uint64_t end;
    uint32_t location;
  };
  std::map<uint64_t, Range> ranges_;
};

}  // namespace heapray
