#include "tracker.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "aggregate/aggregating_recorder.h"
#include "process/kept_errno.h"
#include "process/known_ranges.h"
#include "process/own_thread.h"
#include "thread_state.h"

namespace heapray {

namespace {

constexpr int kRoleTries = 32;
constexpr int kMostTries = 10'000;
constexpr size_t kStackBytes = 256u << 10;

}  // namespace

alignas(Tracker) char Tracker::room_[sizeof(Tracker)];
Tracker* const Tracker::made_ = new (room_) Tracker;

Tracker::Tracker() {
  WatchThreadEnds([](ThreadState& thread) { Get().OnThreadEnd(thread); });
  // A child has the parent's memory but not its threads: it must neither write nor wait.
  pthread_atfork(nullptr, nullptr, [] {
    Get().active_.store(0, std::memory_order_release);
    Get().closing_ = 0;
    new (&Get().space_lock_) SpinLock;
    new (&Get().lock_) SpinLock;
    // Other threads' queues, in whatever state they were, are of no more use.
    new (&Get().order_) RecordOrder;
    if (ThreadState* thread = CurrentThreadIfKnown()) thread->Forget();
    EndedThreads::Forget();
  });
}

void Tracker::PrepareFences() {
  static std::atomic<int> prepared_in{0};
  if (prepared_in.exchange(getpid()) == getpid()) return;
  auto prepare = [](void*) -> void* {
    Untracked untracked;
    pthread_setname_np(pthread_self(), "heapray");
    if (!RecordOrder::AskForFences()) return nullptr;
    // With the lock: whoever merges either looked before any thread could rely on his fences, or knows that they do.
    SpinLock::Guard guard(Get().lock_);
    Get().order_.FenceAtNeed();
    return nullptr;
  };
  pthread_t thread;
  if (StartOwnThread(&thread, prepare, nullptr, kStackBytes)) pthread_detach(thread);
}

void Tracker::DeclareThread(ThreadState& thread) {
  char name[17] = "";
  prctl(PR_GET_NAME, name);
  auto tid = static_cast<uint32_t>(syscall(SYS_gettid));
  std::string_view shown = name;
  thread.renamed = false;
  // A thread that was given no name bears the process's.
  if (shown == options_.inherited_thread_name) {
    const char* role = thread.role;
    if (tid == static_cast<uint32_t>(owner_pid_)) role = "MainThread";
    if (role[0] == 0) role = runtime_.load(std::memory_order_acquire)->ThreadRole();
    if (role[0] != 0) {
      shown = role;
    } else if (++thread.unknown_roles < kRoleTries) {
      // Some code hides its callers from the walk that would tell: the next allocation may come from elsewhere.
      thread.renamed = true;
    }
  }
  bool declared = thread.index != 0;
  std::string_view given = names_.Declare(tid, declared ? thread.index : threads_ + 1);
  if (!given.empty()) {
    shown = given;
    thread.renamed = false;
  }
  if (declared && thread.renamed) return;
  if (!declared) thread.index = ++threads_;
  writer_->Thread(thread.index, tid, tree_->String(shown));
}

bool Tracker::Introduce(ThreadState& thread) {
  if (!active()) return false;
  if (thread.queue == nullptr) thread.queue = order_.Open();
  if (thread.queue == nullptr) return false;
  if (thread.session != session_) {
    thread.session = session_;
    thread.renamed = true;
    thread.unknown_roles = 0;
    thread.index = 0;
    thread.stack.Forget();
    thread.stack.SetBase(BaseOf(thread.context));
  }
  bool declared = thread.index != 0;
  if (thread.renamed) DeclareThread(thread);
  thread.told_in = thread.renamed ? ThreadState::kNone : thread.session;
  if (!declared) order_.Enter(*thread.queue, thread.session, thread.index);
  return true;
}

[[gnu::always_inline]] inline void Tracker::Walk(ThreadState& thread) {
  stacks_.load(std::memory_order_acquire)->Walk(thread.stack.walk());
}

[[gnu::always_inline]] inline bool Tracker::Enter(ThreadState& thread, uint32_t* node) {
  if (Knows(thread) && thread.stack.Find()) [[likely]] {
    *node = thread.stack.node();
    return true;
  }
  return EnterNew(thread, node);
}

bool Tracker::EnterNew(ThreadState& thread, uint32_t* node) {
  KeptErrno kept;
  SpinLock::Guard guard(lock_);
  return EnterLocked(thread, node);
}

bool Tracker::EnterLocked(ThreadState& thread, uint32_t* node) {
  if (!active()) return false;
  if (!Knows(thread)) {
    bool other_session = thread.session != session_;
    if (!Introduce(thread)) return false;
    // What the walk took from another capture is of no use.
    if (other_session) Walk(thread);
  }
  *node = thread.stack.Find() ? thread.stack.node() : tree_->Resolve(thread.stack);
  return true;
}

[[gnu::always_inline]] inline bool Tracker::HasRoom(ThreadState& thread, uint32_t count) {
  return thread.queue->HasRoom(count) || MakeRoom(thread, count);
}

bool Tracker::MakeRoom(ThreadState& thread, uint32_t count) {
  KeptErrno kept;
  for (int tries = 0; !thread.queue->HasRoom(count); tries++) {
    {
      SpinLock::Guard guard(lock_);
      if (!active() || thread.session != session_) return false;
      if (tries < kMostTries) {
        WriteDown();
      } else if (!order_.WriteDownAll(*recorder_, session_, 0)) {
        // Whoever is in the middle of a record for so long may never come to its end (a handler that jumped out of it).
        Fail();
      }
      if (thread.queue->HasRoom(count)) return true;
    }
    // Another thread lost its core in the middle of a record.
    sched_yield();
  }
  return true;
}

void Tracker::WriteDown() {
  if (!order_.WriteDown(*recorder_, session_)) Fail();
}

void Tracker::BeforeEnd() {
  // A child that shares its parent's memory until its exec has nothing to say.
  if (!active() || lock_.HeldByThisThread() || getpid() != owner_pid_) return;
  Untracked untracked;
  WriteDownNow();
}

void Tracker::WriteDownNow() {
  KeptErrno kept;
  SpinLock::Guard guard(lock_);
  // An aggregated capture holds nothing before its end.
  if (active() && aggregator_ == nullptr) WriteDown();
}

bool Tracker::WriteDownPending(RecordOrder::Traffic* traffic) {
  SpinLock::Guard guard(lock_);
  if (active()) WriteDown();
  *traffic = order_.TakeTraffic();
  return !order_.Rest();
}

void Tracker::OnThreadEnd(ThreadState& thread) {
  if (thread.queue == nullptr) return;
  for (int tries = 0;; tries++) {
    {
      SpinLock::Guard guard(lock_);
      if (active() && thread.session == session_) WriteDown();
      bool told = thread.queue->empty() || !active() || thread.session != session_;
      if (told || tries == kMostTries) {
        names_.ThreadEnded(static_cast<uint32_t>(syscall(SYS_gettid)));
        order_.Close(thread.queue);
        return;
      }
    }
    sched_yield();
  }
}

WorkContext Tracker::ContextHere(std::string_view what) {
  Untracked untracked;
  if (!active()) return {};
  ThreadState& thread = CurrentThread();
  Walk(thread);
  SpinLock::Guard guard(lock_);
  uint32_t node = 0;
  if (!EnterLocked(thread, &node) || node == 0) return {};
  return {session_, tree_->Continue(node, what)};
}

uint32_t Tracker::BaseOf(WorkContext context) const { return context.session == session_ ? context.node : 0; }

WorkContext Tracker::context() {
  Untracked untracked;
  return active() ? CurrentThread().context : WorkContext();
}

void Tracker::SetContext(WorkContext context) {
  Untracked untracked;
  ThreadState& thread = CurrentThread();
  thread.context = context;
  thread.stack.SetBase(BaseOf(context));
}

void Tracker::SetThreadRole(const char* role) {
  Untracked untracked;
  CurrentThread().role = role;
}

void Tracker::Record(ThreadState& thread, wire::Allocator kind, uint64_t address, uint64_t size, uint32_t node) {
  if (!HasRoom(thread, 1)) return;
  RecordOrder::Making making(order_, *thread.queue);
  making.Add(PendingRecord::Of(kind, address, size, node, making.Turn()));
}

[[gnu::always_inline]] inline void Tracker::RecordEnd(ThreadState& thread, wire::Allocator kind, uint64_t address,
                                                      uint64_t size) {
  if (!Knows(thread)) [[unlikely]] {
    KeptErrno kept;
    SpinLock::Guard guard(lock_);
    if (!Introduce(thread)) return;
  }
  Record(thread, kind, address, size, 0);
}

void* Tracker::OnAllocation(wire::Allocator allocator, void* block, size_t size) {
  order_.Prepare();
  ThreadState& thread = CurrentThread();
  Walk(thread);
  uint32_t node;
  if (!Enter(thread, &node)) return block;
  auto address = reinterpret_cast<uint64_t>(block);
  if (!RecordAtOnce(thread, allocator, address, size, node)) Record(thread, allocator, address, size, node);
  if (size >= kLargeBytes) [[unlikely]]
    WriteDownNow();
  return block;
}

void* Tracker::OnFree(void* block) {
  order_.Prepare();
  ThreadState* thread = CurrentThreadIfKnown();
  if (thread == nullptr || !Knows(*thread)) [[unlikely]] {
    OnFirstFree(block);
  } else {
    Record(*thread, wire::Allocator::kFree, reinterpret_cast<uint64_t>(block), 0, 0);
  }
  return block;
}

void Tracker::OnFirstFree(void* block) {
  KeptErrno kept;
  if (CurrentThreadHasEnded()) {
    EndedThreads ended;
    RecordEnd(ended.state(), wire::Allocator::kFree, reinterpret_cast<uint64_t>(block), 0);
  } else {
    RecordEnd(CurrentThread(), wire::Allocator::kFree, reinterpret_cast<uint64_t>(block), 0);
  }
}

void* Tracker::OnRealloc(wire::Allocator allocator, void* old_block, size_t size, void* (*reallocate)(void*, size_t)) {
  ThreadState& thread = CurrentThread();
  Walk(thread);
  uint32_t node;
  if (!Enter(thread, &node) || !HasRoom(thread, 2)) return reallocate(old_block, size);

  void* block;
  int error;
  {
    RecordOrder::Making making(order_, *thread.queue);
    // Before: whoever gets the old block's address does so in a later turn.
    uint32_t turn = making.Turn();
    block = reallocate(old_block, size);
    error = errno;
    if (old_block != nullptr && (block != nullptr || size == 0)) {
      making.Add(PendingRecord::Of(wire::Allocator::kFree, reinterpret_cast<uint64_t>(old_block), 0, 0, turn));
    }
    // After: whoever had the new block's address has given it back in an earlier one.
    if (block != nullptr) {
      making.Add(PendingRecord::Of(allocator, reinterpret_cast<uint64_t>(block), size, node, making.Turn()));
    }
  }
  if (block != nullptr && size >= kLargeBytes) [[unlikely]]
    WriteDownNow();
  errno = error;
  return block;
}

void Tracker::RecordMapping(const AddressSpace::Change& change, uint64_t frame) {
  if (!active()) return;
  ThreadState& thread = CurrentThread();
  if (!change.became_memory) {
    KnownRanges::Get().Clear(change.begin, change.begin + change.bytes);
    RecordEnd(thread, wire::Allocator::kMunmap, change.begin, change.bytes);
    return;
  }
  bool heap_pages = runtime_.load(std::memory_order_acquire)->IsHeapPages(frame, change.bytes);
  KnownRanges::Get().Set(change.begin, change.begin + change.bytes,
                         heap_pages ? KnownRanges::Owner::kV8Heap : KnownRanges::Owner::kProgram);
  // What is in them is recorded: nothing counts twice. (Their end is recorded all the same, and means nothing.)
  if (heap_pages && options_.js_objects) return;
  Walk(thread);
  uint32_t node;
  if (!Enter(thread, &node)) return;
  wire::Allocator allocator = heap_pages ? wire::Allocator::kHeapPages : wire::Allocator::kMmap;
  Record(thread, allocator, change.begin, change.bytes, node);
  if (change.bytes >= kLargeBytes) WriteDownNow();
}

void Tracker::RecordHeapPages() {
  SpinLock::Guard guard(space_lock_);
  options_.js_objects = false;
}

void Tracker::NameThread(uint32_t thread_id, std::string name) {
  Untracked untracked;
  SpinLock::Guard guard(lock_);
  uint32_t text = active() ? tree_->String(name) : 0;
  uint32_t index = names_.Name(thread_id, std::move(name));
  if (active() && index != 0) writer_->Thread(index, thread_id, text);
}

void Tracker::OnThreadName() {
  ThreadState* thread = CurrentThreadIfKnown();
  if (thread == nullptr) return;
  thread->renamed = true;
  thread->told_in = ThreadState::kNone;
}

void Tracker::OnSnapshot(const MemoryFigures& figures) {
  Untracked untracked;
  SpinLock::Guard guard(lock_);
  if (!active()) return;
  WriteDown();
  if (!active()) return;
  if (!recorder_->Snapshot(figures)) {
    Fail();
    return;
  }
  options_.sink->Flush();
  if (options_.sink->error() != 0) Fail();
}

}  // namespace heapray
