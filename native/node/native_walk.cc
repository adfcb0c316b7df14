#include "node/native_walk.h"

#include <pthread.h>

#include "tracker.h"

namespace heapray {
namespace {

// What is kept of a thread that has no isolate.
struct ThreadMemory {
  WalkMemory walk;
  StackBounds stack = ThisThreadsStack();
};

constinit thread_local ThreadMemory* t_memory = nullptr;

pthread_key_t MemoryKey() {
  static const pthread_key_t key = [] {
    pthread_key_t made;
    pthread_key_create(&made, [](void* memory) {
      Untracked untracked;
      t_memory = nullptr;
      delete static_cast<ThreadMemory*>(memory);
    });
    return made;
  }();
  return key;
}

ThreadMemory& MemoryOfThread() {
  if (t_memory == nullptr) [[unlikely]] {
    t_memory = new ThreadMemory;
    pthread_setspecific(MemoryKey(), t_memory);
  }
  return *t_memory;
}

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
  ThreadMemory& thread = MemoryOfThread();
  NativeCursor cursor = Caller();
  // Of a stack that is not the thread's own (a fiber's), nobody knows where it ends.
  if (!walk.usable() || !thread.walk.usable() || !thread.stack.Contains(cursor.sp)) {
    walk.SetEmpty();
    return;
  }
  thread.walk.Begin(walk);
  End end = Follow(cursor, 0, thread.stack.end, thread.walk, [](uint64_t) { return false; });
  thread.walk.End(end == End::kAsBefore, walk, 0);
}

}  // namespace heapray
