// The native frames of a walk: those between the hook and the runtime's code, between one stretch of that and the next,
// and those of threads without any.
#pragma once

#include <cstdint>

#include "process/stack_bounds.h"
#include "stacks/native_chains.h"
#include "stacks/stack_source.h"
#include "stacks/unwinder.h"

namespace heapray {

class NativeWalk {
 public:
  NativeWalk();

  // The frame that called heapray, seen from a function of heapray's.
  NativeCursor Caller() const;

  // The calling thread's.
  static NativeChains& Chains();

  // Follows the native frames that are innermost, as NativeChains::Walk does. Without room for chains there are none.
  template <typename IsRuntime>
  NativeChains::End WalkInnermost(NativeChains& chains, NativeCursor& cursor, uint64_t limit, uint64_t stack_end,
                                  IsRuntime is_runtime, uint32_t* chain) {
    if (!chains.usable()) return NativeChains::End::kOutermost;
    return chains.Walk(
        unwinder_, cursor, limit, stack_end, is_runtime, [this](uint64_t pc) { return IsOwn(pc); }, chain);
  }

  // Adds the cursor's frame and its callers', as far as they are native, to a Memory (WalkMemory is one): up to code of
  // the runtime's own (`is_runtime(pc)`), to the first frame beyond the address `limit` (0: none), or to where they
  // end. Returns whether it met a place where the last walk went on in the same way.
  template <typename Memory, typename IsRuntime>
  bool FollowOuter(NativeCursor& cursor, uint64_t limit, uint64_t stack_end, Memory& memory, IsRuntime is_runtime) {
    while (!memory.full() && !is_runtime(cursor.pc)) {
      uint64_t address = cursor.sp - 16;
      if (limit != 0 && address >= limit) return false;
      if (memory.ContinuesAsBefore(address)) return true;
      PackedRule rule = unwinder_.RuleAt(cursor, stack_end);
      if (!rule.known()) return false;
      if (!IsOwn(cursor.pc)) memory.AddNative(address, cursor.pc);
      if (!Unwinder::Step(cursor, rule, stack_end)) return false;
    }
    return false;
  }
  // Moves the cursor to its caller. Returns false where that is not known, or does not lie on the stack.
  bool Step(NativeCursor& cursor, uint64_t stack_end) {
    PackedRule rule = unwinder_.RuleAt(cursor, stack_end);
    return rule.known() && Unwinder::Step(cursor, rule, stack_end);
  }

  // Sets `walk` to the frames of a thread without a runtime.
  void WalkThread(StackWalk& walk);

 private:
  bool IsOwn(uint64_t pc) const { return pc - own_begin_ < own_bytes_; }

  Unwinder unwinder_;
  uint64_t own_begin_ = 0;
  uint64_t own_bytes_ = 0;
};

}  // namespace heapray
