// An open-addressing hash map from a non-zero 64-bit key to a small value: one probe, one cache line, no node per
// entry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace heapray {

inline uint64_t MixBits(uint64_t x) {
  x ^= x >> 32;
  x *= 0x9E3779B97F4A7C15ull;
  x ^= x >> 29;
  return x;
}

template <typename Value>
class FlatMap {
 public:
  // The value under `key` (not 0), made with Value() when absent. Valid until the next call.
  Value& operator[](uint64_t key) {
    if (count_ * 4 >= capacity_ * 3) Rehash(capacity_ == 0 ? 1024 : capacity_ * 2);
    Entry& entry = Slot(entries_.get(), capacity_, key);
    if (entry.key == 0) {
      entry.key = key;
      count_++;
    }
    return entry.value;
  }

  // The value under `key`, or nullptr.
  Value* Find(uint64_t key) {
    if (capacity_ == 0) return nullptr;
    Entry& entry = Slot(entries_.get(), capacity_, key);
    return entry.key == 0 ? nullptr : &entry.value;
  }

  // Drops the entries whose value `keep(value)` does not want; the rest may change.
  template <typename Keep>
  void Filter(Keep keep) {
    std::vector<Entry> kept;
    for (size_t i = 0; i < capacity_; i++) {
      if (entries_[i].key != 0 && keep(entries_[i].value)) kept.push_back(entries_[i]);
    }
    entries_.reset();
    capacity_ = count_ = 0;
    for (const Entry& entry : kept) (*this)[entry.key] = entry.value;
  }

  size_t size() const { return count_; }

 private:
  struct Entry {
    uint64_t key = 0;
    Value value{};
  };

  static Entry& Slot(Entry* entries, size_t capacity, uint64_t key) {
    size_t mask = capacity - 1;
    size_t i = MixBits(key) & mask;
    while (entries[i].key != 0 && entries[i].key != key) i = (i + 1) & mask;
    return entries[i];
  }

  void Rehash(size_t capacity) {
    auto entries = std::make_unique<Entry[]>(capacity);
    for (size_t i = 0; i < capacity_; i++) {
      if (entries_[i].key != 0) Slot(entries.get(), capacity, entries_[i].key) = entries_[i];
    }
    entries_ = std::move(entries);
    capacity_ = capacity;
  }

  std::unique_ptr<Entry[]> entries_;
  size_t capacity_ = 0;
  size_t count_ = 0;
};

}  // namespace heapray
