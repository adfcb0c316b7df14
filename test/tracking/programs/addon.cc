// The allocation functions, one by one, callable from JavaScript. Addresses are numbers.
#include <errno.h>
#include <malloc.h>
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int kMostArguments = 4;

struct Arguments {
  double values[kMostArguments] = {};

  Arguments(napi_env env, napi_callback_info info) {
    napi_value given[kMostArguments];
    size_t count = kMostArguments;
    napi_get_cb_info(env, info, &count, given, nullptr, nullptr);
    for (size_t i = 0; i < count && i < kMostArguments; i++) napi_get_value_double(env, given[i], &values[i]);
  }
  void* Pointer(int i) const { return reinterpret_cast<void*>(static_cast<uintptr_t>(values[i])); }
  size_t Size(int i) const { return static_cast<size_t>(values[i]); }
  int Int(int i) const { return static_cast<int>(values[i]); }
};

napi_value Number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value Address(napi_env env, const void* pointer) {
  return Number(env, static_cast<double>(reinterpret_cast<uintptr_t>(pointer)));
}

// Written to, so that the compiler cannot leave the allocation out.
void* Touched(void* block) {
  if (block != nullptr && block != MAP_FAILED) *static_cast<volatile char*>(block) = 1;
  return block;
}

#define FUNCTION(name, expression)                         \
  napi_value name(napi_env env, napi_callback_info info) { \
    Arguments a(env, info);                                \
    return expression;                                     \
  }

void* PosixMemalign(size_t alignment, size_t size) {
  void* block = nullptr;
  return posix_memalign(&block, alignment, size) == 0 ? block : nullptr;
}

constexpr int kPrivate = MAP_PRIVATE | MAP_ANONYMOUS;

FUNCTION(Malloc, Address(env, Touched(malloc(a.Size(0)))))
FUNCTION(Calloc, Address(env, Touched(calloc(a.Size(0), a.Size(1)))))
FUNCTION(Realloc, Address(env, Touched(realloc(a.Pointer(0), a.Size(1)))))
FUNCTION(Reallocarray, Address(env, Touched(reallocarray(a.Pointer(0), a.Size(1), a.Size(2)))))
FUNCTION(PosixMemalignOf, Address(env, Touched(PosixMemalign(a.Size(0), a.Size(1)))))
FUNCTION(AlignedAlloc, Address(env, Touched(aligned_alloc(a.Size(0), a.Size(1)))))
FUNCTION(Memalign, Address(env, Touched(memalign(a.Size(0), a.Size(1)))))
FUNCTION(Valloc, Address(env, Touched(valloc(a.Size(0)))))
FUNCTION(Pvalloc, Address(env, Touched(pvalloc(a.Size(0)))))
FUNCTION(New, Address(env, Touched(new char[a.Size(0)])))
FUNCTION(Free, (free(a.Pointer(0)), Number(env, 0)))
FUNCTION(Mmap, Address(env, Touched(mmap(nullptr, a.Size(0), PROT_READ | PROT_WRITE, kPrivate, -1, 0))))
FUNCTION(Reserve, Address(env, mmap(nullptr, a.Size(0), PROT_NONE, kPrivate | MAP_NORESERVE, -1, 0)))
FUNCTION(Munmap, Number(env, munmap(a.Pointer(0), a.Size(1))))
FUNCTION(Commit, Number(env, mprotect(a.Pointer(0), a.Size(1), PROT_READ | PROT_WRITE)))
FUNCTION(ReadOnly, Number(env, mprotect(a.Pointer(0), a.Size(1), PROT_READ)))
FUNCTION(Decommit, Number(env, mprotect(a.Pointer(0), a.Size(1), PROT_NONE)))
FUNCTION(Discard, Number(env, madvise(a.Pointer(0), a.Size(1), MADV_DONTNEED)))
FUNCTION(Mremap, Address(env, Touched(mremap(a.Pointer(0), a.Size(1), a.Size(2), MREMAP_MAYMOVE))))

// A child without exec, which allocates and ends; returns its exit code.
napi_value Fork(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 1000; i++) Touched(malloc(a.Size(0)));
    _exit(7);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return Number(env, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

// The same without the C library knowing, so that no handler of fork() runs.
napi_value BareFork(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  pid_t child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (child == 0) {
    for (int i = 0; i < 1000; i++) Touched(malloc(a.Size(0)));
    munmap(Touched(mmap(nullptr, a.Size(0), PROT_READ | PROT_WRITE, kPrivate, -1, 0)), a.Size(0));
    free(Touched(realloc(Touched(malloc(1)), a.Size(0))));
    _exit(7);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return Number(env, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

void* InThread(void* size) {
  pthread_setname_np(pthread_self(), "addon-thread");
  return Touched(malloc(reinterpret_cast<uintptr_t>(size)));
}

napi_value Thread(napi_env env, napi_callback_info info) {
  Arguments a(env, info);
  pthread_t thread;
  void* block = nullptr;
  pthread_create(&thread, nullptr, InThread, a.Pointer(0));
  pthread_join(thread, &block);
  return Address(env, block);
}

// Calls back into JavaScript, from a frame of its own.
napi_value CallBack(napi_env env, napi_callback_info info) {
  napi_value function;
  napi_value undefined;
  napi_value result;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &function, nullptr, nullptr);
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, function, 0, nullptr, &result);
  return result;
}

// A failure leaves errno as it was set: the tracker must not disturb it.
napi_value FailToMap(napi_env env, napi_callback_info) {
  errno = 0;
  void* mapped = mmap(nullptr, 0, PROT_READ, kPrivate, -1, 0);
  return Number(env, mapped == MAP_FAILED ? errno : -1);
}

struct {
  const char* name;
  napi_callback function;
} const kFunctions[] = {
    {"malloc", Malloc},         {"calloc", Calloc},   {"realloc", Realloc},
    {"reallocarray", Reallocarray}, {"posixMemalign", PosixMemalignOf}, {"alignedAlloc", AlignedAlloc},
    {"memalign", Memalign},     {"valloc", Valloc},   {"pvalloc", Pvalloc},
    {"operatorNew", New},               {"free", Free},       {"mmap", Mmap},
    {"reserve", Reserve},       {"munmap", Munmap},   {"commit", Commit},
    {"readOnly", ReadOnly},     {"decommit", Decommit}, {"discard", Discard},
    {"mremap", Mremap},         {"fork", Fork},       {"thread", Thread},
    {"bareFork", BareFork},
    {"callBack", CallBack},     {"failToMap", FailToMap},
};

}  // namespace

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env,
                                                                                     napi_value exports) {
  for (const auto& [name, function] : kFunctions) {
    napi_value made;
    napi_create_function(env, name, strlen(name), function, nullptr, &made);
    napi_set_named_property(env, exports, name, made);
  }
  return exports;
}
