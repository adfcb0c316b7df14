// Where the lines of a source begin.
#pragma once

#include <cstdint>
#include <vector>

#include "node/v8_heap.h"

namespace heapray {

class LineTable {
 public:
  LineTable() = default;
  explicit LineTable(const V8Heap::Characters& source);

  bool empty() const { return starts_.empty(); }
  // The line, counted from 0, that holds the character at `offset`, which is not beyond the source's end.
  uint32_t LineOf(uint32_t offset) const;
  // The offset of its first character.
  uint32_t StartOf(uint32_t line) const { return starts_[line]; }

 private:
  static constexpr int kBlockBits = 8;

  template <typename Char>
  void Find(const Char* text, uint32_t length);

  std::vector<uint32_t> starts_;
  // The line of each block's first character: a search has few lines left, near each other.
  std::vector<uint32_t> line_of_block_;
};

}  // namespace heapray
