#include "process/mappings.h"

#include <cinttypes>
#include <cstdio>

namespace heapray {

void ForEachMapping(const std::function<void(const Mapping&)>& visit) {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (maps == nullptr) return;
  // Longer than any path: a line is never read in two.
  char line[4608];
  while (fgets(line, sizeof line, maps) != nullptr) {
    uint64_t begin = 0;
    uint64_t end = 0;
    char access[5] = "";
    unsigned long inode = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %lu", &begin, &end, access, &inode) != 4) continue;
    visit({begin, end, access[0] == 'r', access[1] == 'w', access[2] == 'x', inode != 0});
  }
  fclose(maps);
}

}  // namespace heapray
