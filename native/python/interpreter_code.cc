#include "python/interpreter_code.h"

#include "process/modules.h"
#include "python/cpython.h"
#include "stacks/x86_instruction.h"

namespace heapray {

struct InterpreterCode::Object {
  const Module& module;

  CodeRange RangeOf(uint64_t pc) const {
    if (!module.ContainsCode(pc)) return {};
    return FindCodeRange(pc, module.unwind_index, module.begin, module.end);
  }
};

void InterpreterCode::Find() {
  if (count_ != 0) return;
  Modules& modules = Modules::Get();
  auto begin = reinterpret_cast<uint64_t>(_PyEval_EvalFrameDefault);
  int number = modules.Find(begin);
  if (number < 0) return;
  Object object{modules[number]};
  AddPart(object, begin, true);
  for (size_t i = 0; i < count_; i++) {
    const CodeRange part = parts_[i];
    for (uint64_t at = part.begin; part.Contains(at);) {
      Instruction instruction = DecodeInstruction(at, part.begin + part.bytes);
      if (instruction.bytes == 0) break;
      bool is_branch = instruction.kind == Instruction::Kind::kBranch;
      if (is_branch || instruction.kind == Instruction::Kind::kJump) AddPart(object, instruction.target, is_branch);
      at += instruction.bytes;
    }
  }
}

void InterpreterCode::AddPart(const Object& object, uint64_t target, bool is_branch) {
  if (count_ == parts_.size() || Contains(target)) return;
  CodeRange part = object.RangeOf(target);
  if (part.bytes == 0 || (!is_branch && part.begin == target)) return;
  parts_[count_++] = part;
}

}  // namespace heapray
