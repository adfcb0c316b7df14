#include "stacks/unwinder.h"

#include <sys/mman.h>

#include "process/own_memory.h"
#include "stacks/epilogue.h"
#include "stacks/x86_instruction.h"

namespace heapray {
namespace {

constexpr size_t kMostCandidates = 8;

// Where nothing else is known: as code with frame pointers does it. Whether it is such code, the caller checks.
constexpr FrameRule kFramePointerRule = {FrameRule::Cfa::kFramePointer, FrameRule::Saved::kBelowCfa, 16, -16};

}  // namespace

PackedRule::PackedRule(const FrameRule& rule, bool guessed) {
  bool fits = rule.saved_offset >> (31 - kSavedOffsetShift) == rule.saved_offset >> 31;
  if (rule.cfa == FrameRule::Cfa::kUnknown || !fits) return;
  bits_ = static_cast<uint64_t>(rule.cfa) | static_cast<uint64_t>(rule.saved) << kSavedShift |
          (guessed ? kGuessed : 0) | static_cast<uint32_t>(rule.saved_offset) << kSavedOffsetShift |
          static_cast<uint64_t>(static_cast<uint32_t>(rule.cfa_offset)) << kCfaOffsetShift;
}

Unwinder::Unwinder() {
  void* room = mmap(nullptr, kEntries * sizeof(Entry), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  entries_ = room == MAP_FAILED ? nullptr : static_cast<Entry*>(room);
  if (entries_ != nullptr) OwnMemory::Add(entries_, kEntries * sizeof(Entry));
}

PackedRule Unwinder::Learn(NativeCursor cursor, uint64_t stack_end, uint64_t place, Entry& entry) {
  PackedRule found = Find(cursor, stack_end);
  if (found.known() && !found.guessed()) {
    entry.rule.store(found.bits(), std::memory_order_relaxed);
    entry.check.store(place ^ found.bits(), std::memory_order_relaxed);
  }
  return found;
}

// What is not guessed is good for as long as the module is loaded.
PackedRule Unwinder::Find(NativeCursor cursor, uint64_t stack_end) {
  Modules& modules = Modules::Get();
  Modules::Reading reading(modules);
  if (!reading.entered()) return {};
  // The call that returns to `pc` may be the last thing in its function.
  uint64_t call = cursor.pc - 1;
  int number = modules.Find(call);
  if (number < 0) return {};
  const Module& module = modules[number];
  FrameRule rule = FindFrameRule(call, module.unwind_index, module.begin, module.end);
  if (rule.cfa != FrameRule::Cfa::kUnknown) return PackedRule(rule);

  FrameRule candidates[kMostCandidates];
  size_t count = FindRulesByCode(cursor.pc, module.code_begin, module.code_end, candidates);
  for (size_t i = 0; i < count; i++) {
    NativeCursor caller = cursor;
    PackedRule candidate(candidates[i]);
    if (!Step(caller, candidate, stack_end)) continue;
    int where = modules.Find(caller.pc - 1);
    if (where >= 0 && modules[where].ContainsCode(caller.pc - 1) &&
        IsBehindCall(caller.pc, modules[where].code_begin)) {
      return candidate;
    }
  }
  // None fits this stack; another may show what does, when its caller is known by then.
  return PackedRule(kFramePointerRule, count > 0);
}

}  // namespace heapray
