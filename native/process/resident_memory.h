// Whose the process's resident pages are. Bytes; each page counts once.
#pragma once

#include <cstdint>

namespace heapray {

struct ResidentMemory {
  uint64_t rss = 0;  // the sum of those below; 0: it was not looked at
  uint64_t files = 0;
  uint64_t stacks = 0;
  uint64_t v8_heap = 0;
  uint64_t heapray = 0;
  uint64_t mapped = 0;
  uint64_t arenas = 0;
  uint64_t other = 0;
  // What glibc's malloc says of itself: blocks in its arenas, and those that are mappings of their own.
  uint64_t in_use_in_arenas = 0;
  uint64_t large_blocks = 0;
};

// Looks at every mapping: some ten milliseconds for a gigabyte, and as many for a million free blocks, for which malloc
// is locked. Allocates; not in the hooks.
ResidentMemory ReadResidentMemory();

}  // namespace heapray
