#include "tracker.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "aggregate/aggregating_recorder.h"
#include "stacks/native_symbols.h"

namespace heapray {

// All that the tracker keeps of a thread.
struct ThreadState {
  uint32_t session = 0;
  bool renamed = true;  // its name is not in the capture yet, or may have changed
  int unknown_roles = 0;
  const char* role = "";
  WorkContext context;
  ThreadEncoding encoding;
  ThreadStack stack;
};

namespace {

constinit thread_local ThreadState* t_state = nullptr;
// The thread is ending: what it still frees is nobody's in particular.
constinit thread_local bool t_ending = false;

pthread_key_t ThreadStateKey() {
  static const pthread_key_t key = [] {
    pthread_key_t made;
    pthread_key_create(&made, [](void* state) {
      Untracked untracked;
      // Destructors that run after this one may allocate again; they get a state of their own.
      t_state = nullptr;
      t_ending = true;
      delete static_cast<ThreadState*>(state);
    });
    return made;
  }();
  return key;
}

ThreadState& CurrentThread() {
  if (t_state == nullptr) [[unlikely]] {
    t_state = new ThreadState;
    pthread_setspecific(ThreadStateKey(), t_state);
  }
  return *t_state;
}

// The state of all threads that have ended but for a few last calls of free. Under the tracker's lock.
ThreadState& EndedThreads() {
  static auto* state = new ThreadState;
  return *state;
}

constexpr int kRoleTries = 32;
constexpr size_t kLongestReason = 448;
// How long the end of the process waits for threads that write to the capture.
constexpr int64_t kEndPatienceMs = 2000;

uint64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

alignas(Tracker) static char g_tracker[sizeof(Tracker)];
Tracker& Tracker::instance_ = *new (g_tracker) Tracker;

Tracker::Tracker() {
  ThreadStateKey();
  // A child has the parent's memory but not its threads: it must neither write nor wait.
  pthread_atfork(nullptr, nullptr, [] {
    instance_.active_.store(false, std::memory_order_release);
    new (&instance_.lock_) SpinLock;
  });
}

bool Tracker::Start(Options options, int* error) {
  Untracked untracked;
  SpinLock::Guard guard(lock_);
  options_ = std::move(options);
  stacks_.store(options_.stacks, std::memory_order_release);
  runtime_.store(options_.runtime, std::memory_order_release);
  owner_pid_ = getpid();
  failed_.store(false, std::memory_order_release);
  threads_ = 0;
  session_.fetch_add(1, std::memory_order_release);
  writer_ = std::make_unique<RecordWriter>(options_.sink.get());
  aggregator_ = options_.aggregate ? std::make_unique<AggregatingRecorder>(writer_.get()) : nullptr;
  recorder_ = options_.aggregate ? aggregator_.get() : writer_.get();
  tree_ = std::make_unique<StackTree>(writer_.get(), options_.stacks);
  address_space_ = AddressSpace();
  address_space_.ReadExisting();
  if (!writer_->Header(options_.metadata_json)) {
    *error = options_.sink->error();
    options_.sink.reset();
    return false;
  }
  options_.sink->Flush();
  if (options_.sink->error() != 0) {
    *error = options_.sink->error();
    options_.sink.reset();
    return false;
  }
  active_.store(true, std::memory_order_release);
  return true;
}

bool Tracker::Stop(const char* reason) {
  Untracked untracked;
  std::unique_ptr<Sink> sink;
  bool ended = false;
  bool complete;
  {
    SpinLock::Guard guard(lock_);
    complete = !failed_;
    if (getpid() == owner_pid_ && active_.exchange(false)) {
      // Here alone: a process that is dying may hold locks that reading files needs.
      complete = !options_.embed_symbols ||
                 EmbedSymbols(*writer_, *tree_, tree_->native().modules(), tree_->native().frames());
      complete = WriteEnd(reason, 0) && complete;
      ended = true;
    }
    tree_.reset();
    recorder_ = nullptr;
    aggregator_.reset();
    writer_.reset();
    sink = std::move(options_.sink);
    address_space_ = AddressSpace();
  }
  // Without the lock: a client at the other end of a socket may take its time, and no other thread waits for it.
  return ended ? Close(*sink, complete) : complete;
}

bool Tracker::WriteEnd(const char* reason, int signal) {
  char number[24] = "";
  if (signal != 0) snprintf(number, sizeof number, R"(,"signal":%d)", signal);
  char trailer[96];
  snprintf(trailer, sizeof trailer, R"({"endTimeMs":%llu,"reason":"%s"%s})", static_cast<unsigned long long>(NowMs()),
           reason, number);
  return recorder_->Complete(trailer);
}

bool Tracker::Close(Sink& sink, bool written) {
  bool complete = sink.Close() && written;
  if (complete) return true;
  char reason[kLongestReason];
  sink.Explain(options_.destination.c_str(), reason, sizeof reason);
  TellOfFailure("the capture is not complete", reason);
  return false;
}

void Tracker::EndNow(const char* reason, int signal) {
  if (!active() || getpid() != owner_pid_ || lock_.HeldByThisThread()) return;
  Untracked untracked;
  if (!lock_.LockWithin(kEndPatienceMs)) return;
  if (active_.exchange(false)) Close(*options_.sink, WriteEnd(reason, signal));
  lock_.Unlock();
}

bool Tracker::LetGo(bool crashed) {
  if (!lock_.HeldByThisThread()) return true;
  // The C library ends a program whose heap is damaged from inside realloc.
  if (!crashed || !reallocating_) return false;
  lock_.Unlock();
  return true;
}

// The program goes on as if untracked; what was recorded until now is a capture.
void Tracker::Fail() {
  if (!active_.exchange(false)) return;
  failed_.store(true, std::memory_order_release);
  char reason[kLongestReason];
  options_.sink->Explain(options_.destination.c_str(), reason, sizeof reason);
  options_.sink->Close();
  TellOfFailure("tracking stopped, the program goes on", reason);
}

void Tracker::TellOfFailure(const char* consequence, const char* reason) {
  char message[kLongestReason + 64];
  int length = snprintf(message, sizeof message, "heapray: %s: %s\n", consequence, reason);
  if (length > 0)
    (void)!write(STDERR_FILENO, message,
                 static_cast<size_t>(length) < sizeof message ? static_cast<size_t>(length) : sizeof message - 1);
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
  bool declared = thread.encoding.index != 0;
  if (declared && thread.renamed) return;
  if (!declared) thread.encoding.index = ++threads_;
  writer_->Thread(thread.encoding.index, tid, tree_->String(shown));
}

// Makes the thread's state one of this capture's.
void Tracker::Introduce(ThreadState& thread) {
  if (thread.session != session_) {
    thread.session = session_;
    thread.renamed = true;
    thread.unknown_roles = 0;
    thread.encoding = ThreadEncoding();
    thread.stack.Forget();
  }
  if (thread.renamed) DeclareThread(thread);
}

// The node of the stack that the thread has just walked.
uint32_t Tracker::Enter(ThreadState& thread) {
  if (thread.session != session_ || thread.renamed) [[unlikely]]
    Introduce(thread);
  if (thread.context.node != 0) [[unlikely]]
    thread.stack.SetBase(thread.context.session == session_ ? thread.context.node : 0);
  return thread.stack.Unchanged() ? thread.stack.node() : tree_->Resolve(thread.stack);
}

WorkContext Tracker::ContextHere(std::string_view what) {
  Untracked untracked;
  if (!active()) return {};
  ThreadState& thread = CurrentThread();
  stacks_.load(std::memory_order_acquire)->Walk(thread.stack.walk());
  SpinLock::Guard guard(lock_);
  if (!active()) return {};
  uint32_t node = Enter(thread);
  return node == 0 ? WorkContext() : WorkContext{session_, tree_->Continue(node, what)};
}

WorkContext Tracker::context() {
  Untracked untracked;
  return active() ? CurrentThread().context : WorkContext();
}

void Tracker::SetContext(WorkContext context) {
  Untracked untracked;
  ThreadState& thread = CurrentThread();
  thread.context = context;
  if (context.node == 0) thread.stack.SetBase(0);
}

void Tracker::SetThreadRole(const char* role) {
  Untracked untracked;
  CurrentThread().role = role;
}

void Tracker::OnAllocation(wire::Allocator allocator, void* block, size_t size) {
  ThreadState& thread = CurrentThread();
  stacks_.load(std::memory_order_acquire)->Walk(thread.stack.walk());

  SpinLock::Guard guard(lock_);
  if (!active()) return;
  uint32_t node = Enter(thread);
  if (!recorder_->Allocation(thread.encoding, allocator, reinterpret_cast<uint64_t>(block), size, node)) Fail();
}

void Tracker::OnFree(void* block) {
  // The C library goes on freeing when all destructors have run, and nothing would delete a state made then.
  ThreadState& thread = t_ending && t_state == nullptr ? EndedThreads() : CurrentThread();
  SpinLock::Guard guard(lock_);
  if (!active()) return;
  Introduce(thread);
  if (!recorder_->Free(thread.encoding, reinterpret_cast<uint64_t>(block))) Fail();
}

void* Tracker::OnRealloc(void* old_block, size_t size, void* (*reallocate)(void*, size_t)) {
  ThreadState& thread = CurrentThread();
  stacks_.load(std::memory_order_acquire)->Walk(thread.stack.walk());

  SpinLock::Guard guard(lock_);
  reallocating_ = true;
  void* block = reallocate(old_block, size);
  reallocating_ = false;
  int error = errno;
  if (!active() || (block == nullptr && size != 0)) {
    // The walk is the thread's last one all the same.
    thread.stack.Unchanged();
    errno = error;
    return block;
  }
  uint32_t node = Enter(thread);
  bool written = old_block == nullptr || recorder_->Free(thread.encoding, reinterpret_cast<uint64_t>(old_block));
  if (written && block != nullptr) {
    written = recorder_->Allocation(thread.encoding, wire::Allocator::kRealloc, reinterpret_cast<uint64_t>(block), size,
                                    node);
  }
  if (!written) Fail();
  errno = error;
  return block;
}

void Tracker::RecordMapping(const AddressSpace::Change& change, uint64_t frame) {
  if (!active()) return;
  ThreadState& thread = CurrentThread();
  if (!change.became_memory) {
    Introduce(thread);
    if (!recorder_->Munmap(thread.encoding, change.begin, change.bytes)) Fail();
    return;
  }
  bool heap_pages = runtime_.load(std::memory_order_acquire)->IsHeapPages(frame, change.bytes);
  // What is in them is recorded: nothing counts twice. (Their end is recorded all the same, and means nothing.)
  if (heap_pages && options_.js_objects) return;
  stacks_.load(std::memory_order_acquire)->Walk(thread.stack.walk());
  uint32_t node = Enter(thread);
  wire::Allocator allocator = heap_pages ? wire::Allocator::kHeapPages : wire::Allocator::kMmap;
  if (!recorder_->Allocation(thread.encoding, allocator, change.begin, change.bytes, node)) Fail();
}

void Tracker::RecordHeapPages() {
  SpinLock::Guard guard(lock_);
  options_.js_objects = false;
}

void Tracker::OnThreadName() {
  if (t_state != nullptr) t_state->renamed = true;
}

void Tracker::OnSnapshot(const MemoryFigures& figures) {
  Untracked untracked;
  SpinLock::Guard guard(lock_);
  if (!active()) return;
  if (!recorder_->Snapshot(figures)) {
    Fail();
    return;
  }
  options_.sink->Flush();
  if (options_.sink->error() != 0) Fail();
}

}  // namespace heapray
