// Keeps the agent's own doings out of the capture.
#pragma once

namespace heapray {

namespace internal {
// initial-exec (see the Makefile): the general model would allocate in a new thread, inside the hook, forever.
extern constinit thread_local bool t_untracked;
}  // namespace internal

// While one exists, what this thread allocates is its own affair: not recorded, and no hook runs inside a hook.
class Untracked {
 public:
  Untracked() : entered_(!internal::t_untracked) { internal::t_untracked = true; }
  ~Untracked() {
    if (entered_) internal::t_untracked = false;
  }
  Untracked(const Untracked&) = delete;
  Untracked& operator=(const Untracked&) = delete;
  // Whether the thread was tracked until now, i.e. whether this call is the program's.
  bool entered() const { return entered_; }

 private:
  bool entered_;
};

}  // namespace heapray
