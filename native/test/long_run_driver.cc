// Runs the tracker for a long time over what stays the same: code moves, threads come and go, blocks come and go.
//   long_run_driver <records> all|aggregated
// Prints after each quarter of the records the bytes of the heap that are in use, and the process's private memory.
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "test/fake_runtime.h"
#include "test/no_sink.h"

namespace heapray {
namespace {

void Allocate(size_t address, size_t size) {
  Untracked untracked;
  FakeStacks::Move();
  Tracker::Get().OnAllocation(wire::Allocator::kMalloc, reinterpret_cast<void*>(address), size);
}

void Free(size_t address) {
  Untracked untracked;
  Tracker::Get().OnFree(reinterpret_cast<void*>(address));
}

// Bytes. The driver's blocks are addresses, and take none.
size_t PrivateMemory() {
  size_t resident = 0;
  size_t shared = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == nullptr || fscanf(file, "%*u %zu %zu", &resident, &shared) != 2) abort();
  fclose(file);
  return (resident - shared) * static_cast<size_t>(getpagesize());
}

void ShortThread() {
  for (size_t i = 1; i <= 20; i++) Allocate(0x700000000000 + i * 64, i);
  for (size_t i = 1; i <= 20; i++) Free(0x700000000000 + i * 64);
}

int Main(char** argv) {
  constexpr size_t kLive = 4096;
  size_t records = strtoull(argv[1], nullptr, 10);
  FakeStacks stacks(10'000);
  FakeRuntime runtime;
  Tracker::Options options;
  options.sink = std::make_unique<NoSink>();
  options.aggregate = strcmp(argv[2], "aggregated") == 0;
  options.metadata_json = "{}";
  options.stacks = &stacks;
  options.runtime = &runtime;
  int error = 0;
  Tracker::Get().PrepareFences();
  if (!Tracker::Get().Start(std::move(options), &error)) return 1;
  size_t made = 0;
  for (int quarter = 1; quarter <= 4; quarter++) {
    for (; made < records / 4 * static_cast<size_t>(quarter); made += 2) {
      // Addresses come back, if not always: a heap is larger than what is live of it.
      size_t at = made / 2;
      if (at >= kLive) Free(0x600000000000 + (at - kLive) % (1 << 20) * 16);
      Allocate(0x600000000000 + at % (1 << 20) * 16, 1 + at % 1000);
      if (at % 4000 == 0) std::thread(ShortThread).join();
    }
    struct mallinfo2 heap = mallinfo2();
    printf("%zu %zu\n", heap.uordblks + heap.hblkhd, PrivateMemory());
  }
  return Tracker::Get().Stop("stop") ? 0 : 1;
}

}  // namespace
}  // namespace heapray

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: long_run_driver <records> all|aggregated\n");
    return 2;
  }
  return heapray::Main(argv);
}
