// What the slots of a JavaScript frame tell of it, below its frame pointer.
#pragma once

#include <cstdint>

#include "node/known_objects.h"
#include "node/v8_heap.h"
#include "node/v8_layout.h"

namespace heapray {

class FrameSlots {
 public:
  static constexpr uint64_t kFunction = 16;  // below the frame pointer
  static constexpr uint64_t kBytecodeArray = 32;
  static constexpr uint64_t kBytecodeOffset = 40;

  FrameSlots(const V8Heap& heap, const V8Layout& layout) : heap_(heap), layout_(layout) {}

  // The function whose frame is at `fp`, or 0. Here and below, `fp` lies on the thread's stack; what its slots hold
  // need not be anything. `known` are the objects that need no second look, if any.
  V8Heap::Object FunctionAt(uint64_t fp, KnownSlots* known = nullptr) const {
    uint64_t word = OnStack(fp - kFunction);
    if (known != nullptr && IsKnown(word, known->functions)) return Address(word);
    V8Heap::Object function = heap_.Untag(word);
    if (!heap_.IsJSFunction(function)) return 0;
    if (known != nullptr) known->functions.Add(function);
    return function;
  }
  // Whether the function is one of V8's own, not a script's.
  bool IsBuiltin(V8Heap::Object function) const {
    V8Heap::Object shared = heap_.Field(function, layout_.js_function_shared);
    return heap_.IsType(shared, layout_.shared_function_info_type) &&
           !heap_.IsType(heap_.Field(shared, layout_.sfi_script), layout_.script_type);
  }
  // The array that the function's frame at `fp` executes, if it is interpreted or was compiled by the baseline
  // compiler; or 0.
  V8Heap::Object BytecodesAt(uint64_t fp, KnownSlots* known = nullptr) const {
    uint64_t word = OnStack(fp - kBytecodeArray);
    if (known != nullptr && IsKnown(word, known->bytecodes)) return Address(word);
    V8Heap::Object bytecodes = heap_.Untag(word);
    if (!heap_.IsType(bytecodes, layout_.bytecode_array_type)) return 0;
    if (known != nullptr) known->bytecodes.Add(bytecodes);
    return bytecodes;
  }
  // Whether the frame at `fp` is an interpreter's; its return address lies in V8's built-in code.
  bool IsInterpreted(uint64_t fp, KnownSlots* known = nullptr) const {
    uint64_t offset = OnStack(fp - kBytecodeOffset);
    return V8Heap::IsSmi(offset) && V8Heap::SmiValue(offset) >= layout_.bytecode_array_data - 1 &&
           BytecodesAt(fp, known) != 0;
  }
  // The offset, from the bytecodes' beginning, of what the interpreter executes in the frame at `fp`.
  int32_t BytecodeOffsetAt(uint64_t fp) const {
    // The slot counts from the array's tagged start.
    return V8Heap::SmiValue(OnStack(fp - kBytecodeOffset)) - (layout_.bytecode_array_data - 1);
  }

 private:
  static V8Heap::Object Address(uint64_t word) { return word & ~uint64_t{3}; }
  static bool IsKnown(uint64_t word, const KnownObjects& known) { return (word & 1) != 0 && known.Has(Address(word)); }
  static uint64_t OnStack(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

  const V8Heap& heap_;
  const V8Layout& layout_;
};

}  // namespace heapray
