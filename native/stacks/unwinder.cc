#include "stacks/unwinder.h"

#include <sys/mman.h>

#include "stacks/epilogue.h"
#include "stacks/flat_map.h"
#include "stacks/x86_instruction.h"

namespace heapray {
namespace {

constexpr int kSavedShift = 3;
constexpr int kSavedOffsetShift = 5;
constexpr int kSavedOffsetBits = 24;
constexpr int kCfaOffsetShift = 32;

uint64_t WordAt(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

uint64_t Pack(const FrameRule& rule) {
  return static_cast<uint64_t>(rule.cfa) | static_cast<uint64_t>(rule.saved) << kSavedShift |
         (static_cast<uint64_t>(static_cast<uint32_t>(rule.saved_offset)) & ((1u << kSavedOffsetBits) - 1))
             << kSavedOffsetShift |
         static_cast<uint64_t>(static_cast<uint32_t>(rule.cfa_offset)) << kCfaOffsetShift;
}

FrameRule Unpack(uint64_t packed) {
  FrameRule rule;
  rule.cfa = static_cast<FrameRule::Cfa>(packed & 7);
  rule.saved = static_cast<FrameRule::Saved>(packed >> kSavedShift & 3);
  auto saved = static_cast<uint32_t>(packed >> kSavedOffsetShift) << (32 - kSavedOffsetBits);
  rule.saved_offset = static_cast<int32_t>(saved) >> (32 - kSavedOffsetBits);
  rule.cfa_offset = static_cast<int32_t>(packed >> kCfaOffsetShift);
  return rule;
}

bool FitsPacked(const FrameRule& rule) {
  int32_t most = 1 << (kSavedOffsetBits - 1);
  return rule.saved_offset > -most && rule.saved_offset < most;
}

constexpr size_t kMostCandidates = 8;

// Where nothing else is known: as code with frame pointers does it. Whether it is such code, the caller checks.
constexpr FrameRule kFramePointerRule = {FrameRule::Cfa::kFramePointer, FrameRule::Saved::kBelowCfa, 16, -16};

}  // namespace

Unwinder::Unwinder() {
  void* room = mmap(nullptr, kEntries * sizeof(Entry), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  entries_ = room == MAP_FAILED ? nullptr : static_cast<Entry*>(room);
}

FrameRule Unwinder::RuleAt(const NativeCursor& cursor, uint64_t stack_end) {
  if (entries_ == nullptr) return {};
  uint64_t place = MixBits(cursor.pc << 16 ^ Modules::Get().generation());
  Entry& entry = entries_[place & (kEntries - 1)];
  uint64_t rule = entry.rule.load(std::memory_order_relaxed);
  if ((entry.check.load(std::memory_order_relaxed) ^ rule) == place && rule != 0) [[likely]] {
    return Unpack(rule);
  }
  bool final = false;
  FrameRule found = Find(cursor, stack_end, &final);
  if (final && FitsPacked(found)) {
    rule = Pack(found);
    entry.rule.store(rule, std::memory_order_relaxed);
    entry.check.store(place ^ rule, std::memory_order_relaxed);
  }
  return found;
}

// `final`: the answer is good for as long as the module is loaded.
FrameRule Unwinder::Find(const NativeCursor& cursor, uint64_t stack_end, bool* final) {
  Modules& modules = Modules::Get();
  Modules::Reading reading(modules);
  if (!reading.entered()) return {};
  // The call that returns to `pc` may be the last thing in its function.
  uint64_t call = cursor.pc - 1;
  int number = modules.Find(call);
  if (number < 0) return {};
  const Module& module = modules[number];
  FrameRule rule = FindFrameRule(call, module.unwind_index, module.begin, module.end);
  *final = true;
  if (rule.cfa != FrameRule::Cfa::kUnknown) return rule;

  FrameRule candidates[kMostCandidates];
  size_t count = FindRulesByCode(cursor.pc, module.code_begin, module.code_end, candidates);
  for (size_t i = 0; i < count; i++) {
    NativeCursor caller = cursor;
    if (!Step(caller, candidates[i], stack_end)) continue;
    int where = modules.Find(caller.pc - 1);
    if (where >= 0 && modules[where].ContainsCode(caller.pc - 1) &&
        IsBehindCall(caller.pc, modules[where].code_begin)) {
      return candidates[i];
    }
  }
  // None fits this stack; another may show what does, when its caller is known by then.
  *final = count == 0;
  return kFramePointerRule;
}

bool Unwinder::Step(NativeCursor& cursor, const FrameRule& rule, uint64_t stack_end) {
  auto on_stack = [&](uint64_t address) {
    return address >= cursor.sp && address <= stack_end - 8 && (address & 7) == 0;
  };
  uint64_t cfa = 0;
  switch (rule.cfa) {
    case FrameRule::Cfa::kStackPointer: cfa = cursor.sp + static_cast<uint64_t>(int64_t{rule.cfa_offset}); break;
    case FrameRule::Cfa::kFramePointer: cfa = cursor.fp + static_cast<uint64_t>(int64_t{rule.cfa_offset}); break;
    case FrameRule::Cfa::kFramePointerWord: {
      uint64_t word = cursor.fp + static_cast<uint64_t>(int64_t{rule.cfa_offset});
      if (!on_stack(word)) return false;
      cfa = WordAt(word);
      break;
    }
    default: return false;
  }
  if (!on_stack(cfa - 8)) return false;
  uint64_t fp = cursor.fp;
  if (rule.saved != FrameRule::Saved::kUnchanged) {
    uint64_t base = rule.saved == FrameRule::Saved::kBelowCfa ? cfa : cursor.fp;
    uint64_t slot = base + static_cast<uint64_t>(int64_t{rule.saved_offset});
    if (!on_stack(slot)) return false;
    fp = WordAt(slot);
  }
  cursor = {WordAt(cfa - 8), cfa, fp};
  return cursor.pc != 0;
}

}  // namespace heapray
