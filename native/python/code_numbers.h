// Numbers for code objects that are never used twice, though the objects' addresses are.
#pragma once

#include <atomic>
#include <cstdint>

#include "process/lock.h"
#include "python/cpython.h"
#include "stacks/flat_map.h"

namespace heapray {

class CodeNumbers {
 public:
  // The process's. Never destroyed: code dies until the very end.
  static CodeNumbers& Get() { return instance_; }

  // Has the deaths of code objects told, from now on. With the GIL.
  void Watch();

  // The number of a code object that is being executed: 1, 2, 3, ... in order of first appearance. Callable inside any
  // hook, with or without the GIL.
  uint64_t Of(const PyCodeObject* code);
  // Changes whenever an address that had a number has lost it.
  uint64_t deaths() const { return deaths_.load(std::memory_order_acquire); }
  // Of so many code objects that had numbers, the index of the first one that has lost its own; or `count`. `code(i)`
  // is its address, 0 where there is nothing to ask, and `number(i)` its number.
  template <typename CodeAt, typename NumberAt>
  size_t FirstDead(size_t count, CodeAt code, NumberAt number) {
    SpinLock::Guard guard(lock_);
    for (size_t i = 0; i < count; i++) {
      if (code(i) == 0) continue;
      const uint64_t* now = numbers_.Find(code(i));
      if (now == nullptr || *now != number(i)) return i;
    }
    return count;
  }

  // In a forked child: whoever held the lock is not there, and may have been in the middle of it.
  void Forget();

 private:
  CodeNumbers() = default;
  ~CodeNumbers() = delete;
  static void Deallocate(PyObject* code);
  void Died(const PyObject* code);

  static CodeNumbers& instance_;
  static destructor deallocate_;

  SpinLock lock_;
  FlatMap<uint64_t> numbers_;  // by address; 0: the code there has none
  uint64_t last_ = 0;
  std::atomic<uint64_t> deaths_{0};
};

}  // namespace heapray
