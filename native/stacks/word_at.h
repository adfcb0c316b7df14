#pragma once

#include <cstdint>

namespace heapray {

inline uint64_t WordAt(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

// A thread-local word, by its offset from the thread pointer.
inline uint64_t ThreadWordAt(int64_t offset) {
  uint64_t word;
  asm volatile("mov %%fs:(%1), %0" : "=r"(word) : "r"(offset));
  return word;
}

}  // namespace heapray
