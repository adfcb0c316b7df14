#include "aggregate/live_blocks.h"

#include <utility>

#include "stacks/flat_map.h"

namespace heapray {
namespace {

constexpr size_t kSmallest = 4096;

}  // namespace

size_t LiveBlocks::Home(uint64_t address) const { return MixBits(address) & (capacity_ - 1); }

bool LiveBlocks::Add(uint64_t address, Block block, Block* old) {
  if (count_ * 3 >= capacity_ * 2) Grow();
  size_t mask = capacity_ - 1;
  size_t i = Home(address);
  for (; entries_[i].address_and_size != 0; i = (i + 1) & mask) {
    if (entries_[i].address() != address) continue;
    *old = entries_[i].block();
    entries_[i] = Pack(address, block);
    return true;
  }
  entries_[i] = Pack(address, block);
  count_++;
  return false;
}

bool LiveBlocks::Remove(uint64_t address, Block* block) {
  if (count_ == 0) return false;
  size_t mask = capacity_ - 1;
  size_t hole = Home(address);
  for (;; hole = (hole + 1) & mask) {
    if (entries_[hole].address_and_size == 0) return false;
    if (entries_[hole].address() == address) break;
  }
  *block = entries_[hole].block();
  // Later entries of the run that are reached through the hole move up: no tombstones, which many short-lived blocks
  // would fill the table with.
  for (size_t i = (hole + 1) & mask; entries_[i].address_and_size != 0; i = (i + 1) & mask) {
    size_t home = Home(entries_[i].address());
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    entries_[hole] = entries_[i];
    hole = i;
  }
  entries_[hole] = Entry();
  count_--;
  return true;
}

// Never the other way: between two collections most blocks of a program may die, and as many come again.
void LiveBlocks::Grow() {
  size_t old_capacity = capacity_;
  capacity_ = old_capacity == 0 ? kSmallest : old_capacity * 2;
  auto old = std::exchange(entries_, std::make_unique<Entry[]>(capacity_));
  for (size_t from = 0; from < old_capacity; from++) {
    if (old[from].address_and_size == 0) continue;
    size_t i = Home(old[from].address());
    while (entries_[i].address_and_size != 0) i = (i + 1) & (capacity_ - 1);
    entries_[i] = old[from];
  }
}

}  // namespace heapray
