// Looks at compiled code where V8's tables tell no place: behind calls that allocate, which lie apart, after the
// function's own code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapray {

// A copy of a stretch of x86-64 code; everything is an offset into the code object that it is part of.
class MachineCode {
 public:
  // Copies [begin, end), as much of it as can be read.
  MachineCode(uint64_t code_start, int32_t begin, int32_t end);

  // The address that the call which ends at `offset` goes to, or 0. One through a table that V8 keeps in the isolate is
  // looked up there: `roots` is what V8's root register points at.
  uint64_t CallTargetBefore(int32_t offset, uint64_t roots) const;
  // Where the jump leads that ends the straight piece of code at `offset`, or -1.
  int32_t JumpBehind(int32_t offset) const;
  // Where, in the straight piece of code at `offset`, an object that was just allocated gets its map, or -1.
  int32_t FirstMapStore(int32_t offset) const;

 public:
  static constexpr int32_t kLongestCall = 13;  // bytes

 private:
  static constexpr size_t kMostBytes = 512;

  struct Instruction {
    size_t bytes = 0;  // 0: of no kind that is known
    bool is_jump = false;
    bool is_map_store = false;
    int32_t jump = 0;  // relative to the instruction's end
  };
  Instruction Decode(size_t at) const;

  uint64_t address_ = 0;  // of bytes_[0]
  int32_t begin_ = 0;
  size_t count_ = 0;
  uint8_t bytes_[kMostBytes + 16] = {};
};

}  // namespace heapray
