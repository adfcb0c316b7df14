// Waiting for a word of memory to change: usable in a signal handler, and where nothing may be allocated.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <ctime>

#include "process/clock.h"

namespace heapray {

inline void Wake(std::atomic<int>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

// Waits while the word is `value`, for so many microseconds, below a second, at most; may return sooner.
inline void WaitOnce(std::atomic<int>& word, int value, int64_t microseconds) {
  timespec timeout{0, microseconds * 1000};
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &timeout, nullptr, 0);
}

// Waits until the word is not `value`; returns false when it still is after so many milliseconds (-1: any).
inline bool WaitWhile(std::atomic<int>& word, int value, int64_t milliseconds) {
  int64_t end = MonotonicMs() + milliseconds;
  while (word.load() == value) {
    int64_t rest = milliseconds < 0 ? 1'000'000 : end - MonotonicMs();
    if (rest <= 0) return false;
    timespec timeout{rest / 1000, rest % 1000 * 1'000'000};
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &timeout, nullptr, 0);
  }
  return true;
}

}  // namespace heapray
