#include "stacks/native_walk.h"

#include "process/per_thread.h"
#include "stacks/word_at.h"

namespace heapray {
namespace {

// What is kept of a thread.
struct ThreadMemory {
  NativeChains chains;
  StackBounds stack;  // of one without a runtime
};

}  // namespace

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
  ThreadMemory& thread = PerThread<ThreadMemory>::Get();
  if (thread.stack.end == 0) [[unlikely]]
    thread.stack = ThisThreadsStack();
  NativeCursor cursor = Caller();
  uint32_t chain = 0;
  // Of a stack that is not the thread's own (a fiber's), nobody knows where it ends.
  if (thread.stack.Contains(cursor.sp)) {
    WalkInnermost(thread.chains, cursor, 0, thread.stack.end, [](uint64_t) { return false; }, &chain);
  }
  walk.SetEmpty();
  walk.SetInnermost(&thread.chains, chain);
}

NativeChains& NativeWalk::Chains() { return PerThread<ThreadMemory>::Get().chains; }

}  // namespace heapray
