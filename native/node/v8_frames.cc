#include "node/v8_frames.h"

#include <algorithm>

#include "node/machine_code.h"

namespace heapray {
namespace {

constexpr uint64_t kLargestCode = 16u << 20;
constexpr uint64_t kLargestStreamHeader = 256;
constexpr int kInliningPositionBytes = 16;
constexpr int kDeoptEntryWords = 3;
constexpr int kDeoptExitBytes = 4;
constexpr int kDeoptFirstEntry = 4;  // counted from the inlining positions' index
constexpr int kDeoptEntryPc = 2;
// V8's root register points into the isolate, this far behind its start.
constexpr uint64_t kRootsBias = 128;
constexpr int32_t kMostAllocationBytes = 384;

}  // namespace

void V8Frames::Emit(V8Heap::Object shared, int32_t script_offset, Owner owner, FrameSink& sink) {
  V8Function& function = scripts_.FunctionOf(shared, owner.isolate, owner.epoch);
  if (function.script == nullptr) {
    // V8's own closures (what resumes an await) have no name and tell nothing.
    if (function.name == "<anonymous>") return;
    sink.Add(function.source, builtin_script_, 0, 0);
    return;
  }
  LineColumn at = function.script->At(script_offset);
  // Where V8 keeps no positions (code from a cache), the function's start is the best that is true.
  if (at.line == 0) at = {function.source.line, function.source.column};
  sink.Add(function.source, function.script->name(), at.line, at.column);
}

void V8Frames::DescribeInterpreted(uint64_t fp, Owner owner, FrameSink& sink) {
  V8Heap::Object function = slots_.FunctionAt(fp);
  V8Heap::Object bytecode = slots_.BytecodesAt(fp);
  if (function == 0 || bytecode == 0) return;
  int32_t offset = slots_.BytecodeOffsetAt(fp);
  cache_.Enter(owner.isolate, owner.epoch);
  const DecodedTable& table = Positions(heap_.Field(bytecode, layout_.bytecode_array_source_positions));
  Emit(heap_.Field(function, layout_.js_function_shared), PositionAt(table, offset).script_offset, owner, sink);
}

void V8Frames::DescribeBuiltin(uint64_t fp, Owner owner, FrameSink& sink) {
  V8Heap::Object function = slots_.FunctionAt(fp);
  if (function != 0) Emit(heap_.Field(function, layout_.js_function_shared), -1, owner, sink);
}

void V8Frames::DescribeCompiled(uint64_t pc, uint64_t fp, Owner owner, FrameSink& sink) {
  V8Heap::Object function = slots_.FunctionAt(fp);
  if (function == 0) return;
  V8Heap::Object shared = heap_.Field(function, layout_.js_function_shared);
  cache_.Enter(owner.isolate, owner.epoch);
  V8Heap::Object code = CodeAt(pc);
  if (code == 0) {
    Emit(shared, -1, owner, sink);
    return;
  }
  auto start = heap_.Word(code + static_cast<uint64_t>(layout_.code_instruction_start));
  auto pc_offset = static_cast<int32_t>(pc - start);
  uint32_t flags = heap_.Read<uint32_t>(code + static_cast<uint64_t>(layout_.code_flags));
  if (static_cast<int>(flags & static_cast<uint32_t>(layout_.code_kind_mask)) != layout_.code_kind_baseline) {
    DescribeOptimized(code, pc_offset, shared, owner, sink);
    return;
  }
  V8Heap::Object bytecode = slots_.BytecodesAt(fp);
  int32_t position = -1;
  if (bytecode != 0) {
    V8Heap::Object lengths = heap_.Field(code, layout_.code_position_table);
    const DecodedTable& baseline = cache_.Table(lengths, [&] {
      return DecodeBaseline(heap_, lengths, bytecode + static_cast<uint64_t>(layout_.bytecode_array_data),
                            heap_.ArrayLength(bytecode), bytecode_sizes_, bytecode_count_);
    });
    int32_t offset = BytecodeAt(baseline, pc_offset);
    const DecodedTable& table = Positions(heap_.Field(bytecode, layout_.bytecode_array_source_positions));
    if (offset >= 0) position = PositionAt(table, offset).script_offset;
  }
  Emit(shared, position, owner, sink);
}

// In code that is about to be deoptimized, V8 replaces return addresses by those of exits at the code's end. The n-th
// exit belongs to the n-th deoptimization entry, which tells the original place.
int32_t V8Frames::CallBehindDeoptExit(V8Heap::Object deopt_data, int32_t pc_offset) const {
  int inlining = layout_.deopt_inlining_positions;
  int64_t length = heap_.ArrayLength(deopt_data);
  int32_t exits = V8Heap::SmiValue(heap_.Element(deopt_data, inlining + 1));
  if (exits <= 0 || pc_offset < exits) return pc_offset;
  int64_t first = inlining + kDeoptFirstEntry;
  int64_t entry = (pc_offset - exits) / kDeoptExitBytes;
  int64_t index = first + entry * kDeoptEntryWords + kDeoptEntryPc;
  if (index >= length) return pc_offset;
  int32_t original = V8Heap::SmiValue(heap_.Element(deopt_data, index));
  return original > 0 && original <= exits ? original : pc_offset;
}

bool V8Frames::IsAllocatingBuiltin(uint64_t address, const Owner& owner) const {
  for (uint64_t offset : allocating_builtins_) {
    if (address == owner.builtins + offset || address == owner.builtins_copy + offset) return true;
  }
  return false;
}

// Compiled code allocates by moving a pointer; what it does when there is no room lies at the function's end, without
// a position: a call, and a jump back to where the new object gets its map. There V8's tables know the place.
int32_t V8Frames::AllocationBehindCall(V8Heap::Object code, int32_t pc_offset, const Owner& owner) const {
  auto start = heap_.Word(code + static_cast<uint64_t>(layout_.code_instruction_start));
  auto size = heap_.Read<int32_t>(code + static_cast<uint64_t>(layout_.code_instruction_size));
  MachineCode behind(start, pc_offset - MachineCode::kLongestCall, std::min(size, pc_offset + kMostAllocationBytes));
  if (!IsAllocatingBuiltin(behind.CallTargetBefore(pc_offset, owner.address + kRootsBias), owner)) return -1;
  int32_t target = behind.JumpBehind(pc_offset);
  if (target < 0 || target >= size) return -1;
  MachineCode resumed(start, target, std::min(size, target + kMostAllocationBytes));
  return resumed.FirstMapStore(target);
}

void V8Frames::DescribeOptimized(V8Heap::Object code, int32_t pc_offset, V8Heap::Object outer, Owner owner,
                                 FrameSink& sink) {
  V8Heap::Object deopt_data = heap_.Field(code, layout_.code_deoptimization_data);
  bool has_deopt_data = deopt_data != 0 && heap_.ArrayLength(deopt_data) > layout_.deopt_inlining_positions + 1;
  if (has_deopt_data) pc_offset = CallBehindDeoptExit(deopt_data, pc_offset);

  const DecodedTable& table = Positions(heap_.Field(code, layout_.code_position_table));
  int32_t allocation = AllocationBehindCall(code, pc_offset, owner);
  // A return address is one past the call.
  SourcePosition position = PositionAt(table, allocation >= 0 ? allocation : pc_offset - 1);
  if (has_deopt_data && position.inlining_id >= 0) {
    V8Heap::Object inlining = heap_.Untag(heap_.Element(deopt_data, layout_.deopt_inlining_positions));
    int64_t count = inlining == 0 ? 0 : heap_.ArrayLength(inlining) / kInliningPositionBytes;
    int32_t last_id = INT32_MAX;
    while (position.inlining_id >= 0 && position.inlining_id < count && position.inlining_id < last_id) {
      last_id = position.inlining_id;
      uint64_t entry = V8Heap::ArrayData(inlining) + static_cast<uint64_t>(last_id) * kInliningPositionBytes;
      int32_t function_id = heap_.Read<int32_t>(entry + 8);
      V8Heap::Object inlined = function_id < 0 ? outer : InlinedFunction(deopt_data, function_id);
      if (inlined != 0) Emit(inlined, position.script_offset, owner, sink);
      position = SourcePosition::Unpack(heap_.Word(entry));
    }
  }
  Emit(outer, position.script_offset, owner, sink);
}

V8Heap::Object V8Frames::InlinedFunction(V8Heap::Object deopt_data, int32_t id) const {
  V8Heap::Object literals = heap_.Untag(heap_.Element(deopt_data, layout_.deopt_literal_array));
  if (literals == 0 || id >= heap_.ArrayLength(literals)) return 0;
  V8Heap::Object function = heap_.Untag(heap_.Element(literals, id));
  if (heap_.IsType(function, layout_.sfi_wrapper_type)) function = heap_.Field(function, layout_.sfi_wrapper_sfi);
  return heap_.IsType(function, layout_.shared_function_info_type) ? function : 0;
}

bool V8Frames::IsInstructionStream(uint64_t address, uint64_t map_word, uint64_t code_word, uint64_t pc,
                                   V8Heap::Object* code) {
  constexpr int kAddressBits = 47;
  if ((map_word & 3) != 1 || (code_word & 3) != 1 || (map_word | code_word) >> kAddressBits != 0) return false;
  bool known = std::find(stream_maps_.begin(), stream_maps_.end(), map_word) != stream_maps_.end();
  // Anything may stand between instructions: a word is a pointer only when the kernel agrees.
  V8Heap careful(layout_, heap_.copies() ? V8Heap::Reads::kCopied : V8Heap::Reads::kChecked);
  if (!known) {
    int type = careful.Read<uint16_t>((map_word & ~uint64_t{3}) + static_cast<uint64_t>(layout_.map_instance_type));
    if (type != layout_.instruction_stream_type) return false;
  }
  V8Heap::Object candidate = careful.Untag(code_word);
  if (!careful.IsType(candidate, layout_.code_type)) return false;
  uint64_t start = careful.Word(candidate + static_cast<uint64_t>(layout_.code_instruction_start));
  if (start <= address || start > address + kLargestStreamHeader || start > pc) return false;
  if (!known && stream_maps_.size() < 16) stream_maps_.push_back(map_word);
  *code = candidate;
  return true;
}

const DecodedTable& V8Frames::Positions(V8Heap::Object table) {
  return cache_.Table(table, [&] { return DecodePositions(heap_, table); });
}

V8Heap::Object V8Frames::CodeAt(uint64_t pc) {
  V8Heap::Object known = cache_.CodeAt(pc);
  if (known != 0) return known;
  V8Heap::Object code = FindCode(pc);
  if (code == 0) return 0;
  uint64_t begin = heap_.Word(code + static_cast<uint64_t>(layout_.code_instruction_start));
  uint64_t bytes = heap_.Read<uint32_t>(code + static_cast<uint64_t>(layout_.code_instruction_size));
  // A return address may be the end of the code, behind a call that does not return.
  if (pc <= begin + bytes) cache_.AddCode(begin, begin + bytes, code);
  return code;
}

// Every piece of compiled code begins with a heap object's header: it is the nearest one below the address.
V8Heap::Object V8Frames::FindCode(uint64_t pc) {
  constexpr size_t kStep = 4096;
  uint64_t copy[kStep / 8];
  uint64_t above = 0;  // the word above the part being looked at
  uint64_t end = (pc + 7) & ~uint64_t{7};
  for (uint64_t scanned = 0; scanned < kLargestCode; scanned += kStep) {
    uint64_t begin = (end - 1) & ~uint64_t{kStep - 1};
    size_t count = (end - begin) / 8;
    auto words = reinterpret_cast<const uint64_t*>(begin);
    if (heap_.copies()) {
      if (V8Heap::CarefulCopy(begin, copy, count * 8) != count * 8) return 0;
      words = copy;
    } else if (!IsReadable(begin)) {
      return 0;
    }
    for (size_t i = count; i-- > 0;) {
      V8Heap::Object code;
      if (IsInstructionStream(begin + i * 8, words[i], above, pc, &code)) return code;
      above = words[i];
    }
    end = begin;
  }
  return 0;
}

}  // namespace heapray
