// Finds a frame's rule where nobody wrote one down (many C libraries leave their unwind tables out): follows the code
// to where it returns, and sees how far the stack pointer moves until then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "stacks/call_frame_info.h"

namespace heapray {

// The rules at `pc` that the ways to the function's end agree with, the most frequent first; the last may be nonsense
// (behind a call that does not come back, code of something else begins). Reads code in [begin, end) only. Returns how
// many were found.
size_t FindRulesByCode(uint64_t pc, uint64_t begin, uint64_t end, std::span<FrameRule> rules);

}  // namespace heapray
