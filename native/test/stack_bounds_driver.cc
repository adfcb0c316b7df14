// Where stacks lie, as heapray finds it and as the C library tells: for the first thread, for one that was there
// before, and for one that learned it as it began. Prints a line for each that differs in what matters, and nothing
// else.
#include <pthread.h>

#include <cstdio>

#include "process/stack_bounds.h"

using heapray::StackBounds;

namespace {

// The program's thread has a stack of this size, and is not the first.
constexpr size_t kBytes = 512u << 10;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kSlack = 64 * kPage;

StackBounds Told() {
  pthread_attr_t attributes;
  void* begin = nullptr;
  size_t bytes = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &begin, &bytes);
  pthread_attr_destroy(&attributes);
  auto address = reinterpret_cast<uint64_t>(begin);
  return {address, address + bytes};
}

// The end that is found leaves out what the C library keeps of a thread, and no frame.
void Compare(const char* thread) {
  StackBounds told = Told();
  StackBounds found = heapray::ThisThreadsStack();
  auto here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  bool same_end = found.end <= told.end && told.end - found.end < 4 * kPage;
  // The first thread's grows on demand: how far exactly, nobody needs to know.
  bool same_begin = found.begin <= told.begin + kSlack && told.begin <= found.begin + kSlack;
  if (same_end && same_begin && found.Contains(here)) return;
  printf("%s: told %lx-%lx, found %lx-%lx, here %lx\n", thread, told.begin, told.end, found.begin, found.end, here);
}

void InThread(bool learns) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kBytes);
  pthread_t thread;
  auto run = [](void* learns) -> void* {
    if (learns != nullptr) heapray::LearnThisThreadsStack();
    Compare(learns != nullptr ? "a thread that learned it" : "a thread");
    return nullptr;
  };
  pthread_create(&thread, &attributes, run, learns ? &thread : nullptr);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace

int main() {
  Compare("the first thread");
  InThread(false);
  InThread(true);
  return 0;
}
