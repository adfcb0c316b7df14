// An open-addressing hash map from a non-zero 64-bit key to a small value: one probe, one cache line, no node per
// entry. Its memory is not the program's heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "stacks/mapped_array.h"

namespace heapray {

inline uint64_t MixBits(uint64_t x) {
  x ^= x >> 32;
  x *= 0x9E3779B97F4A7C15ull;
  x ^= x >> 29;
  return x;
}

// A Value() has to be all zeros, as fresh memory is.
template <typename Value>
class FlatMap {
 public:
  // The value under `key` (not 0), made with Value() when absent. Valid until the next call.
  Value& operator[](uint64_t key) {
    if (!HasRoom()) return lost_ = Value();
    Entry& entry = entries_[IndexOf(key)];
    if (entry.key == 0) {
      entry.key = key;
      count_++;
    }
    return entry.value;
  }

  // The value under `key`, or nullptr.
  Value* Find(uint64_t key) {
    if (!entries_.usable()) return nullptr;
    Entry& entry = entries_[IndexOf(key)];
    return entry.key == 0 ? nullptr : &entry.value;
  }

  // Adds what is not there yet.
  void Add(uint64_t key, const Value& value) {
    if (!HasRoom()) return;
    entries_[IndexOf(key)] = {key, value};
    count_++;
  }

  // Says that `key` will be looked for.
  void Prefetch(uint64_t key) const {
    if (entries_.usable()) __builtin_prefetch(&entries_[MixBits(key) & (entries_.count() - 1)]);
  }

  // Drops the entries whose value `keep(value)` does not want; the rest may change.
  template <typename Keep>
  void Filter(Keep keep) {
    std::vector<Entry> kept;
    for (size_t i = 0; i < entries_.count(); i++) {
      if (entries_[i].key != 0 && keep(entries_[i].value)) kept.push_back(entries_[i]);
    }
    entries_ = MappedArray<Entry>();
    count_ = 0;
    for (const Entry& entry : kept) Add(entry.key, entry.value);
  }

  size_t size() const { return count_; }

 private:
  static constexpr size_t kSmallest = 1024;

  struct Entry {
    uint64_t key;
    Value value;
  };
  static_assert(std::is_trivially_copyable_v<Value>);

  // Where `key` is, or belongs.
  size_t IndexOf(uint64_t key) {
    size_t mask = entries_.count() - 1;
    size_t i = MixBits(key) & mask;
    while (entries_[i].key != 0 && entries_[i].key != key) i = (i + 1) & mask;
    return i;
  }

  // Whether there is room for one more entry. Without memory for a larger table it is used up to the last.
  bool HasRoom() {
    if (count_ * 4 < entries_.count() * 3) [[likely]]
      return true;
    Grow();
    return count_ + 1 < entries_.count();
  }

  void Grow() {
    MappedArray<Entry> larger(entries_.count() == 0 ? kSmallest : entries_.count() * 2);
    if (!larger.usable()) return;
    std::swap(entries_, larger);
    for (size_t i = 0; i < larger.count(); i++) {
      if (larger[i].key != 0) entries_[IndexOf(larger[i].key)] = larger[i];
    }
  }

  MappedArray<Entry> entries_;
  size_t count_ = 0;
  Value lost_{};
};

}  // namespace heapray
