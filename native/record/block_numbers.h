// The numbers of the live blocks of a capture: address -> number. Blocks lie close together and are used in the order
// in which they lie, so their numbers do too: a page for each stretch of the address space, of which memory is touched
// where blocks are.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>

namespace heapray {

class BlockNumbers {
 public:
  BlockNumbers() = default;
  ~BlockNumbers() {
    for (uint64_t i = 0; i <= mask_ && entries_ != nullptr; i++) {
      if (entries_[i].page != nullptr) munmap(entries_[i].page, kPageBytes);
    }
    free(entries_);
  }
  BlockNumbers(const BlockNumbers&) = delete;
  BlockNumbers& operator=(const BlockNumbers&) = delete;

  // The number of the block that is live at the address, 0 where there is none: to be changed. nullptr when there is no
  // memory.
  uint64_t* At(uint64_t address) {
    uint64_t stretch = KeyOf(address);
    if (stretch != last_stretch_) [[unlikely]] {
      uint64_t* page = Find(stretch);
      if (page == nullptr) return nullptr;
      last_stretch_ = stretch;
      last_page_ = page;
    }
    return &last_page_[address >> kAlignmentBits & (kPageSlots - 1)];
  }

 private:
  // Blocks are 16-aligned nearly always. Those that are not (and samples, which have any number for an address) have
  // pages of their own for each remainder.
  static constexpr int kAlignmentBits = 4;
  static constexpr int kStretchBits = 20;
  static constexpr uint64_t kPageSlots = uint64_t{1} << (kStretchBits - kAlignmentBits);
  static constexpr uint64_t kPageBytes = kPageSlots * sizeof(uint64_t);
  static constexpr uint64_t kNone = ~uint64_t{0};

  struct Entry {
    uint64_t stretch;
    uint64_t* page;  // nullptr: empty
  };

  static uint64_t KeyOf(uint64_t address) {
    return address >> kStretchBits << kAlignmentBits | (address & ((1u << kAlignmentBits) - 1));
  }
  uint64_t Hash(uint64_t stretch) const { return (stretch * 0x9E3779B97F4A7C15ull) >> 32 & mask_; }
  Entry& EntryOf(uint64_t stretch) {
    uint64_t at = Hash(stretch);
    while (entries_[at].page != nullptr && entries_[at].stretch != stretch) at = (at + 1) & mask_;
    return entries_[at];
  }

  [[gnu::noinline]] uint64_t* Find(uint64_t stretch) {
    if (count_ * 2 >= mask_ && !Grow()) return nullptr;
    Entry& entry = EntryOf(stretch);
    if (entry.page == nullptr) {
      void* page =
          mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (page == MAP_FAILED) return nullptr;
      entry = {stretch, static_cast<uint64_t*>(page)};
      count_++;
    }
    return entry.page;
  }

  bool Grow() {
    uint64_t count = entries_ == nullptr ? 1024 : 2 * (mask_ + 1);
    auto* grown = static_cast<Entry*>(calloc(count, sizeof(Entry)));
    if (grown == nullptr) return false;
    Entry* old = entries_;
    uint64_t old_count = old == nullptr ? 0 : mask_ + 1;
    entries_ = grown;
    mask_ = count - 1;
    for (uint64_t i = 0; i < old_count; i++) {
      if (old[i].page != nullptr) EntryOf(old[i].stretch) = old[i];
    }
    free(old);
    return true;
  }

  uint64_t last_stretch_ = kNone;
  uint64_t* last_page_ = nullptr;
  Entry* entries_ = nullptr;
  uint64_t mask_ = 0;
  uint64_t count_ = 0;
};

}  // namespace heapray
