// What a thread's walks found of native frames, as a tree of chains that grow outwards: to walk again through code that
// was walked through before is a few loads and a comparison for each frame, and leads to the same chain.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stacks/mapped_array.h"
#include "stacks/unwinder.h"

namespace heapray {

// The innermost native frames of a stack, up to this one.
struct alignas(64) NativeChain {
  uint64_t pc;         // of its outermost frame
  PackedRule rule;     // to that frame's caller; unknown where each stack has its own
  NativeChain* inner;  // without the outermost frame; null: there are no more
  NativeChain* outer;  // with one more frame: the one that was met last, or null
  NativeChain* next;   // of the same hash
  bool shown;          // its outermost frame is not heapray's own

  // What it stands for in a capture; for ThreadStack and StackTree alone.
  uint32_t stamp = 0;  // says in which; 0: none
  uint32_t frame = 0;  // its outermost frame
  uint32_t under = 0;  // a node, and the node that the chain leads to from there
  uint32_t node = 0;
};

class NativeChains {
 public:
  NativeChains() : chains_(kMost), heads_(kHeads) {}

  bool usable() const { return chains_.usable() && heads_.usable(); }

  enum class End { kRuntimeCode, kLimit, kOutermost };
  // Follows native frames from the cursor on: up to code of the runtime's own (`is_runtime(pc)`), to the first frame
  // beyond the address `limit` (0: none), or to where they end. The cursor is then at the first frame that is not in
  // `chain`, which is null when there was none, and good until the next walk.
  template <typename IsRuntime, typename IsOwn>
  End Walk(Unwinder& unwinder, NativeCursor& cursor, uint64_t limit, uint64_t stack_end, IsRuntime is_runtime,
           IsOwn is_own, NativeChain** chain) {
    if (generation_ != Modules::Get().generation() || used_ > kMost / 2) [[unlikely]]
      Forget();
    if (limit == 0) limit = UINT64_MAX;
    NativeChain* at = nullptr;
    *chain = nullptr;
    for (;;) {
      if (cursor.sp - 16 >= limit) return End::kLimit;
      NativeChain* next = at == nullptr ? nullptr : at->outer;
      if (next == nullptr || next->pc != cursor.pc) {
        next = Find(at, cursor.pc);
        if (next == nullptr) {
          if (is_runtime(cursor.pc)) return End::kRuntimeCode;
          PackedRule rule = unwinder.RuleAt(cursor, stack_end);
          if (!rule.known() || used_ == kMost) return End::kOutermost;
          next = Add(at, cursor.pc, rule.guessed() ? PackedRule() : rule, !is_own(cursor.pc));
        }
        if (at != nullptr) at->outer = next;
      }
      *chain = at = next;
      PackedRule rule = at->rule.known() ? at->rule : unwinder.RuleAt(cursor, stack_end);
      if (!Unwinder::Step(cursor, rule, stack_end)) return End::kOutermost;
    }
  }

 private:
  // Half of them is left for the deepest walk.
  static constexpr size_t kMost = 1u << 15;
  static constexpr size_t kHeads = 1u << 12;

  NativeChain*& HeadOf(const NativeChain* inner, uint64_t pc) {
    return heads_[MixBits(reinterpret_cast<uint64_t>(inner) ^ pc << 16) & (kHeads - 1)];
  }
  NativeChain* Find(const NativeChain* inner, uint64_t pc) {
    NativeChain* chain = HeadOf(inner, pc);
    while (chain != nullptr && (chain->pc != pc || chain->inner != inner)) chain = chain->next;
    return chain;
  }
  NativeChain* Add(NativeChain* inner, uint64_t pc, PackedRule rule, bool shown);
  // Code is not what it was, or there is no more room.
  void Forget();

  MappedArray<NativeChain> chains_;
  MappedArray<NativeChain*> heads_;
  size_t used_ = 0;
  uint32_t generation_ = 0;
};

}  // namespace heapray
