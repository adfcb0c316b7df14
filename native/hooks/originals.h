// The functions behind the hooks, as the program would reach them without heapray.
#pragma once

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include <cstddef>

namespace heapray {

using SignalHandler = void (*)(int);

struct Originals {
  decltype(&::dlopen) dlopen;
  decltype(&::dlclose) dlclose;
  decltype(&::kill) kill;
  int (*execve)(const char*, char* const[], char* const[]);
  int (*execv)(const char*, char* const[]);
  int (*execvp)(const char*, char* const[]);
  int (*fexecve)(int, char* const[], char* const[]);
  void* (*malloc)(size_t);
  void* (*calloc)(size_t, size_t);
  void* (*realloc)(void*, size_t);
  void* (*reallocarray)(void*, size_t, size_t);
  void (*free)(void*);
  void (*free_sized)(void*, size_t);
  void (*free_aligned_sized)(void*, size_t, size_t);
  int (*posix_memalign)(void**, size_t, size_t);
  void* (*aligned_alloc)(size_t, size_t);
  void* (*memalign)(size_t, size_t);
  void* (*valloc)(size_t);
  void* (*pvalloc)(size_t);
  void* (*mmap)(void*, size_t, int, int, int, off_t);
  int (*munmap)(void*, size_t);
  void* (*mremap)(void*, size_t, size_t, int, void*);
  int (*mprotect)(void*, size_t, int);
  int (*madvise)(void*, size_t, int);
  int (*prctl)(int, unsigned long, unsigned long, unsigned long, unsigned long);
  int (*pthread_create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  int (*pthread_setname_np)(pthread_t, const char*);
  int (*pthread_getattr_np)(pthread_t, pthread_attr_t*);
  int (*sigaction)(int, const struct sigaction*, struct sigaction*);
  SignalHandler (*signal)(int, SignalHandler);
  SignalHandler (*sysv_signal)(int, SignalHandler);
  SignalHandler (*sigset)(int, SignalHandler);
  int (*raise)(int);
  void (*_exit)(int);
  int (*epoll_wait)(int, epoll_event*, int, int);
  int (*epoll_pwait)(int, epoll_event*, int, int, const sigset_t*);

  // A preloaded allocator is respected. What the system does not have is nullptr. Found when the agent is loaded.
  static const Originals& Get();
};

namespace internal {
extern const Originals g_originals;
}

inline const Originals& Originals::Get() { return internal::g_originals; }

}  // namespace heapray
