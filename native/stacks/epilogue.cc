#include "stacks/epilogue.h"

#include <algorithm>

#include "stacks/x86_instruction.h"

namespace heapray {
namespace {

using Kind = Instruction::Kind;

constexpr size_t kMostWays = 64;
constexpr size_t kMostInstructions = 6000;
constexpr size_t kMostReturns = 16;
constexpr size_t kMostRules = 8;
constexpr int32_t kLargestFrame = 1 << 22;
constexpr uint8_t kFramePointer = 5;

// What is known of the stack at a place on the way.
struct Way {
  uint64_t pc;
  bool from_frame = false;  // the stack pointer counts from the frame pointer, not from where it was at first
  int32_t offset = 0;
  bool restored = false;  // the caller's frame pointer was popped
  int32_t restored_from = 0;
  // Below that, the stack holds what was pushed on the way (by a function that the way leads through at its end).
  int32_t pushed_below = 0;
};

class Search {
 public:
  Search(uint64_t begin, uint64_t end) : begin_(begin), end_(end) {}

  void Run(uint64_t pc) {
    Add({pc});
    while (ways_left_ > 0 && returns_ < kMostReturns && instructions_ < kMostInstructions) Follow(ways_[--ways_left_]);
  }

  size_t Rules(std::span<FrameRule> rules) {
    std::stable_sort(found_, found_ + found_count_, [](const Found& a, const Found& b) { return a.votes > b.votes; });
    size_t count = std::min(found_count_, rules.size());
    for (size_t i = 0; i < count; i++) rules[i] = found_[i].rule;
    return count;
  }

 private:
  struct Found {
    FrameRule rule;
    int votes;
  };

  void Add(const Way& way) {
    if (way.pc < begin_ || way.pc >= end_ || seen_count_ == kMostWays) return;
    for (size_t i = 0; i < seen_count_; i++) {
      if (seen_[i] == way.pc) return;
    }
    seen_[seen_count_++] = way.pc;
    ways_[ways_left_++] = way;
  }

  void Follow(Way way) {
    while (instructions_++ < kMostInstructions && way.pc >= begin_ && way.pc < end_) {
      Instruction next = DecodeInstruction(way.pc, end_);
      way.pc += next.bytes;
      switch (next.kind) {
        case Kind::kOther: break;
        case Kind::kPush:
          way.pushed_below = std::max(way.pushed_below, way.offset);
          way.offset -= 8;
          break;
        case Kind::kPop:
          if (next.reg == kFramePointer && way.offset >= way.pushed_below) {
            way.restored = true;
            way.restored_from = way.offset;
          }
          way.offset += 8;
          break;
        case Kind::kMoveStack: way.offset += next.value; break;
        case Kind::kStackFromFrame:
          way.from_frame = true;
          way.offset = next.value;
          way.pushed_below = INT32_MIN;
          break;
        case Kind::kLeave:
          way.from_frame = true;
          way.restored = true;
          way.restored_from = 0;
          way.offset = 8;
          way.pushed_below = INT32_MIN;
          break;
        case Kind::kJump:
          way.pc = next.target;
          Add(way);
          return;
        case Kind::kBranch: {
          Way taken = way;
          taken.pc = next.target;
          Add(taken);
          break;
        }
        case Kind::kReturn: Return(way, 2); return;
        // To another function at the end, or into a switch.
        case Kind::kIndirectJump: Return(way, 1); return;
        case Kind::kLost: return;
      }
      if (way.offset < -kLargestFrame || way.offset > kLargestFrame) return;
    }
  }

  void Return(const Way& way, int votes) {
    returns_++;
    if (!way.from_frame && way.offset < 0) return;
    FrameRule rule;
    rule.cfa = way.from_frame ? FrameRule::Cfa::kFramePointer : FrameRule::Cfa::kStackPointer;
    rule.cfa_offset = way.offset + 8;
    if (way.restored) {
      rule.saved = FrameRule::Saved::kBelowCfa;
      rule.saved_offset = way.restored_from - rule.cfa_offset;
    }
    for (size_t i = 0; i < found_count_; i++) {
      const FrameRule& known = found_[i].rule;
      if (known.cfa == rule.cfa && known.cfa_offset == rule.cfa_offset && known.saved == rule.saved &&
          known.saved_offset == rule.saved_offset) {
        found_[i].votes += votes;
        return;
      }
    }
    if (found_count_ < kMostRules) found_[found_count_++] = {rule, votes};
  }

  uint64_t begin_;
  uint64_t end_;
  Way ways_[kMostWays];
  size_t ways_left_ = 0;
  uint64_t seen_[kMostWays];
  size_t seen_count_ = 0;
  size_t instructions_ = 0;
  size_t returns_ = 0;
  Found found_[kMostRules];
  size_t found_count_ = 0;
};

}  // namespace

size_t FindRulesByCode(uint64_t pc, uint64_t begin, uint64_t end, std::span<FrameRule> rules) {
  Search search(begin, end);
  search.Run(pc);
  return search.Rules(rules);
}

}  // namespace heapray
