// What a thread's walks found of native frames, as a tree of chains that grow outwards: to walk again through code that
// was walked through before is a few loads and a comparison for each frame, and leads to the same chain.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stacks/mapped_array.h"
#include "stacks/remembered_chains.h"
#include "stacks/unwinder.h"

namespace heapray {

// The innermost native frames of a stack, up to this one: two of them share a cache line.
struct NativeChain {
  uint64_t pc;           // of its outermost frame
  PackedRule rule;       // to that frame's caller; unknown where each stack has its own
  uint32_t shown : 1;    // its outermost frame is not heapray's own
  uint32_t inner : 31;   // without the outermost frame; 0: there are no more
  uint32_t outer[2];     // with one more frame: two that were met, or 0
  uint32_t same_bucket;  // another, or 0
};

// What a chain stands for in a capture.
struct ChainNode {
  uint32_t stamp = 0;  // says in which; 0: none
  uint32_t frame = 0;  // of its outermost frame, or 0
  uint32_t under = 0;  // a node, and the node that the chain leads to from there
  uint32_t node = 0;
};

class NativeChains {
 public:
  NativeChains() : chains_(kMost), nodes_(kMost), buckets_(kBuckets) {}

  bool usable() const { return chains_.usable() && nodes_.usable() && buckets_.usable() && remembered_.usable(); }

  // Numbers of chains are not 0, and good until the next walk.
  const NativeChain& operator[](uint32_t chain) const { return chains_[chain]; }
  // For whoever turns chains into a capture's nodes.
  ChainNode& node(uint32_t chain) { return nodes_[chain]; }

  // The chain of the walk from the cursor to the address `limit`, where that was made before and its end Remember()ed;
  // else 0.
  uint32_t FindWalk(const NativeCursor& cursor, uint64_t limit) {
    return IsOutdated() ? 0 : remembered_.Find(cursor, limit);
  }
  void Remember(const NativeCursor& start, uint64_t limit, uint64_t stack_end, uint32_t chain) {
    remembered_.Learn(
        start, limit, stack_end, chain, [this](uint32_t at) { return chains_[at].rule; },
        [this](uint32_t at) { return chains_[at].inner; });
  }

  enum class End { kRuntimeCode, kLimit, kOutermost };
  // Follows native frames from the cursor on: up to code of the runtime's own (`is_runtime(pc)`), to the first frame
  // beyond the address `limit` (0: none), or to where they end. The cursor is then at the first frame that is not in
  // `chain`, which is 0 when there was none.
  template <typename IsRuntime, typename IsOwn>
  End Walk(Unwinder& unwinder, NativeCursor& cursor, uint64_t limit, uint64_t stack_end, IsRuntime is_runtime,
           IsOwn is_own, uint32_t* chain) {
    if (IsOutdated()) [[unlikely]]
      Forget();
    if (limit == 0) limit = UINT64_MAX;
    NativeCursor at = cursor;  // in registers
    uint32_t found = 0;
    End end = End::kOutermost;
    for (;;) {
      if (at.sp - 16 >= limit) {
        end = End::kLimit;
        break;
      }
      uint32_t next = FindExpected(found, at.pc);
      if (next == 0) {
        if (is_runtime(at.pc)) {
          end = End::kRuntimeCode;
          break;
        }
        next = Find(found, at.pc);
        if (next == 0) [[unlikely]]
          next = Add(found, at.pc, unwinder.RuleFor(at.pc, at.sp, at.fp, stack_end), !is_own(at.pc));
        if (next == 0) break;
      }
      found = next;
      PackedRule rule = chains_[found].rule;
      if (!rule.known()) [[unlikely]]
        rule = unwinder.RuleFor(at.pc, at.sp, at.fp, stack_end);
      if (!Unwinder::Step(at, rule, stack_end)) break;
    }
    cursor = at;
    *chain = found;
    return end;
  }

 private:
  // Half of them is left for the deepest walk.
  static constexpr uint32_t kMost = 1u << 15;
  static constexpr uint32_t kBuckets = 1u << 14;

  bool IsOutdated() const { return generation_ != Modules::Get().generation() || used_ > kMost / 2; }

  // `inner` and the frame that returns to `pc`, or 0.
  uint32_t Find(uint32_t inner, uint64_t pc);
  uint32_t FindExpected(uint32_t inner, uint64_t pc) {
    if (inner == 0) {
      uint32_t first = buckets_[BucketOf(0, pc)];
      if (chains_[first].pc == pc && chains_[first].inner == 0) return first;
    } else {
      for (uint32_t outer : chains_[inner].outer) {
        if (chains_[outer].pc == pc) return outer;
      }
    }
    return 0;
  }
  uint32_t Add(uint32_t inner, uint64_t pc, PackedRule rule, bool shown);
  void Expect(uint32_t inner, uint32_t outer);
  static uint32_t BucketOf(uint32_t inner, uint64_t pc) {
    return static_cast<uint32_t>(pc ^ pc >> 14 ^ inner * 0x9E3779B1u >> 17) & (kBuckets - 1);
  }
  // Code is not what it was, or there is no more room.
  void Forget();

  MappedArray<NativeChain> chains_;
  MappedArray<ChainNode> nodes_;
  MappedArray<uint32_t> buckets_;
  RememberedChains remembered_;
  uint32_t used_ = 0;
  uint32_t generation_ = 0;
};

}  // namespace heapray
