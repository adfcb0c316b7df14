#include "process/signal_watch.h"

#include <unistd.h>

#include <atomic>

namespace heapray {
namespace {

std::atomic<int> g_caught{0};
struct sigaction g_before[NSIG];

void Notice(int signal, siginfo_t* info, void* context) {
  int none = 0;
  g_caught.compare_exchange_strong(none, signal);
  const struct sigaction& before = g_before[signal];
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else {
    before.sa_handler(signal);
  }
}

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == Notice;
}

bool IsProgramsHandler(const struct sigaction& action) {
  // Calling our own one as the program's would never end.
  if (IsOurs(action)) return false;
  return (action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

}  // namespace

SignalWatch::SignalWatch() : watching_(gettid() == getpid()) {
  if (!watching_) return;
  g_caught = 0;
  for (int signal : kSignals) {
    struct sigaction now;
    if (sigaction(signal, nullptr, &now) != 0 || !IsProgramsHandler(now)) continue;
    g_before[signal] = now;
    struct sigaction ours = now;
    ours.sa_sigaction = Notice;
    ours.sa_flags |= SA_SIGINFO;
    sigaction(signal, &ours, nullptr);
  }
}

SignalWatch::~SignalWatch() {
  if (!watching_) return;
  for (int signal : kSignals) {
    struct sigaction now;
    // Only what is still ours: a handler may have put another one, or the default action, in its place.
    if (sigaction(signal, nullptr, &now) == 0 && IsOurs(now)) sigaction(signal, &g_before[signal], nullptr);
  }
}

int SignalWatch::caught() const { return watching_ ? g_caught.load() : 0; }

}  // namespace heapray
