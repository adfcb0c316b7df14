// Steps from native frames to their callers, whatever they were compiled with. How that goes at a place in the code is
// found out once (from call frame information, else from the code itself) and kept: a step is then a few loads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "process/modules.h"
#include "stacks/call_frame_info.h"

namespace heapray {

// A frame that is being executed, or has called the frame inside of it.
struct NativeCursor {
  uint64_t pc;  // a return address
  uint64_t sp;  // the stack pointer at that place
  uint64_t fp;  // the frame pointer at that place
};

class Unwinder {
 public:
  Unwinder();

  // The rule at the cursor's place; unknown where no loaded object is. Callable inside malloc, like Step(): allocates
  // nothing, waits for nothing.
  FrameRule RuleAt(const NativeCursor& cursor, uint64_t stack_end);

  // Moves the cursor to its caller by a rule. Returns false at the outermost frame, and where the caller would not lie
  // on the stack between the cursor and `stack_end`.
  static bool Step(NativeCursor& cursor, const FrameRule& rule, uint64_t stack_end);

 private:
  // A rule in one word, and that word mixed with its place: a torn pair fits no place.
  struct Entry {
    std::atomic<uint64_t> check{0};
    std::atomic<uint64_t> rule{0};
  };
  static constexpr size_t kEntries = 1u << 16;

  static FrameRule Find(const NativeCursor& cursor, uint64_t stack_end, bool* final);

  Entry* entries_;
};

}  // namespace heapray
