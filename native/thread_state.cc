#include "thread_state.h"

#include <pthread.h>
#include <unistd.h>

#include <new>

#include "process/kept_errno.h"
#include "process/known_ranges.h"
#include "process/stack_bounds.h"
#include "process/untracked.h"

namespace heapray {
namespace {

void (*g_on_end)(ThreadState&) = nullptr;

pthread_key_t Key() {
  static const pthread_key_t key = [] {
    pthread_key_t made;
    pthread_key_create(&made, [](void* state) {
      Untracked untracked;
      // Destructors that run after this one may allocate again; they get a state of their own.
      internal::t_state = nullptr;
      internal::t_ending = true;
      g_on_end(*static_cast<ThreadState*>(state));
      delete static_cast<ThreadState*>(state);
    });
    return made;
  }();
  return key;
}

}  // namespace

namespace internal {

constinit thread_local ThreadState* t_state = nullptr;
constinit thread_local bool t_ending = false;

[[gnu::noinline]] ThreadState& NewThreadState() {
  KeptErrno kept;
  t_state = new ThreadState;
  // The first thread's stack has a name.
  if (gettid() != getpid()) {
    StackBounds stack = ThisThreadsStack();
    KnownRanges::Get().Set(stack.begin, stack.end, KnownRanges::Owner::kStack);
  }
  pthread_setspecific(Key(), t_state);
  return *t_state;
}

}  // namespace internal

void WatchThreadEnds(void (*on_end)(ThreadState&)) {
  g_on_end = on_end;
  Key();
}

constinit SpinLock EndedThreads::lock_;
constinit ThreadState* EndedThreads::state_ = nullptr;

ThreadState& EndedThreads::state() {
  if (state_ == nullptr) state_ = new ThreadState;
  return *state_;
}

void EndedThreads::Forget() {
  new (&lock_) SpinLock;
  if (state_ != nullptr) state_->Forget();
}

}  // namespace heapray
