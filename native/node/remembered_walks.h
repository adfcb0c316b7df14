// Walks that a thread has made before, and the nodes that they led to. Programs go back and forth between the same
// stacks; the last walk alone helps little then. Here a walk is looked up by its innermost links, and all that it read
// is compared with memory: no load waits for another, and nothing is left to do for a stack whose words are what they
// were.
#pragma once

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

  struct alignas(128) Slot {
    Key key;
    // What led there is good if the same node was told once more since it was kept.
    WalkNode node;
    uint32_t kept_at;
    uint32_t generation;  // 0: nothing is kept
    uint32_t modules;
    uint32_t begin;
    uint32_t pairs;
    uint32_t words;
    uint32_t credit;
  };

  static size_t SlotOf(const Key& key) {
    uint64_t mixed = (key.exit_fp ^ key.pc) * 0x9E3779B97F4A7C15ull + (key.fp ^ key.caller_pc) * 0xD6E8FEB86659FD93ull;
    return mixed >> 56;
  }
  static_assert(kSlots == 256);

  bool IsGood(const Slot& slot, uint32_t modules) const {
    return slot.generation == generation_ && slot.node.again > slot.kept_at && slot.modules == modules;
  }

  // What is kept of a walk: the words compared in pairs, their addresses, and those compared alone.
  static size_t RoomFor(size_t pairs, size_t words) {
    return pairs * (sizeof(WalkMemory::Pair) + sizeof(uint64_t)) + words * sizeof(WalkMemory::Word);
  }

  void Keep(Slot& slot, const WalkMemory& memory, uint32_t modules) {
    slot.generation = 0;
    WalkMemory::Contents read = memory.contents();
    if (read.pair_count == 0 || read.pair_count > kMostPairs || read.word_count > kMostPairs) return;
    // Compared so many at a time.
    size_t pairs = (read.pair_count + kAtOnce - 1) / kAtOnce * kAtOnce;
    size_t room = RoomFor(pairs, read.word_count);
    if (used_ + room > kBytes) Forget();
    slot.begin = static_cast<uint32_t>(used_);
    slot.pairs = static_cast<uint32_t>(pairs);
    slot.words = static_cast<uint32_t>(read.word_count);
    used_ += room;
    WalkMemory::Pair* pair = PairsOf(slot);
    uint64_t* address = AddressesOf(slot);
    // Innermost first: that is where stacks differ.
    for (size_t i = 0; i < pairs; i++) {
      size_t from = i < read.pair_count ? read.pair_count - 1 - i : 0;
      pair[i] = read.pairs[from];
      address[i] = read.pair_addresses[from];
    }
    WalkMemory::Word* words = WordsOf(slot);
    for (size_t i = 0; i < read.word_count; i++) words[i] = read.words[i];
    slot.generation = generation_;
    slot.modules = modules;
    slot.kept_at = slot.node.again;
  }

  WalkMemory::Pair* PairsOf(const Slot& slot) {
    return reinterpret_cast<WalkMemory::Pair*>(bytes_.data() + slot.begin);
  }
  uint64_t* AddressesOf(const Slot& slot) { return reinterpret_cast<uint64_t*>(PairsOf(slot) + slot.pairs); }
  WalkMemory::Word* WordsOf(const Slot& slot) {
    return reinterpret_cast<WalkMemory::Word*>(AddressesOf(slot) + slot.pairs);
  }

  bool IsUnchanged(const Slot& slot) {
    const WalkMemory::Pair* pairs = PairsOf(slot);
    const uint64_t* addresses = AddressesOf(slot);
    for (size_t i = 0; i < slot.pairs; i += kAtOnce) {
      __m128i two = _mm_or_si128(WalkMemory::Difference(pairs[i], addresses[i]),
                                 WalkMemory::Difference(pairs[i + 1], addresses[i + 1]));
      __m128i more = _mm_or_si128(WalkMemory::Difference(pairs[i + 2], addresses[i + 2]),
                                  WalkMemory::Difference(pairs[i + 3], addresses[i + 3]));
      if (!WalkMemory::IsZero(_mm_or_si128(two, more))) return false;
    }
    uint64_t difference = 0;
    const WalkMemory::Word* words = WordsOf(slot);
    for (size_t i = 0; i < slot.words; i++) difference |= WordAt(words[i].address) ^ words[i].value;
    return difference == 0;
  }

  MappedArray<Slot> slots_;
  MappedArray<uint8_t> bytes_;
  size_t used_ = 0;
  uint32_t generation_ = 1;
};

}  // namespace heapray
