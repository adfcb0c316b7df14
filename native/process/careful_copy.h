// Reads memory that may not be there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapray {

// Copies what can be read of [address, address + bytes) and returns how much that was; never faults.
size_t CopyIfReadable(uint64_t address, void* to, size_t bytes);

// Whether the eight bytes at the address can be read just now: an eighth of the price of copying them, for addresses
// that no other thread is expected to unmap meanwhile.
bool IsReadable(uint64_t address);

}  // namespace heapray
