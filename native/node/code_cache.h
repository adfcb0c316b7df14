// What is known of an isolate's code within one epoch: where compiled code lies, and its tables, decoded. A large
// function has as many places as it has calls; without this each of them would decode the function anew.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>

#include "node/source_positions.h"
#include "node/v8_heap.h"

namespace heapray {

class CodeCache {
 public:
  // Makes the cache one for this isolate and epoch; forgets what it knew of another.
  void Enter(uint32_t isolate, uint64_t epoch) {
    if (isolate == isolate_ && epoch == epoch_ && epoch != 0 && entries_ <= kMostEntries) return;
    isolate_ = isolate;
    epoch_ = epoch;
    entries_ = 0;
    codes_.clear();
    tables_.clear();
  }

  // The code object whose instructions contain `pc`, or 0.
  V8Heap::Object CodeAt(uint64_t pc) const {
    auto next = codes_.upper_bound(pc);
    if (next == codes_.begin() || pc > std::prev(next)->second.end) return 0;
    return std::prev(next)->second.code;
  }
  void AddCode(uint64_t begin, uint64_t end, V8Heap::Object code) {
    codes_[begin] = {end, code};
    entries_++;
  }

  // The decoded table of an object, made by `decode()` when it is not known yet.
  template <typename Decode>
  const DecodedTable& Table(V8Heap::Object object, Decode decode) {
    auto [table, added] = tables_.try_emplace(object);
    if (added) {
      table->second = decode();
      entries_ += table->second.size() + 1;
    }
    return table->second;
  }

 private:
  static constexpr size_t kMostEntries = 4u << 20;

  struct Code {
    uint64_t end;
    V8Heap::Object code;
  };

  uint32_t isolate_ = 0;
  uint64_t epoch_ = 0;
  size_t entries_ = 0;
  std::map<uint64_t, Code> codes_;
  std::unordered_map<V8Heap::Object, DecodedTable> tables_;
};

}  // namespace heapray
