// The live blocks of the malloc family: address -> size and location. Sixteen bytes an entry, so that a look-up costs
// one cache line. Addresses and sizes are below 2^48.
#pragma once

#include <cstddef>
#include <cstdint>

#include "aggregate/growing_table.h"

namespace heapray {

class LiveBlocks {
 public:
  struct Block {
    uint64_t size;
    uint32_t location;
  };
  enum class Added { kNew, kReplaced, kNoMemory };

  // Adds a block. One that was live at the address is replaced and put into *old.
  Added Add(uint64_t address, Block block, Block* old) {
    Entry* entry = entries_.Claim(address);
    if (entry == nullptr) [[unlikely]]
      return Added::kNoMemory;
    bool replaced = !entry->free();
    if (replaced) [[unlikely]]
      *old = entry->block();
    *entry = {address << 16 | block.size >> 32, static_cast<uint32_t>(block.size), block.location};
    return replaced ? Added::kReplaced : Added::kNew;
  }
  // Removes the block at the address into *block; returns false where there is none.
  bool Remove(uint64_t address, Block* block) {
    Entry* entry = entries_.Find(address);
    if (entry == nullptr) return false;
    *block = entry->block();
    entries_.Remove(entry);
    return true;
  }

  // For a block that is about to be added or removed.
  [[gnu::always_inline]] void Prefetch(uint64_t address) const { entries_.Prefetch(address); }

  size_t size() const { return entries_.size(); }

 private:
  // An address is never 0.
  struct Entry {
    uint64_t address_and_size = 0;  // address << 16 | size >> 32
    uint32_t size_low = 0;
    uint32_t location = 0;

    bool free() const { return address_and_size == 0; }
    using Key = uint64_t;
    Key key() const { return address_and_size >> 16; }
    static uint64_t Hash(Key address) { return SpreadBits(address); }
    Block block() const { return {(address_and_size & 0xffff) << 32 | size_low, location}; }
  };

  GrowingTable<Entry> entries_;
};

}  // namespace heapray
