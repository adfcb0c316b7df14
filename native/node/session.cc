#include "node/session.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "hooks/hooks.h"
#include "node/elf_symbols.h"
#include "node/existing_heap.h"
#include "node/isolates.h"
#include "node/js_heap.h"
#include "node/js_stack_source.h"
#include "node/node_runtime.h"
#include "process/fatal_signals.h"
#include "process/known_ranges.h"
#include "process/modules.h"
#include "process/own_thread.h"
#include "process/owned_fd.h"
#include "process/snapshots.h"
#include "process/write_behind.h"
#include "tracker.h"

namespace heapray {
namespace {

JsStackSource& Stacks() {
  static auto* stacks = new JsStackSource;
  return *stacks;
}

NodeRuntime& TheRuntime() {
  static auto* runtime = new NodeRuntime;
  return *runtime;
}

// The name that threads inherit from the main thread when nobody names them.
std::string InheritedThreadName() {
  char name[17] = "";
  OwnedFd fd(open("/proc/self/comm", O_RDONLY | O_CLOEXEC));
  ssize_t bytes = fd.get() < 0 ? 0 : read(fd.get(), name, sizeof name - 1);
  return std::string(name, bytes > 0 ? static_cast<size_t>(bytes) - 1 : 0);
}

Snapshots& MemorySnapshots() {
  static auto* snapshots = new Snapshots;
  return *snapshots;
}

WriteBehind& TheWriteBehind() {
  static auto* write_behind = new WriteBehind;
  return *write_behind;
}

// The process that is being recorded, and the one whose recording a thread is ending: a forked child is neither.
int g_tracking_pid = 0;
int g_ending_pid = 0;
uint64_t g_started = 0;

struct Ending {
  pthread_t thread;
  const char* reason;
  void (*ended)(bool complete);
} g_ending;

// What need not be done by the main thread: it looks at the whole process once more, and completes the capture.
bool Finish(const char* reason) {
  MemorySnapshots().Stop();
  TheWriteBehind().Stop();
  bool complete = Tracker::Get().Stop(reason);
  UnwatchFatalSignals();
  Stacks().Clear();
  return complete;
}

void* FinishInThread(void*) {
  Untracked untracked;
  pthread_setname_np(pthread_self(), "heapray");
  g_ending.ended(Finish(g_ending.reason));
  return nullptr;
}

void AwaitEnding() {
  if (std::exchange(g_ending_pid, 0) == getpid()) pthread_join(g_ending.thread, nullptr);
}

// At exit(3), for a program that ends without telling JavaScript.
struct EndAtExit {
  ~EndAtExit() {
    AwaitEnding();
    if (g_tracking_pid != getpid()) return;
    MemorySnapshots().Stop();
    TheWriteBehind().Stop();
    Tracker::Get().Stop("exit");
    UnwatchFatalSignals();
  }
} g_end_at_exit;

// Takes the hooks off: nothing is recorded from now on.
bool TakeDown() {
  if (std::exchange(g_tracking_pid, 0) != getpid()) return false;
  RemoveHooks();
  Isolates::UpdateStatistics();
  return true;
}

}  // namespace

Session::Failure Session::Failure::OfErrno(int error) { return {strerrorname_np(error), strerror(error)}; }

std::string Session::Prepare(v8::Isolate* isolate) {
  Tracker::Get().PrepareFences();
  if (IsolateState* state = Isolates::Current()) Isolates::FindCode(*state);
  std::string warning = Stacks().Calibrate(isolate);
  TheRuntime().Load();
  ForgetExecutableSymbols();
  return warning;
}

bool Session::active() { return Tracker::Get().active() && g_tracking_pid == getpid(); }

uint64_t Session::last() { return g_started; }

void Session::MakeWay() {
  AwaitEnding();
  // A tracker that a full disk ended still has its hooks and its thread.
  if (g_tracking_pid != getpid()) return;
  MemorySnapshots().Stop();
  TheWriteBehind().Stop();
  Tracker::Get().Stop("stop");
  UnwatchFatalSignals();
  JsHeap::Stop();
}

bool Session::Start(v8::Isolate* isolate, const Settings& settings, std::unique_ptr<Sink> sink, Failure* failure) {
  if (IsolateState* state = Isolates::Current()) Isolates::Watch(*state);
  Isolates::UpdateStatistics();
  Isolates::AskForStatistics(isolate);
  bool native = settings.native_traces;
  if (native) Modules::Get().Refresh();
  Stacks().SetNative(native);

  Tracker::Options options;
  options.sink = std::move(sink);
  options.destination = settings.destination;
  options.metadata_json = settings.metadata;
  options.aggregate = settings.aggregate;
  options.js_objects = settings.js_objects;
  options.embed_symbols = settings.embed_symbols;
  options.stacks = &Stacks();
  options.runtime = &TheRuntime();
  options.inherited_thread_name = InheritedThreadName();
  int error = 0;
  if (!Tracker::Get().Start(std::move(options), &error)) {
    *failure = Failure::OfErrno(error);
    return false;
  }
  g_tracking_pid = getpid();
  g_started++;
  void* code = nullptr;
  size_t code_bytes = 0;
  isolate->GetCodeRange(&code, &code_bytes);
  auto take = [native](MemoryFigures& figures) {
    HeapTotals heap = Isolates::Totals();
    figures.heap_used = heap.used;
    figures.heap_committed = heap.committed;
    figures.external = heap.external;
    Tracker::Get().OnSnapshot(figures);
    if (native) Modules::Get().Refresh();
    Isolates::RequestStatistics();
  };
  MemorySnapshots().Start(settings.memory_interval_ms, take, [isolate, code, code_bytes] {
    auto begin = reinterpret_cast<uint64_t>(code);
    KnownRanges::Get().Set(begin, begin + code_bytes, KnownRanges::Owner::kV8Heap);
    LearnExistingHeap(isolate);
  });
  TheWriteBehind().Start();
  InstallHooks();
  WatchFatalSignals();
  return true;
}

bool Session::Stop(const char* reason) {
  AwaitEnding();
  if (!TakeDown()) return false;
  bool complete = Finish(reason);
  // Only now: this frees all samples, and not because their objects died.
  JsHeap::Stop();
  return complete;
}

void Session::StopInBackground(const char* reason, void (*ended)(bool complete)) {
  AwaitEnding();
  if (!TakeDown()) {
    ended(false);
    return;
  }
  // The main thread's frees are not recorded any more.
  JsHeap::Stop();
  g_ending = {{}, reason, ended};
  if (!StartOwnThread(&g_ending.thread, FinishInThread, nullptr)) {
    ended(Finish(reason));
    return;
  }
  g_ending_pid = getpid();
}

}  // namespace heapray
