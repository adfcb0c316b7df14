// Steps from native frames to their callers, whatever they were compiled with. How that goes at a place in the code is
// found out once (from call frame information, else from the code itself) and kept: a step is then a few loads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "process/modules.h"
#include "stacks/call_frame_info.h"
#include "stacks/flat_map.h"

namespace heapray {

// A frame that is being executed, or has called the frame inside of it.
struct NativeCursor {
  uint64_t pc;  // a return address
  uint64_t sp;  // the stack pointer at that place
  uint64_t fp;  // the frame pointer at that place
};

// A FrameRule in one word. One that does not fit, as no real frame's does, is unknown.
class PackedRule {
 public:
  PackedRule() = default;
  // `guessed`: it goes with the stack at hand, not with the code.
  explicit PackedRule(const FrameRule& rule, bool guessed = false);
  explicit PackedRule(uint64_t bits) : bits_(bits) {}

  bool known() const { return bits_ != 0; }
  bool guessed() const { return (bits_ & kGuessed) != 0; }
  FrameRule::Cfa cfa() const { return static_cast<FrameRule::Cfa>(bits_ & 7); }
  FrameRule::Saved saved() const { return static_cast<FrameRule::Saved>(bits_ >> kSavedShift & 3); }
  // Both wrapped, as they are added to addresses.
  uint64_t cfa_offset() const { return static_cast<uint64_t>(static_cast<int64_t>(bits_) >> kCfaOffsetShift); }
  uint64_t saved_offset() const {
    return static_cast<uint64_t>(int64_t{static_cast<int32_t>(bits_) >> kSavedOffsetShift});
  }
  uint64_t bits() const { return bits_; }
  // Whether it is that of code with frame pointers, as most frames' is.
  bool is_frame_pointer_rule() const { return bits_ == kFramePointerRule; }

 private:
  static constexpr int kSavedShift = 3;
  static constexpr uint64_t kGuessed = 1u << 5;
  static constexpr int kSavedOffsetShift = 6;
  static constexpr int kCfaOffsetShift = 32;
  static constexpr uint64_t kFramePointerRule = static_cast<uint64_t>(FrameRule::Cfa::kFramePointer) |
                                                static_cast<uint64_t>(FrameRule::Saved::kBelowCfa) << kSavedShift |
                                                static_cast<uint32_t>(-16) << kSavedOffsetShift |
                                                uint64_t{16} << kCfaOffsetShift;

  uint64_t bits_ = 0;
};

class Unwinder {
 public:
  Unwinder();

  // The rule at the cursor's place; unknown where no loaded object is. Callable inside malloc, like Step(): allocates
  // nothing, waits for nothing.
  PackedRule RuleAt(NativeCursor cursor, uint64_t stack_end) {
    if (entries_ == nullptr) return {};
    uint64_t place = MixBits(cursor.pc << 16 ^ Modules::Get().generation());
    Entry& entry = entries_[place & (kEntries - 1)];
    uint64_t rule = entry.rule.load(std::memory_order_relaxed);
    if ((entry.check.load(std::memory_order_relaxed) ^ rule) == place && rule != 0) [[likely]] {
      return PackedRule(rule);
    }
    return Learn(cursor, stack_end, place, entry);
  }

  // The same, for callers that keep their cursor in registers.
  [[gnu::noinline]] PackedRule RuleFor(uint64_t pc, uint64_t sp, uint64_t fp, uint64_t stack_end) {
    return RuleAt({pc, sp, fp}, stack_end);
  }

  // Moves the cursor to its caller by a rule. Returns false at the outermost frame, and where the caller would not lie
  // on the stack between the cursor, whose stack pointer must, and `stack_end`.
  static bool Step(NativeCursor& cursor, PackedRule rule, uint64_t stack_end) {
    auto word_at = [](uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); };
    if (rule.is_frame_pointer_rule()) {
      uint64_t fp = cursor.fp;
      if (fp < cursor.sp || fp >= (stack_end & ~uint64_t{7}) - 8 || (fp & 7) != 0) return false;
      cursor = {word_at(fp + 8), fp + 16, word_at(fp)};
      return cursor.pc != 0;
    }
    uint64_t room = (stack_end & ~uint64_t{7}) - cursor.sp;
    auto on_stack = [&](uint64_t address) { return address - cursor.sp < room && (address & 7) == 0; };
    uint64_t cfa = rule.cfa_offset();
    switch (rule.cfa()) {
      case FrameRule::Cfa::kStackPointer: cfa += cursor.sp; break;
      case FrameRule::Cfa::kFramePointer: cfa += cursor.fp; break;
      case FrameRule::Cfa::kFramePointerWord: {
        uint64_t word = cursor.fp + cfa;
        if (!on_stack(word)) return false;
        cfa = word_at(word);
        break;
      }
      default: return false;
    }
    if (!on_stack(cfa - 8)) return false;
    uint64_t fp = cursor.fp;
    if (rule.saved() != FrameRule::Saved::kUnchanged) {
      uint64_t slot = (rule.saved() == FrameRule::Saved::kBelowCfa ? cfa : fp) + rule.saved_offset();
      if (!on_stack(slot)) return false;
      fp = word_at(slot);
    }
    cursor = {word_at(cfa - 8), cfa, fp};
    return cursor.pc != 0;
  }

 private:
  // A rule in one word, and that word mixed with its place: a torn pair fits no place.
  struct Entry {
    std::atomic<uint64_t> check{0};
    std::atomic<uint64_t> rule{0};
  };
  static constexpr size_t kEntries = 1u << 16;

  static PackedRule Learn(NativeCursor cursor, uint64_t stack_end, uint64_t place, Entry& entry);
  static PackedRule Find(NativeCursor cursor, uint64_t stack_end);

  Entry* entries_;
};

}  // namespace heapray
