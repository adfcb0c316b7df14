// A thread's last stack and the nodes of the tree it led to, so that only what changed since has to be resolved, and
// that without the tree where the thread has been there before.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "stacks/flat_map.h"
#include "stacks/mapped_array.h"
#include "stacks/native_chains.h"
#include "stacks/stack_source.h"

namespace heapray {

class ThreadStack {
 public:
  ThreadStack() : levels_(StackWalk::kMaxDepth), steps_(kSteps) { SetScope(); }

  StackWalk& walk() { return walk_; }
  // Takes note of a walk just made; returns whether the node() of its stack is known to the thread. Does not need the
  // tree, nor the tracker's lock.
  bool Find() {
    if (walk_.is_known()) {
      node_ = walk_.known_node();
    } else {
      if (walk_.unchanged() < resolved_) resolved_ = walk_.unchanged();
      size_t depth = walk_.depth();
      if (depth != 0 && (resolved_ != depth || walk_.epoch() != epoch_) && !FollowSteps()) return false;
      node_ = depth == 0 ? base_ : levels_[depth - 1].node;
      walk_.TellNode(node_);
    }
    if (walk_.innermost() == 0) return true;
    const ChainNode& known = walk_.chains().node(walk_.innermost());
    if (known.stamp != stamp_ || known.under != node_) return false;
    node_ = known.node;
    return true;
  }
  // The node of the walk's stack, once it is known or resolved.
  uint32_t node() const { return node_; }
  // Another capture has other nodes.
  void Forget();
  // The node that the outermost frame hangs under: that of the stack which this thread works for, or 0.
  void SetBase(uint32_t base) {
    if (base == base_) return;
    resolved_ = levels_known_ = 0;
    base_ = base;
    SetScope();
  }

 private:
  friend class StackTree;
  struct Level {
    uint64_t key;
    uint32_t node;
  };

  // From a node to that of a frame it called, as the tree told it.
  struct Step {
    uint64_t key;  // the frame's; 0: none
    uint64_t epoch;
    uint32_t from;
    uint32_t to;
  };
  static constexpr size_t kSteps = 1024;

  void SetScope() { walk_.set_scope(uint64_t{stamp_} << 32 | base_); }
  bool usable() const { return walk_.usable() && levels_.usable() && steps_.usable(); }
  // Goes on, from the last level whose node is known, as far as the levels and the steps that the thread remembers
  // lead. Returns whether that is all the way.
  bool FollowSteps();
  // The tree's answer: the node of the next level.
  void AddLevel(const RawFrame& frame, uint32_t node);
  uint32_t last_node() const { return resolved_ == 0 ? base_ : levels_[resolved_ - 1].node; }
  Step& StepAt(uint32_t from, uint64_t key) { return steps_[MixBits(key ^ uint64_t{from} << 32) >> 16 & (kSteps - 1)]; }

  // A number that no chain bears yet. (There are as many as there are threads in captures.)
  static uint32_t NewStamp() {
    static std::atomic<uint32_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  // What is looked at for every record comes first.
  uint32_t node_ = 0;
  uint32_t base_ = 0;
  uint32_t stamp_ = NewStamp();  // of what chains stand for
  StackWalk walk_;
  MappedArray<Level> levels_;  // outermost first
  MappedArray<Step> steps_;    // where each lies is a matter of its hash; a newer one takes the place of an older one
  size_t levels_known_ = 0;    // levels whose nodes are right for their keys
  size_t resolved_ = 0;        // levels whose keys are the walk's
  uint64_t epoch_ = 0;
};

}  // namespace heapray
