// Describes V8's frames: from a machine address or a bytecode offset to functions, files, lines and columns.
#pragma once

#include <cstdint>
#include <vector>

#include "node/code_cache.h"
#include "node/frame_slots.h"
#include "node/source_positions.h"
#include "node/v8_heap.h"
#include "node/v8_layout.h"
#include "node/v8_scripts.h"

namespace heapray {

class V8Frames {
 public:
  V8Frames(const V8Heap& heap, const V8Layout& layout)
      : heap_(heap), layout_(layout), slots_(heap, layout), scripts_(heap, layout) {}

  // Whose frames are being described.
  struct Owner {
    uint32_t isolate;
    uint64_t epoch;
    uint64_t address;        // the isolate's
    uint64_t builtins;       // where V8's built-in code lies,
    uint64_t builtins_copy;  // and the isolate's copy of it
  };

  void DescribeInterpreted(uint64_t fp, Owner owner, FrameSink& sink);
  void DescribeBuiltin(uint64_t fp, Owner owner, FrameSink& sink);
  void DescribeCompiled(uint64_t pc, uint64_t fp, Owner owner, FrameSink& sink);

  // Sizes of bytecodes, for three operand scales in a row.
  void set_bytecode_sizes(const uint8_t* sizes, int count) {
    bytecode_sizes_ = sizes;
    bytecode_count_ = count;
  }
  // Adds what compiled code calls to allocate an object, an offset into the built-in code.
  void add_allocating_builtin(uint64_t offset) { allocating_builtins_.push_back(offset); }
  void Clear() {
    scripts_.Clear();
    cache_.Enter(0, 0);
    // The next capture numbers its scripts anew.
    builtin_script_.id = 0;
  }

 private:
  V8Heap::Object CodeAt(uint64_t pc);
  V8Heap::Object FindCode(uint64_t pc);
  const DecodedTable& Positions(V8Heap::Object table);
  bool IsInstructionStream(uint64_t address, uint64_t map_word, uint64_t code_word, uint64_t pc, V8Heap::Object* code);
  void DescribeOptimized(V8Heap::Object code, int32_t pc_offset, V8Heap::Object outer, Owner owner, FrameSink& sink);
  V8Heap::Object InlinedFunction(V8Heap::Object deopt_data, int32_t id) const;
  int32_t CallBehindDeoptExit(V8Heap::Object deopt_data, int32_t pc_offset) const;
  bool IsAllocatingBuiltin(uint64_t address, const Owner& owner) const;
  int32_t AllocationBehindCall(V8Heap::Object code, int32_t pc_offset, const Owner& owner) const;
  void Emit(V8Heap::Object shared, int32_t script_offset, Owner owner, FrameSink& sink);

  const V8Heap& heap_;
  const V8Layout& layout_;
  FrameSlots slots_;
  V8Scripts scripts_;
  CodeCache cache_;
  SourceScript builtin_script_{"<builtin>", "", 0};
  std::vector<uint64_t> stream_maps_;  // maps known to be InstructionStream's
  const uint8_t* bytecode_sizes_ = nullptr;
  int bytecode_count_ = 0;
  std::vector<uint64_t> allocating_builtins_;
};

}  // namespace heapray
