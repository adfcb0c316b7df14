// As much of x86-64's machine code as it takes to follow the stack pointer through a function.
#pragma once

#include <cstdint>

namespace heapray {

struct Instruction {
  enum class Kind : uint8_t {
    kOther,  // touches neither the stack pointer nor the flow of control; calls too, as they come back
    kPush,
    kPop,             // into `reg`
    kMoveStack,       // stack pointer += value
    kStackFromFrame,  // stack pointer = frame pointer + value
    kLeave,
    kReturn,
    kJump,    // to `target`
    kBranch,  // to `target`, or on
    kIndirectJump,
    kLost,  // whoever follows cannot tell what comes next, or what the stack pointer is
  };
  Kind kind = Kind::kLost;
  uint8_t reg = 0;  // a register's number; 5 is the frame pointer
  int32_t value = 0;
  uint64_t target = 0;
  uint8_t bytes = 0;
};

// The instruction at `address`; reads nothing from `end` on.
Instruction DecodeInstruction(uint64_t address, uint64_t end);

// Whether the instruction that ends at `address` may be a call. Reads nothing before `begin`.
bool IsBehindCall(uint64_t address, uint64_t begin);

}  // namespace heapray
