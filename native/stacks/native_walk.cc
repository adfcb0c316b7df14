#include "stacks/native_walk.h"

#include "process/per_thread.h"
#include "stacks/word_at.h"

namespace heapray {

NativeWalk::NativeWalk() {
  Modules& modules = Modules::Get();
  modules.Refresh();
  static const char kSelf = 0;
  int own = modules.Find(reinterpret_cast<uint64_t>(&kSelf));
  if (own < 0) return;
  own_begin_ = modules[own].begin;
  own_bytes_ = modules[own].end - own_begin_;
}

NativeCursor NativeWalk::Caller() const {
  auto fp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  NativeCursor cursor;
  // heapray itself is built with frame pointers.
  do {
    cursor = {WordAt(fp + 8), fp + 16, WordAt(fp)};
    fp = cursor.fp;
  } while (IsOwn(cursor.pc));
  return cursor;
}

void NativeWalk::WalkThread(StackWalk& walk) {
  NativeChains& chains = Chains();
  StackBounds stack = ThisThreadsStack();
  NativeCursor cursor = Caller();
  uint32_t chain = 0;
  // Of a stack that is not the thread's own (a fiber's), nobody knows where it ends.
  if (stack.Contains(cursor.sp)) {
    WalkInnermost(chains, cursor, 0, stack.end, [](uint64_t) { return false; }, &chain);
  }
  walk.SetEmpty();
  walk.SetInnermost(&chains, chain);
}

NativeChains& NativeWalk::Chains() { return PerThread<NativeChains>::Get(); }

}  // namespace heapray
