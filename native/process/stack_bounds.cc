#include "process/stack_bounds.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "process/mappings.h"

// Of the C library's: where the first thread's stack began.
extern "C" void* __libc_stack_end;

namespace heapray {
namespace {

constexpr uint64_t kPage = 4096;

constinit thread_local StackBounds t_stack;

StackBounds FirstThreadsStack() {
  StackBounds stack{0, (reinterpret_cast<uint64_t>(__libc_stack_end) / kPage + 1) * kPage};
  // It grows into what lies before it, up to its limit.
  ForEachMapping([&stack](const Mapping& mapping) {
    if (mapping.end < stack.end) stack.begin = mapping.end;
  });
  rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < stack.end) {
    stack.begin = std::max(stack.begin, stack.end - limit.rlim_cur);
  }
  return stack;
}

StackBounds OtherThreadsStack() {
  // A thread's own data lies at the outer end of its stack.
  StackBounds stack{0, reinterpret_cast<uint64_t>(__builtin_thread_pointer())};
  ForEachMapping([&stack](const Mapping& mapping) {
    if (mapping.begin < stack.end && stack.end < mapping.end) stack.begin = mapping.begin;
  });
  return stack.begin == 0 ? StackBounds() : stack;
}

}  // namespace

StackBounds ThisThreadsStack() {
  // Not by pthread_getattr_np(), which allocates with the thread's lock held: a thread that was in the middle of it
  // when the hooks came on would wait for itself.
  if (t_stack.end == 0) t_stack = gettid() == getpid() ? FirstThreadsStack() : OtherThreadsStack();
  return t_stack;
}

void LearnThisThreadsStack() {
  pthread_attr_t attributes;
  void* begin = nullptr;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  pthread_attr_getstack(&attributes, &begin, &bytes);
  pthread_attr_destroy(&attributes);
  auto address = reinterpret_cast<uint64_t>(begin);
  t_stack = {address, address + bytes};
}

}  // namespace heapray
