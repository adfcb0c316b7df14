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

bool IsHandler(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

}  // namespace

SignalWatch::SignalWatch() : watching_(gettid() == getpid()) {
  if (!watching_) return;
  g_caught = 0;
  for (int signal : kSignals) {
    if (sigaction(signal, nullptr, &g_before[signal]) != 0 || !IsHandler(g_before[signal])) continue;
    struct sigaction ours = g_before[signal];
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
    bool ours = sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == Notice;
    if (ours) sigaction(signal, &g_before[signal], nullptr);
  }
}

int SignalWatch::caught() const { return watching_ ? g_caught.load() : 0; }

}  // namespace heapray
