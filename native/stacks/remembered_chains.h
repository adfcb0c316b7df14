// Native walks that a thread has made before, and the chains that they led to. A walk is a matter of where it began and
// of the words that it read: where those are what they were, it would lead there again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stacks/flat_map.h"
#include "stacks/mapped_array.h"
#include "stacks/unwinder.h"
#include "stacks/word_at.h"

namespace heapray {

class RememberedChains {
 public:
  RememberedChains() : slots_(kSlots) {}

  bool usable() const { return slots_.usable(); }
  void Forget() { generation_++; }

  // The chain of the walk from `start` to the address `limit`, or 0: it was not made before.
  uint32_t Find(const NativeCursor& start, uint64_t limit) {
    if (rest_ > 0) {
      rest_--;
      return 0;
    }
    size_t first = SlotOf(start);
    for (size_t i = first; i < first + kWays; i++) {
      Slot& slot = slots_[i];
      if (!slot.IsOf(start, limit)) continue;
      if (slot.fp != start.fp || slot.generation != generation_ || !IsUnchanged(slot)) break;
      slot.credit = kCredit;
      if (patience_ < kPatience) patience_++;
      return slot.chain;
    }
    patience_ -= kCostOfMiss;
    if (patience_ < 0) {
      patience_ = kPatience;
      rest_ = kRest;
    }
    return 0;
  }

  // Takes note of a walk that was just made. `rule_of(chain)` is the rule of its outermost frame, `inner_of(chain)` the
  // chain without that. What was made twice is remembered.
  template <typename RuleOf, typename InnerOf>
  void Learn(const NativeCursor& start, uint64_t limit, uint64_t stack_end, uint32_t chain, RuleOf rule_of,
             InnerOf inner_of) {
    Slot* taken = rest_ > 0 ? nullptr : SlotFor(start, limit);
    if (taken == nullptr) return;
    Slot& slot = *taken;
    bool again = slot.IsOf(start, limit) && slot.chain == chain;
    slot.pc = start.pc;
    slot.sp = start.sp;
    slot.fp = start.fp;
    slot.limit = limit;
    slot.chain = chain;
    slot.generation = 0;
    if (!again) return;
    uint32_t outwards[kMostFrames];
    size_t frames = 0;
    for (uint32_t at = chain; at != 0; at = inner_of(at)) {
      if (frames == kMostFrames) return;
      outwards[frames++] = at;
    }
    slot.pair_count = slot.word_count = 0;
    NativeCursor at = start;
    while (frames-- > 0) {
      PackedRule rule = rule_of(outwards[frames]);
      if (!Keep(slot, at, rule) || !Unwinder::Step(at, rule, stack_end)) return;
    }
    // As many as are compared at a time.
    while (slot.pair_count % kAtOnce != 0) KeepPair(slot, slot.pair_addresses[slot.pair_count - 1]);
    slot.generation = generation_;
  }

 private:
  static constexpr size_t kSlots = 256;
  static constexpr size_t kWays = 2;
  static constexpr uint32_t kCredit = 4;
  // Where fewer than three walks of four were made before (a server's; a compiler's), to look costs more than it saves:
  // then it is left for a while.
  static constexpr int32_t kPatience = 200;
  static constexpr int32_t kCostOfMiss = 3;
  static constexpr uint32_t kRest = 4096;
  static constexpr size_t kMostPairs = 28;
  static constexpr size_t kAtOnce = 4;
  static_assert(kMostPairs % kAtOnce == 0);
  static constexpr size_t kMostWords = 8;
  static constexpr size_t kMostFrames = kMostPairs + kMostWords;

  // Two words of the stack, and one.
  struct alignas(16) Pair {
    uint64_t first;
    uint64_t second;
  };
  struct Word {
    uint64_t value;
    uint64_t address;
  };
  struct alignas(64) Slot {
    uint64_t pc;
    uint64_t sp;
    uint64_t fp;
    uint64_t limit;
    uint32_t chain;
    uint32_t generation;  // 0: nothing is kept
    uint32_t pair_count;
    uint32_t word_count;
    uint32_t credit;
    bool IsOf(const NativeCursor& start, uint64_t its_limit) const {
      return pc == start.pc && sp == start.sp && limit == its_limit;
    }
    Pair pairs[kMostPairs];
    uint64_t pair_addresses[kMostPairs];
    Word words[kMostWords];
  };

  // The first of those that a walk may be in.
  static size_t SlotOf(const NativeCursor& start) {
    return MixBits(start.pc ^ start.sp << 16) % kSlots / kWays * kWays;
  }
  // The walk's, or one to give up for it; nullptr: none yet, for others come often.
  Slot* SlotFor(const NativeCursor& start, uint64_t limit) {
    Slot* first = &slots_[SlotOf(start)];
    Slot* least = first;
    for (Slot* slot = first; slot != first + kWays; slot++) {
      if (slot->IsOf(start, limit)) return slot;
      if (slot->credit < least->credit) least = slot;
    }
    if (least->credit == 0) return least;
    least->credit--;
    return nullptr;
  }

  // Keeps what a step from the cursor reads. Returns false where that does not go by the code alone, or is too much.
  static bool Keep(Slot& slot, const NativeCursor& at, PackedRule rule) {
    if (rule.is_frame_pointer_rule()) {
      if (slot.pair_count == kMostPairs) return false;
      KeepPair(slot, at.fp);
      return true;
    }
    bool by_stack_pointer = rule.cfa() == FrameRule::Cfa::kStackPointer;
    if (!rule.known() || (!by_stack_pointer && rule.cfa() != FrameRule::Cfa::kFramePointer)) return false;
    uint64_t cfa = rule.cfa_offset() + (by_stack_pointer ? at.sp : at.fp);
    if (!KeepWord(slot, cfa - 8)) return false;
    if (rule.saved() == FrameRule::Saved::kUnchanged) return true;
    return KeepWord(slot, (rule.saved() == FrameRule::Saved::kBelowCfa ? cfa : at.fp) + rule.saved_offset());
  }
  static void KeepPair(Slot& slot, uint64_t address) {
    slot.pair_addresses[slot.pair_count] = address;
    slot.pairs[slot.pair_count++] = {WordAt(address), WordAt(address + 8)};
  }
  static bool KeepWord(Slot& slot, uint64_t address) {
    if (slot.word_count == kMostWords) return false;
    slot.words[slot.word_count++] = {WordAt(address), address};
    return true;
  }

  static bool IsUnchanged(const Slot& slot) {
    __m128i sum = _mm_setzero_si128();
    auto difference = [&](size_t i) {
      return _mm_xor_si128(TwoWordsAt(slot.pair_addresses[i]),
                           _mm_load_si128(reinterpret_cast<const __m128i*>(&slot.pairs[i])));
    };
    for (size_t i = 0; i < slot.pair_count; i += kAtOnce) {
      __m128i two = _mm_or_si128(difference(i), difference(i + 1));
      __m128i two_more = _mm_or_si128(difference(i + 2), difference(i + 3));
      sum = _mm_or_si128(sum, _mm_or_si128(two, two_more));
    }
    uint64_t words = 0;
    for (uint32_t i = 0; i < slot.word_count; i++) words |= slot.words[i].value ^ WordAt(slot.words[i].address);
    __m128i same = _mm_cmpeq_epi8(sum, _mm_setzero_si128());
    return words == 0 && _mm_movemask_epi8(same) == 0xFFFF;
  }

  MappedArray<Slot> slots_;
  uint32_t generation_ = 1;
  int32_t patience_ = kPatience;
  uint32_t rest_ = 0;  // walks that are not looked for
};

}  // namespace heapray
