// A lock for short sections that are entered from inside malloc: no allocation, no system call unless it has to wait.
#pragma once

#include <sched.h>

#include <atomic>

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
    while (locked_.exchange(true, std::memory_order_acquire)) {
      while (locked_.load(std::memory_order_relaxed)) {
        // The holder may have lost its core: give it ours.
        if (++spins % 64 == 0) {
          sched_yield();
        } else {
          __builtin_ia32_pause();
        }
      }
    }
  }
  void Unlock() { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

}  // namespace heapray
