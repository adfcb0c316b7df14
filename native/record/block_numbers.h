// The numbers of the live blocks of a capture: address -> number. An open-addressing table with linear probing.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace heapray {

class BlockNumbers {
 public:
  BlockNumbers() = default;
  ~BlockNumbers() { free(slots_); }
  BlockNumbers(const BlockNumbers&) = delete;
  BlockNumbers& operator=(const BlockNumbers&) = delete;

  // Makes room for one more. Returns false when there is no memory.
  bool HasRoom() { return count_ * 2 < mask_ || Grow(); }

  // Adds a block, with room for it. Returns the number of the one that was live at its address, or 0.
  uint64_t Add(uint64_t address, uint64_t number) {
    Slot& slot = slots_[Find(address)];
    uint64_t before = slot.number;
    slot = {address, number};
    if (before == 0) count_++;
    return before;
  }

  // Returns the number of the block at the address, which is live no longer, or 0.
  uint64_t Remove(uint64_t address) {
    if (slots_ == nullptr) return 0;
    uint64_t hole = Find(address);
    uint64_t number = slots_[hole].number;
    if (number == 0) return 0;
    // What the probing would no longer find behind the hole moves into it.
    for (uint64_t at = hole;;) {
      at = (at + 1) & mask_;
      if (slots_[at].number == 0) break;
      uint64_t home = Hash(slots_[at].address);
      if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole].number = 0;
    count_--;
    return number;
  }

 private:
  struct Slot {
    uint64_t address;
    uint64_t number;  // 0: empty
  };

  uint64_t Hash(uint64_t address) const { return (address * 0x9E3779B97F4A7C15ull) >> 32 & mask_; }

  // Where the address is, or else the empty slot for it.
  uint64_t Find(uint64_t address) const {
    uint64_t at = Hash(address);
    while (slots_[at].number != 0 && slots_[at].address != address) at = (at + 1) & mask_;
    return at;
  }

  bool Grow() {
    uint64_t slots = slots_ == nullptr ? 4096 : 2 * (mask_ + 1);
    auto* grown = static_cast<Slot*>(calloc(slots, sizeof(Slot)));
    if (grown == nullptr) return false;
    Slot* old = slots_;
    uint64_t old_slots = old == nullptr ? 0 : mask_ + 1;
    slots_ = grown;
    mask_ = slots - 1;
    for (uint64_t i = 0; i < old_slots; i++) {
      if (old[i].number != 0) slots_[Find(old[i].address)] = old[i];
    }
    free(old);
    return true;
  }

  Slot* slots_ = nullptr;
  uint64_t mask_ = 0;
  uint64_t count_ = 0;
};

}  // namespace heapray
