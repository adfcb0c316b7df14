// Drives AddressSpace from standard input, one call a line, numbers in pages; answers each with one line of changes:
//   map B N rw|none   unmap B N   protect B N rw|none   discard B N   move B N B2 N2
//   -> "+B:N" became memory, "-B:N" stopped being memory
#include <cstdio>
#include <cstring>

#include "hooks/address_space.h"

namespace {

constexpr uint64_t kPage = 4096;

void Print(const heapray::AddressSpace::Change& change) {
  printf("%c%llu:%llu ", change.became_memory ? '+' : '-', static_cast<unsigned long long>(change.begin / kPage),
         static_cast<unsigned long long>(change.bytes / kPage));
}

}  // namespace

int main() {
  heapray::AddressSpace space;
  char command[16];
  unsigned long long begin;
  unsigned long long pages;
  while (scanf("%15s %llu %llu", command, &begin, &pages) == 3) {
    uint64_t address = begin * kPage;
    uint64_t bytes = pages * kPage;
    char access[8] = "";
    unsigned long long to = 0;
    unsigned long long to_pages = 0;
    if (strcmp(command, "map") == 0 && scanf("%7s", access) == 1) {
      space.Mapped(address, bytes, strcmp(access, "rw") == 0, Print);
    } else if (strcmp(command, "unmap") == 0) {
      space.Unmapped(address, bytes, Print);
    } else if (strcmp(command, "protect") == 0 && scanf("%7s", access) == 1) {
      space.Protected(address, bytes, strcmp(access, "rw") == 0, Print);
    } else if (strcmp(command, "discard") == 0) {
      space.Discarded(address, bytes, Print);
    } else if (strcmp(command, "move") == 0 && scanf("%llu %llu", &to, &to_pages) == 2) {
      space.Moved(address, bytes, to * kPage, to_pages * kPage, Print);
    }
    printf("\n");
    fflush(stdout);
  }
  return 0;
}
