#include "node/signal_loop.h"

#include <pthread.h>
#include <uv.h>

#include "process/own_thread.h"
#include "process/untracked.h"

namespace heapray {
namespace {

constexpr size_t kStackBytes = 256u << 10;

// libuv calls everybody who waits for a signal, on whatever loop; Node's own handlers are on another one.
uv_loop_t g_loop;
uv_signal_t g_signal;
void (*g_notice)() = nullptr;

void* Run(void*) {
  Untracked untracked;
  pthread_setname_np(pthread_self(), "heapray");
  uv_run(&g_loop, UV_RUN_DEFAULT);
  return nullptr;
}

}  // namespace

int NoticeSignal(int signal, void (*notice)()) {
  Untracked untracked;
  g_notice = notice;
  if (int error = uv_loop_init(&g_loop)) return -error;
  uv_signal_init(&g_loop, &g_signal);
  int error = -uv_signal_start(&g_signal, [](uv_signal_t*, int) { g_notice(); }, signal);
  if (error != 0) return error;
  // Not before: what comes from here on waits for the thread.
  pthread_t thread;
  if (!StartOwnThread(&thread, Run, nullptr, kStackBytes)) {
    error = errno;
    uv_signal_stop(&g_signal);
    return error;
  }
  pthread_detach(thread);
  return 0;
}

}  // namespace heapray
