// Drives the tracker from many threads at once, as the hooks do, while it starts and stops in both formats:
//   tracker_driver <folder for captures> <threads> <sessions> <milliseconds a session>
// Each session writes <folder>/<number>.bin; one more, <2 * sessions>.bin, is of a single thread that is renamed. Fails
// when one cannot be completed, or when blocks of the driver's are not what it put into them.
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "record/file_sinks.h"
#include "test/fake_runtime.h"

namespace heapray {
namespace {

constexpr size_t kBlocks = 256;
constexpr size_t kPage = 4096;
constexpr uint64_t kFewestRounds = 2000;
constexpr int kLongestSessionMs = 10'000;

// Blocks that one thread leaves for another to free.
constexpr size_t kHandedOver = 8;
std::atomic<uint8_t*> g_handed_over[kHandedOver];

std::atomic<bool> g_ending{false};
std::atomic<uint64_t> g_rounds{0};
std::atomic<bool> g_broken{false};

void Allocate(uint8_t*& block, size_t size) {
  block = static_cast<uint8_t*>(malloc(size));
  memset(block, static_cast<int>(size & 0xff), size);
  Untracked untracked;
  if (size % 2 == 0) FakeStacks::Move();
  Tracker& tracker = Tracker::Get();
  bool at_once = tracker.active() && tracker.AllocationAtOnce(wire::Allocator::kMalloc, block, size);
  if (!at_once && tracker.active()) tracker.OnAllocation(wire::Allocator::kMalloc, block, size);
}

void Free(uint8_t*& block) {
  {
    Untracked untracked;
    Tracker& tracker = Tracker::Get();
    if (tracker.active() && !tracker.FreeAtOnce(block)) tracker.OnFree(block);
  }
  free(block);
  block = nullptr;
}

void Reallocate(uint8_t*& block, size_t old_size, size_t size) {
  Untracked untracked;
  bool active = Tracker::Get().active();
  block = static_cast<uint8_t*>(active ? Tracker::Get().OnRealloc(wire::Allocator::kRealloc, block, size, realloc)
                                       : realloc(block, size));
  if (block[old_size - 1] != (old_size & 0xff)) g_broken = true;
  memset(block, static_cast<int>(size & 0xff), size);
}

// Leaves a block to whoever comes next, and frees what somebody else has left.
void HandOver(uint32_t place, size_t size) {
  uint8_t* block = nullptr;
  Allocate(block, size);
  block = g_handed_over[place % kHandedOver].exchange(block);
  if (block != nullptr) Free(block);
}

void MapAndUnmap(size_t pages) {
  Untracked untracked;
  if (!Tracker::Get().active()) return;
  auto frame = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  void* range = Tracker::Get().WithAddressSpace(frame, [=](AddressSpace& space, const AddressSpace::Report& report) {
    void* mapped = mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped != MAP_FAILED) space.Mapped(reinterpret_cast<uintptr_t>(mapped), pages * kPage, true, report);
    return mapped;
  });
  if (range == MAP_FAILED) return;
  Tracker::Get().WithAddressSpace(frame, [=](AddressSpace& space, const AddressSpace::Report& report) {
    munmap(range, pages * kPage);
    space.Unmapped(reinterpret_cast<uintptr_t>(range), pages * kPage, report);
    return 0;
  });
}

void QueueWork() {
  WorkContext work = Tracker::Get().ContextHere("queued work");
  WorkContext before = Tracker::Get().context();
  Tracker::Get().SetContext(work);
  uint8_t* block = nullptr;
  Allocate(block, 77);
  Free(block);
  Tracker::Get().SetContext(before);
}

void Work(uint32_t seed, int rounds) {
  std::vector<std::pair<uint8_t*, size_t>> blocks(kBlocks);
  uint64_t random = seed * 0x9E3779B97F4A7C15ull + 1;
  for (int round = 0; round != rounds && !g_ending; round++) {
    g_rounds.fetch_add(1, std::memory_order_relaxed);
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    auto dice = static_cast<uint32_t>(random >> 33);
    auto& [block, size] = blocks[dice % kBlocks];
    size_t next = 16 + dice % 300;
    if (block == nullptr) {
      Allocate(block, size = next);
    } else if (dice % 4 == 0) {
      Reallocate(block, size, next < size ? size : next);
      size = next < size ? size : next;
    } else {
      Free(block);
    }
    if (dice % 4 == 1) HandOver(dice >> 2, next);
    if (dice % 64 == 1) MapAndUnmap(1 + dice % 3);
    if (dice % 128 == 2) QueueWork();
    if (dice % 512 == 3) Tracker::Get().OnThreadName();
    if (dice % 1024 == 4 && rounds < 0) std::thread(Work, dice, 50).join();
  }
  for (auto& [block, size] : blocks) {
    if (block != nullptr) Free(block);
  }
}

bool Start(const std::string& folder, int number, FakeStacks& stacks, FakeRuntime& runtime) {
  Tracker::Options options;
  options.destination = folder + "/" + std::to_string(number) + ".bin";
  OwnedFd fd = OpenCaptureFile(options.destination.c_str(), true);
  if (number % 3 == 0) {
    options.sink = std::make_unique<BufferedFileSink>(std::move(fd));
  } else {
    options.sink = std::make_unique<MappedFileSink>(std::move(fd));
  }
  options.aggregate = number % 2 == 1;
  options.metadata_json = options.aggregate ? R"({"pid":1,"options":{"fileFormat":"AGGREGATED_ALLOCATIONS"}})"
                                            : R"({"pid":1,"options":{"fileFormat":"ALL_ALLOCATIONS"}})";
  options.stacks = &stacks;
  options.runtime = &runtime;
  options.inherited_thread_name = "driver";
  int error = 0;
  return Tracker::Get().Start(std::move(options), &error);
}

bool Session(const std::string& folder, int number, int milliseconds, FakeStacks& stacks, FakeRuntime& runtime) {
  if (!Start(folder, number, stacks, runtime)) return false;
  // A loaded machine may leave the threads without a core for all of that time.
  uint64_t enough = g_rounds + kFewestRounds;
  for (int i = 0; i < milliseconds || (g_rounds < enough && i < kLongestSessionMs); i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    Tracker::Get().OnSnapshot({});
  }
  // As when the process ends of a signal, now and then.
  if (number % 5 == 4) Tracker::Get().EndNow("signal", 15);
  return Tracker::Get().Stop("stop");
}

// A thread that gets another name after its first record.
bool RenamedSession(const std::string& folder, int number, FakeStacks& stacks, FakeRuntime& runtime) {
  if (!Start(folder, number, stacks, runtime)) return false;
  std::thread([] {
    for (const char* name : {"before", "after"}) {
      pthread_setname_np(pthread_self(), name);
      Tracker::Get().OnThreadName();
      uint8_t* block = nullptr;
      Allocate(block, 100);
      Free(block);
    }
  }).join();
  return Tracker::Get().Stop("stop");
}

int Main(char** argv) {
  FakeStacks stacks(5000);
  FakeRuntime runtime;
  std::vector<std::thread> threads;
  for (int i = 0; i < atoi(argv[2]); i++) threads.emplace_back(Work, static_cast<uint32_t>(i + 1), -1);
  // Done while records are being made.
  Tracker::Get().PrepareFences();
  bool complete = true;
  for (int i = 0; i < atoi(argv[3]); i++) complete = Session(argv[1], i, atoi(argv[4]), stacks, runtime) && complete;
  g_ending = true;
  for (std::thread& thread : threads) thread.join();
  complete = RenamedSession(argv[1], 2 * atoi(argv[3]), stacks, runtime) && complete;
  printf("complete: %s, blocks: %s\n", complete ? "yes" : "no", g_broken ? "broken" : "whole");
  return complete && !g_broken ? 0 : 1;
}

}  // namespace
}  // namespace heapray

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: tracker_driver <folder> <threads> <sessions> <milliseconds a session>\n");
    return 2;
  }
  return heapray::Main(argv);
}
