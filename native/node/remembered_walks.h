// Walks that a thread has made before, and the nodes that they led to. Programs go back and forth between the same
// stacks; the last walk alone helps little then. Here a walk is looked up by its innermost links, and all that it read
// is compared with memory: no load waits for another, and nothing is left to do for a stack whose words are what they
// were.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "node/walk_memory.h"
#include "stacks/mapped_array.h"
#include "stacks/stack_source.h"

namespace heapray {

class RememberedWalks {
 public:
  // A walk's beginning: where JavaScript was left, what that frame says of its caller's, and where that one returns to.
  struct Key {
    uint64_t exit_fp;
    uint64_t fp;
    uint64_t pc;
    uint64_t caller_pc;
    bool operator==(const Key&) const = default;
  };

  RememberedWalks() : slots_(kSlots), bytes_(kBytes) {}

  bool usable() const { return slots_.usable() && bytes_.usable(); }

  // Objects may have moved, or code: no walk will be what it was.
  void Forget() {
    generation_++;
    used_ = 0;
    trunk_count_ = 0;
  }

  // Whether the walk that begins so was made before, and led to *node in this scope. `modules`: see Modules.
  bool Find(const Key& key, uint64_t scope, uint32_t modules, uint32_t* node) {
    Slot& slot = slots_[SlotOf(key)];
    if (slot.key != key || !IsGood(slot, modules) || slot.node.scope != scope || !IsUnchanged(slot)) return false;
    slot.credit = kCredit;
    *node = slot.node.node;
    return true;
  }

  // After a walk was made that Find() did not know. It is remembered when it led to the same node a few times before.
  void Learn(const Key& key, const WalkMemory& memory, uint32_t modules, StackWalk& walk) {
    Slot& slot = slots_[SlotOf(key)];
    if (slot.key != key) {
      // One that comes often is not given up for each that comes once.
      if (slot.credit > 0) {
        slot.credit--;
        return;
      }
      slot.key = key;
      slot.node = WalkNode();
      slot.generation = 0;
    } else if (slot.node.again >= kTimesBefore && !IsGood(slot, modules)) {
      Keep(slot, memory, modules);
    }
    walk.AskForNode(&slot.node);
  }

 private:
  static constexpr size_t kSlots = 256;
  static constexpr size_t kBytes = 256u << 10;
  static constexpr uint32_t kTimesBefore = 1;
  static constexpr uint32_t kCredit = 4;
  static constexpr size_t kMostPairs = 512;
  static constexpr size_t kAtOnce = 4;

  static_assert(kAtOnce == 4);
  static constexpr size_t kTrunks = 8;

  // Pairs of words that were read, and their addresses: what is compared at a time.
  struct alignas(16) Group {
    WalkMemory::Pair pairs[kAtOnce];
    uint64_t addresses[kAtOnce];
  };
  static constexpr size_t kPairBytes = sizeof(Group) / kAtOnce;
  // Such groups, innermost first: where they lie in bytes_, and how many.
  struct Groups {
    uint32_t begin;
    uint32_t count;
    Groups From(size_t skipped) const {
      return {static_cast<uint32_t>(begin + skipped * sizeof(Group)), static_cast<uint32_t>(count - skipped)};
    }
  };
  struct alignas(128) Slot {
    Key key;
    // What led there is good if the same node was told once more since it was kept.
    WalkNode node;
    uint32_t kept_at;
    uint32_t generation;  // 0: nothing is kept
    uint32_t modules;
    uint32_t credit;
    Groups inner;
    Groups outer;  // some of another walk's: stacks have their outer frames in common, and the cache has them once
    uint32_t words;
    uint32_t word_count;
  };
  static_assert(sizeof(Slot) == 128);

  static size_t SlotOf(const Key& key) {
    uint64_t mixed = (key.exit_fp ^ key.pc) * 0x9E3779B97F4A7C15ull + (key.fp ^ key.caller_pc) * 0xD6E8FEB86659FD93ull;
    return mixed >> 56;
  }
  static_assert(kSlots == 256);

  bool IsGood(const Slot& slot, uint32_t modules) const {
    return slot.generation == generation_ && slot.node.again > slot.kept_at && slot.modules == modules;
  }

  // What is kept of a walk: the words compared in pairs, their addresses, and those compared alone.
  void Keep(Slot& slot, const WalkMemory& memory, uint32_t modules) {
    slot.generation = 0;
    WalkMemory::Contents read = memory.contents();
    if (read.pair_count == 0 || read.pair_count > kMostPairs || read.word_count > kMostPairs) return;
    size_t most = (read.pair_count + kAtOnce) * kPairBytes + read.word_count * sizeof(WalkMemory::Word);
    if (used_ + most > kBytes) Forget();
    size_t in_common = 0;
    slot.outer = CommonTrunk(read, &in_common);
    if (in_common > 0) {
      slot.inner = Add(read, read.pair_count - in_common);
    } else {
      slot.inner = trunks_[trunk_count_++ % kTrunks] = Add(read, read.pair_count);
    }
    slot.words = static_cast<uint32_t>(used_);
    slot.word_count = static_cast<uint32_t>(read.word_count);
    used_ += read.word_count * sizeof(WalkMemory::Word);
    WalkMemory::Word* words = At<WalkMemory::Word>(slot.words);
    for (size_t i = 0; i < read.word_count; i++) words[i] = read.words[i];
    slot.generation = generation_;
    slot.modules = modules;
    slot.kept_at = slot.node.again;
  }

  // Adds the walk's `count` innermost pairs, and as many more as fill the last group.
  Groups Add(const WalkMemory::Contents& read, size_t count) {
    size_t groups = (count + kAtOnce - 1) / kAtOnce;
    Groups added{static_cast<uint32_t>(used_), static_cast<uint32_t>(groups)};
    used_ += groups * sizeof(Group);
    Group* group = At<Group>(added.begin);
    for (size_t i = 0; i < groups * kAtOnce; i++) {
      size_t from = i < read.pair_count ? read.pair_count - 1 - i : 0;
      group[i / kAtOnce].pairs[i % kAtOnce] = read.pairs[from];
      group[i / kAtOnce].addresses[i % kAtOnce] = read.pair_addresses[from];
    }
    return added;
  }

  // The walk's outermost pairs where they are those of one that was kept whole, if that is half of them.
  Groups CommonTrunk(const WalkMemory::Contents& read, size_t* in_common) const {
    Groups longest{};
    for (size_t i = 0; i < std::min(trunk_count_, kTrunks); i++) {
      const Group* groups = At<Group>(trunks_[i].begin);
      auto pair = [=](size_t at) { return groups[at / kAtOnce].pairs[at % kAtOnce]; };
      auto address = [=](size_t at) { return groups[at / kAtOnce].addresses[at % kAtOnce]; };
      size_t end = trunks_[i].count * kAtOnce;
      // The outermost may be there more than once.
      while (end > 1 && address(end - 2) == address(end - 1)) end--;
      size_t common = 0;
      size_t most = std::min(end, read.pair_count);
      while (common < most && address(end - 1 - common) == read.pair_addresses[common] &&
             pair(end - 1 - common) == read.pairs[common]) {
        common++;
      }
      if (common * 2 < read.pair_count) continue;
      size_t skipped = (end - common + kAtOnce - 1) / kAtOnce;
      if (skipped * kAtOnce >= end || end - skipped * kAtOnce <= *in_common) continue;
      *in_common = end - skipped * kAtOnce;
      longest = trunks_[i].From(skipped);
    }
    return longest;
  }

  template <typename T>
  T* At(uint32_t place) {
    return reinterpret_cast<T*>(bytes_.data() + place);
  }
  template <typename T>
  const T* At(uint32_t place) const {
    return reinterpret_cast<const T*>(bytes_.data() + place);
  }

  // All is compared before it is asked, since nearly always it is all the same.
  bool IsUnchanged(const Slot& slot) const {
    __m128i difference = _mm_setzero_si128();
    AddDifference(slot.inner, &difference);
    AddDifference(slot.outer, &difference);
    uint64_t words_difference = 0;
    const auto* words = At<WalkMemory::Word>(slot.words);
    for (size_t i = 0; i < slot.word_count; i++) words_difference |= WordAt(words[i].address) ^ words[i].value;
    return words_difference == 0 && WalkMemory::IsZero(difference);
  }

  [[gnu::always_inline]] void AddDifference(const Groups& kept, __m128i* sum) const {
    const Group* group = At<Group>(kept.begin);
    for (const Group* end = group + kept.count; group != end; group++) {
      auto difference = [=](size_t i) { return WalkMemory::Difference(group->pairs[i], group->addresses[i]); };
      __m128i two = _mm_or_si128(difference(0), difference(1));
      __m128i two_more = _mm_or_si128(difference(2), difference(3));
      *sum = _mm_or_si128(*sum, _mm_or_si128(two, two_more));
    }
  }

  MappedArray<Slot> slots_;
  MappedArray<uint8_t> bytes_;
  size_t used_ = 0;
  uint32_t generation_ = 1;
  size_t trunk_count_ = 0;
  Groups trunks_[kTrunks];  // of walks that were kept whole
};

}  // namespace heapray
