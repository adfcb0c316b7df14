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

  static constexpr size_t kTrunks = 8;
  static constexpr size_t kPairBytes = sizeof(WalkMemory::Pair) + sizeof(uint64_t);

  // Pairs of words that were read, innermost first, and their addresses: where they lie in bytes_, and how many.
  struct Pairs {
    uint32_t begin;
    uint32_t addresses;
    uint32_t count;
    Pairs From(size_t skipped) const {
      return {static_cast<uint32_t>(begin + skipped * sizeof(WalkMemory::Pair)),
              static_cast<uint32_t>(addresses + skipped * sizeof(uint64_t)), static_cast<uint32_t>(count - skipped)};
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
    Pairs inner;
    Pairs outer;  // some of another walk's: stacks have their outer frames in common, and the cache has them once
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

  // Adds the walk's `count` innermost pairs, and as many more as make it a multiple of what is compared at a time.
  Pairs Add(const WalkMemory::Contents& read, size_t count) {
    size_t padded = (count + kAtOnce - 1) / kAtOnce * kAtOnce;
    Pairs added{static_cast<uint32_t>(used_), static_cast<uint32_t>(used_ + padded * sizeof(WalkMemory::Pair)),
                static_cast<uint32_t>(padded)};
    used_ += padded * kPairBytes;
    for (size_t i = 0; i < padded; i++) {
      size_t from = i < read.pair_count ? read.pair_count - 1 - i : 0;
      At<WalkMemory::Pair>(added.begin)[i] = read.pairs[from];
      At<uint64_t>(added.addresses)[i] = read.pair_addresses[from];
    }
    return added;
  }

  // The walk's outermost pairs where they are those of one that was kept whole, if that is half of them.
  Pairs CommonTrunk(const WalkMemory::Contents& read, size_t* in_common) const {
    Pairs longest{};
    for (size_t i = 0; i < std::min(trunk_count_, kTrunks); i++) {
      const Pairs& trunk = trunks_[i];
      const auto* pairs = At<WalkMemory::Pair>(trunk.begin);
      const auto* addresses = At<uint64_t>(trunk.addresses);
      size_t end = trunk.count;
      // The outermost may be there more than once.
      while (end > 1 && addresses[end - 2] == addresses[end - 1]) end--;
      size_t common = 0;
      size_t most = std::min(end, read.pair_count);
      while (common < most && addresses[end - 1 - common] == read.pair_addresses[common] &&
             pairs[end - 1 - common] == read.pairs[common]) {
        common++;
      }
      if (common * 2 < read.pair_count) continue;
      size_t skipped = (end - common + kAtOnce - 1) / kAtOnce * kAtOnce;
      if (skipped >= end || end - skipped <= *in_common) continue;
      *in_common = end - skipped;
      longest = trunk.From(skipped);
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

  bool IsUnchanged(const Slot& slot) const {
    if (!IsUnchanged(slot.inner) || !IsUnchanged(slot.outer)) return false;
    uint64_t difference = 0;
    const auto* words = At<WalkMemory::Word>(slot.words);
    for (size_t i = 0; i < slot.word_count; i++) difference |= WordAt(words[i].address) ^ words[i].value;
    return difference == 0;
  }

  bool IsUnchanged(const Pairs& kept) const {
    const auto* pairs = At<WalkMemory::Pair>(kept.begin);
    const auto* addresses = At<uint64_t>(kept.addresses);
    for (size_t i = 0; i < kept.count; i += kAtOnce) {
      __m128i two = _mm_or_si128(WalkMemory::Difference(pairs[i], addresses[i]),
                                 WalkMemory::Difference(pairs[i + 1], addresses[i + 1]));
      __m128i more = _mm_or_si128(WalkMemory::Difference(pairs[i + 2], addresses[i + 2]),
                                  WalkMemory::Difference(pairs[i + 3], addresses[i + 3]));
      if (!WalkMemory::IsZero(_mm_or_si128(two, more))) return false;
    }
    return true;
  }

  MappedArray<Slot> slots_;
  MappedArray<uint8_t> bytes_;
  size_t used_ = 0;
  uint32_t generation_ = 1;
  size_t trunk_count_ = 0;
  Pairs trunks_[kTrunks];  // of walks that were kept whole
};

}  // namespace heapray
