// Threads of heapray's own.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <cstddef>

namespace heapray {

// Starts a thread that no signal is delivered to: signals are the program's, and its handlers must not run there. A
// stack size of 0 is the default one. Returns false, with errno set, when that failed.
inline bool StartOwnThread(pthread_t* thread, void* (*run)(void*), void* argument, size_t stack_bytes = 0) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (stack_bytes != 0) pthread_attr_setstacksize(&attributes, stack_bytes);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  errno = pthread_create(thread, &attributes, run, argument);
  bool started = errno == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace heapray
