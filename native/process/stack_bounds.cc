#include "process/stack_bounds.h"

#include <pthread.h>

namespace heapray {

uint64_t ThisThreadsStackEnd() {
  pthread_attr_t attributes;
  void* begin = nullptr;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  pthread_attr_getstack(&attributes, &begin, &bytes);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<uint64_t>(begin) + bytes;
}

}  // namespace heapray
