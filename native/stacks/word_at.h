#pragma once

#include <emmintrin.h>

#include <cstdint>

namespace heapray {

// Of stacks, where anything may lie: also what a sanitizer lets nobody read.
[[gnu::no_sanitize_address]] inline uint64_t WordAt(uint64_t address) {
  return *reinterpret_cast<const uint64_t*>(address);
}
// Two words that follow each other.
[[gnu::no_sanitize_address]] inline __m128i TwoWordsAt(uint64_t address) {
  return *reinterpret_cast<const __m128i_u*>(address);
}

// A thread-local word, by its offset from the thread pointer.
inline uint64_t ThreadWordAt(int64_t offset) {
  uint64_t word;
  asm volatile("mov %%fs:(%1), %0" : "=r"(word) : "r"(offset));
  return word;
}

}  // namespace heapray
