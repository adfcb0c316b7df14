#include "stacks/thread_stack.h"

#include <algorithm>
#include <cstring>

namespace heapray {

void ThreadStack::Forget() {
  SetBase(0);
  resolved_ = levels_known_ = 0;
  stamp_ = NewStamp();
  SetScope();
  if (steps_.usable()) memset(steps_.data(), 0, kSteps * sizeof(Step));
}

bool ThreadStack::FollowSteps() {
  if (!usable()) return false;
  if (walk_.epoch() != epoch_) {
    epoch_ = walk_.epoch();
    resolved_ = levels_known_ = 0;
  }
  size_t depth = walk_.depth();
  size_t level = std::min(resolved_, depth);
  size_t known = std::min(levels_known_, depth);
  while (level < known && levels_[level].key == walk_.FromOutermost(level).key) level++;
  uint32_t node = level == 0 ? base_ : levels_[level - 1].node;
  for (; level < depth; level++) {
    const RawFrame& frame = walk_.FromOutermost(level);
    const Step& step = StepAt(node, frame.key);
    if (step.key != frame.key || step.from != node || step.epoch != epoch_) break;
    node = step.to;
    levels_[level] = {frame.key, node};
  }
  levels_known_ = resolved_ = level;
  return level == depth;
}

void ThreadStack::AddLevel(const RawFrame& frame, uint32_t node) {
  // What a native frame's address means may change with the modules that are loaded.
  if (frame.fp != 0) StepAt(last_node(), frame.key) = {frame.key, epoch_, last_node(), node};
  levels_[resolved_] = {frame.key, node};
  levels_known_ = ++resolved_;
}

}  // namespace heapray
