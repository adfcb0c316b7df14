// The live blocks of the malloc family: address -> size and location. Open addressing with linear probing, sixteen
// bytes an entry, so that a look-up costs one cache line. Addresses and sizes are below 2^48.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace heapray {

class LiveBlocks {
 public:
  struct Block {
    uint64_t size;
    uint32_t location;
  };

  // Adds a block. Returns whether one was live at the address, which is then replaced and put into *old.
  bool Add(uint64_t address, Block block, Block* old);
  // Removes the block at the address into *block; returns false where there is none.
  bool Remove(uint64_t address, Block* block);

  size_t size() const { return count_; }

 private:
  // An address is never 0, so a zero `address_and_size` is a free entry.
  struct Entry {
    uint64_t address_and_size = 0;  // address << 16 | size >> 32
    uint32_t size_low = 0;
    uint32_t location = 0;

    uint64_t address() const { return address_and_size >> 16; }
    Block block() const { return {(address_and_size & 0xffff) << 32 | size_low, location}; }
  };

  static Entry Pack(uint64_t address, Block block) {
    return {address << 16 | block.size >> 32, static_cast<uint32_t>(block.size), block.location};
  }
  size_t Home(uint64_t address) const;
  void Grow();

  std::unique_ptr<Entry[]> entries_;
  size_t capacity_ = 0;  // a power of two
  size_t count_ = 0;
};

}  // namespace heapray
