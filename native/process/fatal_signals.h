// Signals that end the process: the capture is completed first, and then the process ends of the same signal, with the
// same core dump, as if untracked. Only signals that the program leaves to their default action are touched, and the
// program does not see it: what it asks and sets goes through the hooks of hooks/signal_hooks.cc.
#pragma once

#include <signal.h>

namespace heapray {

// From now on, until UnwatchFatalSignals(), a fatal signal completes the tracker's capture.
void WatchFatalSignals();
// Puts the default actions back.
void UnwatchFatalSignals();

// Whether this is heapray's handler.
bool IsFatalSignalHandler(const void* handler);
// Replaces heapray's handler, where a disposition that the program asked for names it, by what the program set.
void ConcealHandler(int signal, struct sigaction* disposition);
// The program has set the signal's disposition: where it is the default one now, the signal is watched again.
void OnDispositionSet(int signal);

}  // namespace heapray
