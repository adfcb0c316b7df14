// A hash table that never stalls its user: open addressing with linear probing, which moves to another size bit by bit
// while it goes on being used. Not from the program's heap.
//
// The topmost bits of its hash are an entry's home, so tables of different sizes have the same order. To move is to
// walk once through the old table: what is before a slot that was free is in the new table, what is after it in the old
// one. Behind the walk the old one's memory goes back to the system, so both take no more than the larger one alone.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "stacks/mapped_array.h"

namespace heapray {

// A hash with good topmost bits: it spreads numbers at equal distances evenly, and most addresses are such.
inline uint64_t SpreadBits(uint64_t x) { return x * 0x9E3779B97F4A7C15ull; }

// `Entry` is plain data that is free when all of it is zero. It tells `free()` and its `key()`, an Entry::Key, of which
// Entry::Hash(key) makes the hash.
template <typename Entry>
class GrowingTable {
 public:
  using Key = typename Entry::Key;

  GrowingTable() = default;
  GrowingTable(const GrowingTable&) = delete;
  GrowingTable& operator=(const GrowingTable&) = delete;

  size_t size() const { return count_; }

  // The key's entry, or nullptr. Good until the next change.
  [[gnu::always_inline]] Entry* Find(const Key& key) {
    uint64_t hash = Entry::Hash(key);
    for (Entry* entry = Of(hash).Home(hash); !entry->free(); entry++) {
      if (entry->key() == key) return entry;
    }
    return nullptr;
  }

  // The same, or else a free entry, to be filled at once. nullptr when there is no memory for one.
  [[gnu::always_inline]] Entry* Claim(const Key& key) {
    uint64_t hash = Entry::Hash(key);
    if (count_ >= grow_at_ && !MakeRoom()) [[unlikely]]
      return nullptr;
    const Slots slots = Of(hash);
    Entry* entry = slots.Home(hash);
    for (; !entry->free(); entry++) {
      if (entry->key() == key) return entry;
    }
    if (entry == slots.last) [[unlikely]]
      return nullptr;
    count_++;
    return entry;
  }

  // Removes an entry that was found.
  [[gnu::always_inline]] void Remove(Entry* removed) {
    const Slots slots = Of(HashOf(*removed));
    // Later entries that are reached through the hole move up: no tombstones, which many short-lived entries would fill
    // the table with.
    for (Entry* entry = removed + 1; !entry->free(); entry++) {
      if (slots.Home(HashOf(*entry)) > removed) continue;
      *removed = *entry;
      removed = entry;
    }
    *removed = Entry();
    if (--count_ < shrink_at_) [[unlikely]]
      GiveBack();
  }

  // For a key that will soon be asked for: brings its entry close. (Where it is not inlined, the
  // compiler takes it for a function without effect.)
  [[gnu::always_inline]] void Prefetch(const Key& key) const {
    uint64_t hash = Entry::Hash(key);
    __builtin_prefetch(Of(hash).Home(hash), 1);
  }

 private:
  static constexpr size_t kSmallest = 4096;
  // A table of 4 MB is kept.
  static constexpr size_t kLargestKept = 1 << 18;
  // Slots behind the last home, which no run of entries gets to the end of.
  static constexpr size_t kTail = 1024;
  // Slots that one change moves at least: the new table is ready long before it is full.
  static constexpr size_t kStep = 16;
  static constexpr size_t kReleasedTogether = 1 << 17;
  static constexpr int kMostRegrown = 10;

  struct Slots {
    Entry* first;
    Entry* last;  // always free
    int shift;

    Entry* Home(uint64_t hash) const { return first + (hash >> shift); }
  };
  // What there is before the first entry. Nothing is ever written there.
  static inline Entry none_[2] = {};

  static uint64_t HashOf(const Entry& entry) { return Entry::Hash(entry.key()); }
  const Slots& Of(uint64_t hash) const { return hash < moved_below_ ? next_ : now_; }
  size_t capacity() const { return size_t{1} << (64 - now_.shift); }
  bool moving() const { return next_room_.usable(); }

  bool Map(size_t capacity, MappedArray<Entry>* room, Slots* slots) {
    *room = MappedArray<Entry>(capacity + kTail);
    if (!room->usable()) return false;
    Entry* first = room->data();
    *slots = {first, first + capacity + kTail - 1, 64 - std::countr_zero(capacity)};
    return true;
  }

  [[gnu::noinline, gnu::cold]] bool MakeRoom() {
    if (!now_room_.usable()) {
      if (!Map(kSmallest, &now_room_, &now_)) return false;
      SetLimits();
      return true;
    }
    if (moving()) {
      Move();
      return true;
    }
    if (Map(capacity() * 2, &next_room_, &next_)) {
      if (capacity() < largest_ && regrown_ < kMostRegrown) regrown_++;
      largest_ = std::max(largest_, capacity() * 2);
      Move();
      return true;
    }
    // There may be memory later.
    grow_at_ += capacity() / 64;
    return count_ < capacity() / 8 * 7;
  }
  // Between two collections of garbage most entries may go, and as many come again: the table has to be too large for a
  // while, and each time that it was not, for twice as long.
  [[gnu::noinline, gnu::cold]] void GiveBack() {
    if (moving()) {
      Move();
    } else if (++too_large_ > (capacity() / 32 << regrown_)) {
      too_large_ = 0;
      if (Map(capacity() / 2, &next_room_, &next_)) Move();
    }
  }
  void SetLimits() {
    grow_at_ = capacity() / 8 * 5;
    shrink_at_ = capacity() > kLargestKept ? capacity() / 8 : 0;
    too_large_ = 0;
  }

  // Goes on moving, until behind a free slot: no entry after it has its home before it.
  void Move() {
    // Each change comes here now.
    grow_at_ = 0;
    shrink_at_ = SIZE_MAX;
    size_t enough = moved_ + kStep;
    for (bool behind_free = false; moved_ < enough || !behind_free || moved_ >= capacity();) {
      Entry& entry = now_.first[moved_];
      behind_free = entry.free();
      if (&entry == now_.last) return Moved();
      if (!behind_free) Put(entry);
      moved_++;
    }
    moved_below_ = static_cast<uint64_t>(moved_) << now_.shift;
    if (moved_ - released_ >= kReleasedTogether) {
      madvise(now_.first + released_, kReleasedTogether * sizeof(Entry), MADV_DONTNEED);
      released_ += kReleasedTogether;
    }
  }
  void Put(const Entry& entry) {
    Entry* slot = next_.Home(HashOf(entry));
    while (!slot->free()) slot++;
    *slot = entry;
  }
  void Moved() {
    now_room_ = std::move(next_room_);
    next_room_ = MappedArray<Entry>();
    now_ = next_;
    moved_ = released_ = 0;
    moved_below_ = 0;
    SetLimits();
  }

  uint64_t moved_below_ = 0;  // the hashes of the new table
  Slots now_ = {none_, none_ + 1, 63};
  Slots next_ = {};
  size_t count_ = 0;
  size_t grow_at_ = 0;
  size_t shrink_at_ = 0;
  size_t too_large_ = 0;  // removals while it was
  int regrown_ = 0;       // times that it got back a size that it had given up
  size_t largest_ = 0;    // capacity that it had
  size_t moved_ = 0;      // slots of the old table
  size_t released_ = 0;
  MappedArray<Entry> now_room_;
  MappedArray<Entry> next_room_;
};

}  // namespace heapray
