// Where the agent's own mappings are, so that they are not taken for the program's. Allocates nothing: they are made in
// the hooks, too, and while a broken process is completed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace heapray {

class OwnMemory {
 public:
  static void Add(const void* begin, size_t bytes) {
    for (Slot& slot : slots_) {
      uint64_t free = 0;
      if (slot.begin.load(std::memory_order_relaxed) != 0) continue;
      slot.bytes.store(bytes, std::memory_order_relaxed);
      if (slot.begin.compare_exchange_strong(free, reinterpret_cast<uint64_t>(begin))) {
        slot.bytes.store(bytes, std::memory_order_relaxed);
        return;
      }
    }
    // Too many to keep: these count as the process's.
  }

  static void Remove(const void* begin) {
    for (Slot& slot : slots_) {
      if (slot.begin.load(std::memory_order_relaxed) != reinterpret_cast<uint64_t>(begin)) continue;
      slot.begin.store(0);
      return;
    }
  }

  // Calls `visit(begin, end)` for each.
  template <typename Visit>
  static void ForEach(Visit visit) {
    for (const Slot& slot : slots_) {
      uint64_t begin = slot.begin.load();
      if (begin != 0) visit(begin, begin + slot.bytes.load(std::memory_order_relaxed));
    }
  }

 private:
  struct Slot {
    std::atomic<uint64_t> begin;
    std::atomic<uint64_t> bytes;
  };
  static constinit inline std::array<Slot, 2048> slots_{};
};

}  // namespace heapray
