#include "process/fatal_signals.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "hooks/originals.h"
#include "process/futex.h"
#include "process/own_thread.h"
#include "tracker.h"

namespace heapray {
namespace {

// What a thread does wrong. It cannot go on.
constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT};
// What a process is sent.
constexpr int kRequests[] = {SIGTERM, SIGINT,    SIGHUP,  SIGQUIT, SIGUSR1,   SIGUSR2, SIGALRM, SIGPIPE,
                             SIGXCPU, SIGVTALRM, SIGPROF, SIGPOLL, SIGSTKFLT, SIGPWR,  SIGXFSZ};

// A thread that crashed waits so long for its capture, and one that was interrupted so long that it does nothing more,
// unless it is in the capture's way.
constexpr int64_t kCrashPatienceMs = 10'000;
constexpr int64_t kRequestPatienceMs = 250;
constexpr size_t kStackBytes = 256u << 10;

// What the thread that completes captures is to do: nothing yet, the number of a signal, or end.
constexpr int kNothing = 0;
constexpr int kEnd = -1;
std::atomic<int> g_order{kNothing};
std::atomic<int> g_completed{0};
std::atomic<int> g_owner_pid{0};  // 0: not watching
pthread_t g_thread;

// The program's dispositions of the signals that we handle: the default action, with whatever flags it gave.
struct sigaction g_programs[NSIG];

bool Contains(const int* begin, const int* end, int signal) { return std::find(begin, end, signal) != end; }
bool IsCrash(int signal) { return Contains(std::begin(kCrashes), std::end(kCrashes), signal); }

bool IsWatched(int signal) {
  if (IsCrash(signal)) return true;
  // The kernel keeps from a container's first process what would end it by default: a handler would not be kept from
  // it.
  return getpid() != 1 && Contains(std::begin(kRequests), std::end(kRequests), signal);
}

template <typename F>
void ForEachWatched(F f) {
  for (int signal = 1; signal < SIGRTMIN; signal++) {
    if (IsWatched(signal)) f(signal);
  }
}

// The signal, once more, with its default action: this thread gets it as soon as it does not block it.
void RaiseAgain(int signal, siginfo_t* info) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  Originals::Get().sigaction(signal, &action, nullptr);
  auto process = static_cast<pid_t>(syscall(SYS_getpid));
  auto thread = static_cast<pid_t>(syscall(SYS_gettid));
  // With what the kernel told of it, for the core dump.
  if (info == nullptr || syscall(SYS_rt_tgsigqueueinfo, process, thread, signal, info) != 0) {
    syscall(SYS_tgkill, process, thread, signal);
  }
}

void OnFatalSignal(int signal, siginfo_t* info, void*) {
  int error = errno;
  bool ours = getpid() == g_owner_pid.load() && !pthread_equal(pthread_self(), g_thread);
  bool in_the_way = ours && !Tracker::Get().LetGo(IsCrash(signal));
  // A child that was forked dies of it at once, and so does what breaks inside of heapray.
  if (!ours || (in_the_way && IsCrash(signal))) {
    RaiseAgain(signal, info);
    errno = error;
    return;
  }
  int order = kNothing;
  if (g_order.compare_exchange_strong(order, signal)) Wake(g_order);
  // The capture has just ended, and was completed: nobody will do it again.
  if (order == kEnd) {
    RaiseAgain(signal, info);
    errno = error;
    return;
  }
  bool completed = !in_the_way && WaitWhile(g_completed, 0, IsCrash(signal) ? kCrashPatienceMs : kRequestPatienceMs);
  // Whoever was interrupted may hold what the completing thread waits for (an allocator's lock): it goes on until then.
  if (completed || IsCrash(signal)) RaiseAgain(signal, info);
  errno = error;
}

void Watch(int signal) {
  auto& sigaction = Originals::Get().sigaction;
  struct sigaction now;
  if (sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) return;
  g_programs[signal] = now;
  struct sigaction action{};
  action.sa_sigaction = OnFatalSignal;
  // The program's system calls are not to fail of it.
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  struct sigaction replaced;
  if (sigaction(signal, &action, &replaced) == 0 && replaced.sa_handler != SIG_DFL &&
      replaced.sa_sigaction != OnFatalSignal) {
    // Another thread of the program was faster.
    sigaction(signal, &replaced, nullptr);
  }
}

void Unwatch(int signal) {
  struct sigaction now;
  if (Originals::Get().sigaction(signal, nullptr, &now) != 0 || now.sa_sigaction != OnFatalSignal) return;
  struct sigaction replaced;
  if (Originals::Get().sigaction(signal, &g_programs[signal], &replaced) == 0 &&
      replaced.sa_sigaction != OnFatalSignal) {
    // Another thread of the program was faster.
    Originals::Get().sigaction(signal, &replaced, nullptr);
  }
}

// Waits for a fatal signal. Any thread may have been stopped anywhere then, with any lock: from there on nothing here
// allocates or uses stdio.
void* CompleteAtSignal(void*) {
  Untracked untracked;
  pthread_setname_np(pthread_self(), "heapray");
  WaitWhile(g_order, kNothing, -1);
  int signal = g_order.load();
  if (signal == kEnd) return nullptr;
  Tracker::Get().EndNow("signal", signal);
  g_completed.store(1);
  Wake(g_completed);
  // A thread that waited for this raises the signal itself, in the place that a core dump is to show.
  if (IsCrash(signal)) WaitWhile(g_completed, 1, 1000);
  sigset_t unblocked;
  sigemptyset(&unblocked);
  sigaddset(&unblocked, signal);
  RaiseAgain(signal, nullptr);
  pthread_sigmask(SIG_UNBLOCK, &unblocked, nullptr);
  return nullptr;
}

}  // namespace

void WatchFatalSignals() {
  Untracked untracked;
  g_order = kNothing;
  g_completed = 0;
  if (!StartOwnThread(&g_thread, CompleteAtSignal, nullptr, kStackBytes)) return;
  static const int at_fork = pthread_atfork(nullptr, nullptr, [] { ForEachWatched(Unwatch); });
  (void)at_fork;
  g_owner_pid = getpid();
  ForEachWatched(Watch);
}

void UnwatchFatalSignals() {
  Untracked untracked;
  if (getpid() != g_owner_pid) return;
  int nothing = kNothing;
  // Where a signal came first, the process is about to end of it.
  if (!g_order.compare_exchange_strong(nothing, kEnd)) return;
  g_owner_pid = 0;
  ForEachWatched(Unwatch);
  Wake(g_order);
  pthread_join(g_thread, nullptr);
}

bool IsFatalSignalHandler(const void* handler) { return handler == reinterpret_cast<const void*>(OnFatalSignal); }

void ConcealHandler(int signal, struct sigaction* disposition) {
  if (disposition->sa_sigaction == OnFatalSignal) *disposition = g_programs[signal];
}

void OnDispositionSet(int signal) {
  // A child before its exec asks too, some with the parent's memory (vfork).
  if (getpid() == g_owner_pid && IsWatched(signal)) Watch(signal);
}

}  // namespace heapray
