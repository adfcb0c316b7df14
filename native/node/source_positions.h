// V8's compact position tables: which place in the source a bytecode offset or a machine code offset came from.
#pragma once

#include <cstdint>
#include <vector>

#include "node/v8_heap.h"

namespace heapray {

// A position as V8 packs it: an offset in a script, and which inlined function it belongs to.
struct SourcePosition {
  int32_t script_offset = -1;  // -1: unknown
  int32_t inlining_id = -1;    // -1: the code's own function

  static SourcePosition Unpack(uint64_t packed) {
    // Bit 0: not a script position (a builtin's C++ or Torque source).
    int32_t offset = (packed & 1) != 0 ? -1 : static_cast<int32_t>(packed >> 1 & 0x3FFFFFFF) - 1;
    return {offset, static_cast<int32_t>(packed >> 31 & 0xFFFF) - 1};
  }
};

// How the running V8 writes the entries of its position tables: pairs of (offset delta, position delta), variable
// length integers. The position's is signed; the offset's carries whether the entry is a statement, in one of two ways.
enum class PositionEncoding : uint8_t {
  kSign,      // signed: negative (-delta - 1) for an expression
  kTwoFlags,  // unsigned: delta * 4 + two flags
};
// Set once, before any table is read.
void SetPositionEncoding(PositionEncoding encoding);

// A table, decoded: `key` is a code offset and `value` a packed position; or, for baseline code, the end of a
// bytecode's machine code and that bytecode's offset.
struct TableEntry {
  int32_t key;
  int64_t value;
};
using DecodedTable = std::vector<TableEntry>;

// The entries of a position table; none when `table` is something else (positions were omitted).
DecodedTable DecodePositions(const V8Heap& heap, V8Heap::Object table);
// The position of the last entry at or before `code_offset`.
SourcePosition PositionAt(const DecodedTable& table, int32_t code_offset);

// The machine code of each bytecode, for baseline code. `table` is the code's table of machine code lengths;
// `bytecodes` the function's bytecodes; `bytecode_sizes` the sizes of all bytecodes, for three operand scales in a row.
DecodedTable DecodeBaseline(const V8Heap& heap, V8Heap::Object table, uint64_t bytecodes, int64_t bytecode_bytes,
                            const uint8_t* bytecode_sizes, int bytecode_count);
// The bytecode offset that machine code offset `pc_offset` belongs to, or -1.
int32_t BytecodeAt(const DecodedTable& table, int32_t pc_offset);

}  // namespace heapray
