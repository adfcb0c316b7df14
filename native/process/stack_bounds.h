// Where the calling thread's stack lies.
#pragma once

#include <cstdint>

namespace heapray {

struct StackBounds {
  uint64_t begin = 0;
  uint64_t end = 0;  // behind the outermost word

  bool Contains(uint64_t address) const { return address >= begin && address < end; }
};

// Empty when it is not known. Looks it up anew at each call.
StackBounds ThisThreadsStack();
inline uint64_t ThisThreadsStackEnd() { return ThisThreadsStack().end; }

}  // namespace heapray
