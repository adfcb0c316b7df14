#include "hooks/signal_hooks.h"

#include <signal.h>

#include <cerrno>

#include "hooks/originals.h"
#include "process/fatal_signals.h"
#include "tracker.h"

namespace heapray {
namespace {

int Sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
  int result = Originals::Get().sigaction(signal, action, old);
  if (result != 0) return result;
  int error = errno;
  if (old != nullptr) ConcealHandler(signal, old);
  if (action != nullptr) OnDispositionSet(signal);
  errno = error;
  return result;
}

// The older calls take and return a handler.
template <SignalHandler (*const Originals::*original)(int, SignalHandler)>
SignalHandler SetHandler(int signal, SignalHandler handler) {
  SignalHandler old = (Originals::Get().*original)(signal, handler);
  int error = errno;
  if (old != SIG_ERR) OnDispositionSet(signal);
  errno = error;
  return IsFatalSignalHandler(reinterpret_cast<const void*>(old)) ? SIG_DFL : old;
}

// A handler that was set for one time only (SA_RESETHAND: Node's own for SIGINT and SIGTERM, which puts the terminal in
// order) has left the default action behind, and ends the process with it.
int Raise(int signal) {
  OnDispositionSet(signal);
  return Originals::Get().raise(signal);
}

// A process may kill itself, and the program that replaces it knows nothing of its capture: what it has to say is
// written down before.
int Kill(pid_t process, int signal) {
  if (signal == SIGKILL) Tracker::Get().BeforeEnd();
  return Originals::Get().kill(process, signal);
}

int Execve(const char* file, char* const arguments[], char* const environment[]) {
  Tracker::Get().BeforeEnd();
  return Originals::Get().execve(file, arguments, environment);
}

int Execv(const char* file, char* const arguments[]) {
  Tracker::Get().BeforeEnd();
  return Originals::Get().execv(file, arguments);
}

int Execvp(const char* file, char* const arguments[]) {
  Tracker::Get().BeforeEnd();
  return Originals::Get().execvp(file, arguments);
}

int Fexecve(int file, char* const arguments[], char* const environment[]) {
  Tracker::Get().BeforeEnd();
  return Originals::Get().fexecve(file, arguments, environment);
}

void Exit(int status) {
  Tracker::Get().EndNow("exit", 0);
  Originals::Get()._exit(status);
}

template <typename F>
void* Pointer(F* function) {
  return reinterpret_cast<void*>(function);
}

const Hook kHooks[] = {
    {"sigaction", Pointer(Sigaction), false, true},
    {"signal", Pointer(SetHandler<&Originals::signal>), false, true},
    {"bsd_signal", Pointer(SetHandler<&Originals::signal>), false, true},
    {"ssignal", Pointer(SetHandler<&Originals::signal>), false, true},
    {"sysv_signal", Pointer(SetHandler<&Originals::sysv_signal>), false, true},
    {"__sysv_signal", Pointer(SetHandler<&Originals::sysv_signal>), false, true},
    {"sigset", Pointer(SetHandler<&Originals::sigset>), false, true},
    {"raise", Pointer(Raise), false, true},
    {"kill", Pointer(Kill), false, true},
    {"execve", Pointer(Execve), false, true},
    {"execv", Pointer(Execv), false, true},
    {"execvp", Pointer(Execvp), false, true},
    {"fexecve", Pointer(Fexecve), false, true},
    {"_exit", Pointer(Exit), false, true},
    {"_Exit", Pointer(Exit), false, true},
};

}  // namespace

std::span<const Hook> SignalHooks() { return kHooks; }

}  // namespace heapray
