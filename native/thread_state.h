// All that the tracker keeps of a thread, and how a thread gets at it.
#pragma once

#include <cstdint>

#include "process/lock.h"
#include "record/record_queue.h"
#include "stacks/thread_stack.h"

namespace heapray {

// On whose behalf a thread works: the stack that queued the work. Good for one capture.
struct WorkContext {
  uint32_t session = 0;
  uint32_t node = 0;
};

struct ThreadState {
  static constexpr uint32_t kNone = UINT32_MAX;

  // The session in which nothing has to be told of the thread before a record of it.
  uint32_t told_in = kNone;
  uint32_t session = 0;
  bool renamed = true;  // its name is not in the capture yet, or may have changed
  int unknown_roles = 0;
  const char* role = "";
  WorkContext context;
  uint32_t index = 0;            // in the capture; 0: not declared yet
  RecordQueue* queue = nullptr;  // opened for its first record
  ThreadStack stack;

  // In a forked child: nothing of it is known to anybody.
  void Forget() {
    session = 0;
    told_in = kNone;
    queue = nullptr;
  }
};

// Must be called before any thread has a state: `on_end` is called with that of a thread that ends.
void WatchThreadEnds(void (*on_end)(ThreadState&));

namespace internal {
extern constinit thread_local ThreadState* t_state;
extern constinit thread_local bool t_ending;
[[gnu::cold]] ThreadState& NewThreadState();
}  // namespace internal

// The calling thread's, made when there is none.
inline ThreadState& CurrentThread() {
  return internal::t_state != nullptr ? *internal::t_state : internal::NewThreadState();
}
// The calling thread's, or nullptr.
inline ThreadState* CurrentThreadIfKnown() { return internal::t_state; }
// Whether the calling thread's state came and went: the C library goes on freeing when all destructors have run, and
// nothing would delete a state made then.
inline bool CurrentThreadHasEnded() { return internal::t_ending && internal::t_state == nullptr; }

// While one exists, the state of all threads that have ended but for a few last calls of free is the calling thread's.
class EndedThreads {
 public:
  EndedThreads() : guard_(lock_) {}
  EndedThreads(const EndedThreads&) = delete;
  EndedThreads& operator=(const EndedThreads&) = delete;

  ThreadState& state();
  // In a forked child: whoever had it in the parent is not there.
  static void Forget();

 private:
  static SpinLock lock_;
  static ThreadState* state_;

  SpinLock::Guard guard_;
};

}  // namespace heapray
