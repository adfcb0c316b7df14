// Reads the call frame information (.eh_frame) that compilers leave for exceptions: where, at a place in machine code,
// the caller's frame is found.
#pragma once

#include <cstdint>

namespace heapray {

// How to get from a frame to its caller's, in terms of the stack pointer and the frame pointer alone: that covers what
// compilers make for x86-64. The return address lies right below the canonical frame address (CFA), which is the
// caller's stack pointer.
struct FrameRule {
  enum class Cfa : uint8_t {
    kUnknown,
    kOutermost,         // nobody called this
    kStackPointer,      // CFA = stack pointer + cfa_offset
    kFramePointer,      // CFA = frame pointer + cfa_offset
    kFramePointerWord,  // CFA = the word at frame pointer + cfa_offset: a realigned stack
  };
  enum class Saved : uint8_t {
    kUnchanged,     // the frame pointer is still the caller's
    kBelowCfa,      // the caller's frame pointer is saved at CFA + saved_offset
    kFramePointer,  // ... at frame pointer + saved_offset
  };
  Cfa cfa = Cfa::kUnknown;
  Saved saved = Saved::kUnchanged;
  int32_t cfa_offset = 0;
  int32_t saved_offset = 0;
};

// A stretch of code with an entry of its own: a function, or a part of one that compilers put elsewhere.
struct CodeRange {
  uint64_t begin = 0;
  uint64_t bytes = 0;

  bool Contains(uint64_t pc) const { return pc - begin < bytes; }
};

// The one that `pc` is in; empty where none is known. For the rest as FindFrameRule().
CodeRange FindCodeRange(uint64_t pc, uint64_t unwind_index, uint64_t begin, uint64_t end);

// The rule at `pc` in an object whose .eh_frame_hdr is at `unwind_index` and whose segments lie in [begin, end).
// Allocates nothing; reads only within the object.
FrameRule FindFrameRule(uint64_t pc, uint64_t unwind_index, uint64_t begin, uint64_t end);

}  // namespace heapray
