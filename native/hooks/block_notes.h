// The blocks that heapray sees but does not record: what a call into the runtime allocates, for whoever must know.
#pragma once

#include <cstddef>

namespace heapray {

// While one exists, it takes note of the calling thread's untracked allocations and frees; of nested ones, the
// innermost. Sees nothing while no tracker is active.
class BlockNotes {
 public:
  struct Block {
    void* address;
    size_t size;
    bool freed;
  };

  BlockNotes() : outer_(current_) { current_ = this; }
  ~BlockNotes() { current_ = outer_; }
  BlockNotes(const BlockNotes&) = delete;
  BlockNotes& operator=(const BlockNotes&) = delete;

  // The calling thread's, or nullptr.
  static BlockNotes* Current() { return current_; }

  // For the hooks. What does not fit is forgotten.
  void Allocated(void* address, size_t size) {
    if (count_ < kMost) blocks_[count_++] = {address, size, false};
  }
  void Freed(void* address) {
    for (size_t i = 0; i < count_; i++) blocks_[i].freed |= blocks_[i].address == address;
  }

  const Block* begin() const { return blocks_; }
  const Block* end() const { return blocks_ + count_; }

 private:
  static constexpr size_t kMost = 64;
  // initial-exec, as all of the agent's.
  static constinit thread_local BlockNotes* current_;

  BlockNotes* outer_;
  size_t count_ = 0;
  Block blocks_[kMost];
};

}  // namespace heapray
