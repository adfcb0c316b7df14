// Where the calling thread's stack lies.
#pragma once

#include <cstdint>

namespace heapray {

struct StackBounds {
  uint64_t begin = 0;
  uint64_t end = 0;  // behind the outermost word

  bool Contains(uint64_t address) const { return address >= begin && address < end; }
};

// As a thread begins, outside of any hook: the C library tells of it at once.
void LearnThisThreadsStack();
// Empty when it is not known. Callable inside any hook; looked up once a thread, in the list of mappings where it was
// not learned before.
StackBounds ThisThreadsStack();
inline uint64_t ThisThreadsStackEnd() { return ThisThreadsStack().end; }

}  // namespace heapray
