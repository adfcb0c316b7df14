#include "recording.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "hooks/hooks.h"
#include "process/fatal_signals.h"
#include "process/known_ranges.h"
#include "process/modules.h"
#include "process/own_thread.h"
#include "process/owned_fd.h"
#include "process/snapshots.h"
#include "process/write_behind.h"

namespace heapray {
namespace {

// The name that threads inherit from the main thread when nobody names them.
std::string InheritedThreadName() {
  char name[17] = "";
  OwnedFd fd(open("/proc/self/comm", O_RDONLY | O_CLOEXEC));
  ssize_t bytes = fd.get() < 0 ? 0 : read(fd.get(), name, sizeof name - 1);
  return std::string(name, bytes > 0 ? static_cast<size_t>(bytes) - 1 : 0);
}

// The threads at work for a recording. Never destroyed: a process may end in the middle of it.
struct Threads {
  Snapshots snapshots;
  WriteBehind write_behind;
};
Threads* g_threads = nullptr;

Threads& TheThreads() {
  if (g_threads == nullptr) g_threads = new Threads;
  return *g_threads;
}

// The process that is being recorded, and the one whose recording a thread is ending: a forked child is neither.
int g_tracking_pid = 0;
int g_ending_pid = 0;
uint64_t g_started = 0;
void (*g_taken_down)(bool in_background) = nullptr;
void (*g_finished)() = nullptr;

struct Ending {
  pthread_t thread;
  const char* reason;
  void (*ended)(bool complete);
} g_ending;

// What need not be done by the thread that stops: it looks at the whole process once more, and completes the capture.
bool Finish(const char* reason) {
  TheThreads().snapshots.Stop();
  TheThreads().write_behind.Stop();
  bool complete = Tracker::Get().Stop(reason);
  UnwatchFatalSignals();
  return complete;
}

bool FinishAndTell(const char* reason) {
  bool complete = Finish(reason);
  RemoveEndHooks();
  if (g_finished != nullptr) g_finished();
  return complete;
}

void* FinishInThread(void*) {
  Untracked untracked;
  pthread_setname_np(pthread_self(), "heapray");
  g_ending.ended(FinishAndTell(g_ending.reason));
  return nullptr;
}

void AwaitEnding() {
  if (std::exchange(g_ending_pid, 0) == getpid()) pthread_join(g_ending.thread, nullptr);
}

// At exit(3), for a program that ends without telling its runtime.
struct EndAtExit {
  ~EndAtExit() {
    AwaitEnding();
    if (g_tracking_pid == getpid()) Finish("exit");
  }
} g_end_at_exit;

// Takes the hooks off: nothing is recorded from now on.
bool TakeDown(bool in_background) {
  if (std::exchange(g_tracking_pid, 0) != getpid()) return false;
  RemoveHooks();
  if (g_taken_down != nullptr) g_taken_down(in_background);
  return true;
}

}  // namespace

bool Recording::active() { return Tracker::Get().active() && g_tracking_pid == getpid(); }

bool Recording::exists() { return g_tracking_pid == getpid(); }

uint64_t Recording::last() { return g_started; }

void Recording::MakeWay() {
  AwaitEnding();
  // A tracker that a full disk ended still has its hooks and its thread.
  if (g_tracking_pid == getpid()) Finish("stop");
}

bool Recording::Start(Settings settings, int* error) {
  settings.tracker.inherited_thread_name = InheritedThreadName();
  if (!Tracker::Get().Start(std::move(settings.tracker), error)) return false;
  g_tracking_pid = getpid();
  g_started++;
  g_taken_down = settings.taken_down;
  g_finished = settings.finished;
  auto take = [add_figures = std::move(settings.add_figures)](MemoryFigures& figures) {
    if (add_figures) add_figures(figures);
    Tracker::Get().OnSnapshot(figures);
  };
  TheThreads().snapshots.Start(settings.memory_interval_ms, std::move(take), std::move(settings.before_looks));
  TheThreads().write_behind.Start();
  InstallHooks();
  WatchFatalSignals();
  return true;
}

bool Recording::Stop(const char* reason) {
  AwaitEnding();
  return TakeDown(false) && FinishAndTell(reason);
}

void Recording::StopInBackground(const char* reason, void (*ended)(bool complete)) {
  AwaitEnding();
  if (!TakeDown(true)) {
    ended(false);
    return;
  }
  g_ending = {{}, reason, ended};
  if (!StartOwnThread(&g_ending.thread, FinishInThread, nullptr)) {
    ended(FinishAndTell(reason));
    return;
  }
  g_ending_pid = getpid();
}

void Recording::Forget() {
  if (g_tracking_pid == getpid()) return;
  g_tracking_pid = 0;
  // Its threads are not in this process.
  g_threads = nullptr;
  ForgetHooking();
  Modules::Get().Forget();
  KnownRanges::Get().Forget();
  Tracker::Get().Forget();
}

}  // namespace heapray
