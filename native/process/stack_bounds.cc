#include "process/stack_bounds.h"

#include <pthread.h>

namespace heapray {

StackBounds ThisThreadsStack() {
  pthread_attr_t attributes;
  void* begin = nullptr;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
  pthread_attr_getstack(&attributes, &begin, &bytes);
  pthread_attr_destroy(&attributes);
  auto address = reinterpret_cast<uint64_t>(begin);
  return {address, address + bytes};
}

}  // namespace heapray
