// The clock that intervals are measured by.
#pragma once

#include <cstdint>
#include <ctime>

namespace heapray {

// Milliseconds since some moment in the past. Usable in a signal handler.
inline int64_t MonotonicMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace heapray
