// The native frames of a walk: those between the hook and JavaScript, between one stretch of JavaScript and the next,
// and those of threads without any.
#pragma once

#include <cstdint>

#include "node/walk_memory.h"
#include "process/stack_bounds.h"
#include "stacks/unwinder.h"

namespace heapray {

class NativeWalk {
 public:
  NativeWalk();

  // The frame that called heapray, seen from a function of heapray's.
  NativeCursor Caller() const;

  enum class End { kAsBefore, kRuntimeCode, kLimit, kOutermost };
  // Adds the cursor's frame and its callers', as far as they are native: up to code of the runtime's own
  // (`is_runtime(pc)`), to the first frame beyond the address `limit` (0: none), to where the last walk went on in the
  // same way, or to where it ends. The cursor is then at the first frame that was not added.
  template <typename IsRuntime>
  End Follow(NativeCursor& cursor, uint64_t limit, uint64_t stack_end, WalkMemory& memory, IsRuntime is_runtime) {
    while (!memory.full()) {
      if (is_runtime(cursor.pc)) return End::kRuntimeCode;
      uint64_t address = cursor.sp - 16;
      if (limit != 0 && address >= limit) return End::kLimit;
      if (memory.ContinuesAsBefore(address)) return End::kAsBefore;
      FrameRule rule = unwinder_.RuleAt(cursor, stack_end);
      if (rule.cfa == FrameRule::Cfa::kUnknown) return End::kOutermost;
      if (!IsOwn(cursor.pc)) {
        memory.AddLink({address, 0, cursor.pc, 0, 0, WalkMemory::kNative});
        memory.AddFrame({cursor.pc, 0, cursor.pc});
      }
      if (!Unwinder::Step(cursor, rule, stack_end)) return End::kOutermost;
    }
    return End::kOutermost;
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
