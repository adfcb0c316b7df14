// A lock for short sections that are entered from inside malloc: no allocation, no system call unless it has to wait.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "process/clock.h"

namespace heapray {

class SpinLock {
 public:
  class Guard {
   public:
    explicit Guard(SpinLock& lock) : lock_(lock) { lock_.Lock(); }
    ~Guard() { lock_.Unlock(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    SpinLock& lock_;
  };

  void Lock() {
    int spins = 0;
    while (!TryLock()) Wait(&spins);
  }
  // Gives up after so many milliseconds, and returns false.
  bool LockWithin(int64_t milliseconds) {
    int64_t end = MonotonicMs() + milliseconds;
    int spins = 0;
    while (!TryLock()) {
      Wait(&spins);
      if (spins % 64 == 0 && MonotonicMs() > end) return false;
    }
    return true;
  }
  void Unlock() { holder_.store(nullptr, std::memory_order_release); }

  // What a signal handler needs to know of the thread that it interrupted.
  bool HeldByThisThread() const { return holder_.load(std::memory_order_relaxed) == __builtin_thread_pointer(); }

 private:
  bool TryLock() {
    void* free = nullptr;
    return holder_.compare_exchange_strong(free, __builtin_thread_pointer(), std::memory_order_acquire,
                                           std::memory_order_relaxed);
  }
  void Wait(int* spins) {
    while (holder_.load(std::memory_order_relaxed) != nullptr) {
      // The holder may have lost its core: give it ours.
      if (++*spins % 64 == 0) {
        sched_yield();
        return;
      }
      __builtin_ia32_pause();
    }
  }
  std::atomic<void*> holder_{nullptr};
};

}  // namespace heapray
