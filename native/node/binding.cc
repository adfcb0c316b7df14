// The module that Node loads: starts and stops the tracker for src/tracker.
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>
#include <v8.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "hooks/hooks.h"
#include "node/async_work.h"
#include "node/isolates.h"
#include "node/js_heap.h"
#include "node/js_stack_source.h"
#include "node/node_runtime.h"
#include "process/fatal_signals.h"
#include "process/modules.h"
#include "process/parent_death.h"
#include "process/snapshots.h"
#include "record/file_sinks.h"
#include "tracker.h"

namespace heapray {
namespace {

JsStackSource& Stacks() {
  static auto* stacks = new JsStackSource;
  return *stacks;
}

NodeRuntime& TheRuntime() {
  static auto* runtime = new NodeRuntime;
  return *runtime;
}

// The name that threads inherit from the main thread when nobody names them.
std::string InheritedThreadName() {
  char name[17] = "";
  OwnedFd fd(open("/proc/self/comm", O_RDONLY | O_CLOEXEC));
  ssize_t bytes = fd.get() < 0 ? 0 : read(fd.get(), name, sizeof name - 1);
  return std::string(name, bytes > 0 ? static_cast<size_t>(bytes) - 1 : 0);
}

Snapshots& MemorySnapshots() {
  static auto* snapshots = new Snapshots;
  return *snapshots;
}

int g_tracking_pid = 0;

// Arguments and errors of one call from JavaScript.
class Call {
 public:
  Call(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = 1;
    napi_get_cb_info(env, info, &count, &argument_, nullptr, nullptr);
  }

  std::string Text(const char* name) const {
    napi_value value = Property(name);
    size_t length = 0;
    if (value == nullptr || napi_get_value_string_utf8(env_, value, nullptr, 0, &length) != napi_ok) return {};
    std::string text(length, '\0');
    napi_get_value_string_utf8(env_, value, text.data(), length + 1, &length);
    return text;
  }
  bool Flag(const char* name) const {
    bool flag = false;
    napi_value value = Property(name);
    if (value != nullptr) napi_get_value_bool(env_, value, &flag);
    return flag;
  }
  uint32_t Number(const char* name, uint32_t otherwise) const {
    uint32_t number = otherwise;
    napi_value value = Property(name);
    if (value != nullptr) napi_get_value_uint32(env_, value, &number);
    return number;
  }

  // `code` becomes the error's code: an errno name, or one of heapray's.
  napi_value Throw(const char* code, const std::string& message) const {
    napi_throw_error(env_, code, message.c_str());
    return nullptr;
  }
  napi_value Text(const std::string& text) const {
    napi_value value;
    napi_create_string_utf8(env_, text.data(), text.size(), &value);
    return value;
  }
  napi_value Flag(bool flag) const {
    napi_value value;
    napi_get_boolean(env_, flag, &value);
    return value;
  }

 private:
  napi_value Property(const char* name) const {
    napi_value value = nullptr;
    napi_get_named_property(env_, argument_, name, &value);
    return value;
  }

  napi_env env_;
  napi_value argument_ = nullptr;
};

// start({ path, overwrite, buffered, aggregate, nativeTraces, embedSymbols, jsObjects, metadata, memoryIntervalMs }):
// returns a warning, or an empty string.
napi_value Start(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Tracker& tracker = Tracker::Get();
  if (tracker.active()) return call.Throw("ALREADY_ACTIVE", "a tracker is active in this process");
  // A tracker that a full disk ended still has its hooks and its thread.
  if (g_tracking_pid == getpid()) {
    MemorySnapshots().Stop();
    tracker.Stop("stop");
    UnwatchFatalSignals();
    JsHeap::Stop();
  }

  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  if (IsolateState* state = Isolates::Current()) Isolates::Watch(*state);
  Isolates::UpdateStatistics();
  Isolates::AskForStatistics(isolate);
  std::string warning = Stacks().Calibrate(isolate);
  TheRuntime().Load();
  Modules::Get().Refresh();
  Stacks().SetNative(call.Flag("nativeTraces"));

  std::string path = call.Text("path");
  OwnedFd fd = OpenCaptureFile(path.c_str(), call.Flag("overwrite"));
  if (fd.get() < 0) return call.Throw(strerrorname_np(errno), strerror(errno));
  Tracker::Options options;
  if (call.Flag("buffered")) {
    options.sink = std::make_unique<BufferedFileSink>(std::move(fd));
  } else {
    options.sink = std::make_unique<MappedFileSink>(std::move(fd));
  }
  options.path = path;
  options.metadata_json = call.Text("metadata");
  options.aggregate = call.Flag("aggregate");
  options.js_objects = call.Flag("jsObjects");
  options.embed_symbols = call.Flag("embedSymbols");
  options.stacks = &Stacks();
  options.runtime = &TheRuntime();
  options.inherited_thread_name = InheritedThreadName();
  int error = 0;
  if (!tracker.Start(std::move(options), &error)) {
    unlink(path.c_str());
    return call.Throw(strerrorname_np(error), strerror(error));
  }
  g_tracking_pid = getpid();
  MemorySnapshots().Start(call.Number("memoryIntervalMs", 10), [](MemoryFigures& figures) {
    HeapTotals heap = Isolates::Totals();
    figures.heap_used = heap.used;
    figures.heap_committed = heap.committed;
    figures.external = heap.external;
    Tracker::Get().OnSnapshot(figures);
    Modules::Get().Refresh();
    Isolates::RequestStatistics();
  });
  InstallHooks();
  WatchFatalSignals();
  return call.Text(warning);
}

// stop({ reason }): returns whether the capture is complete.
napi_value Stop(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (g_tracking_pid != getpid()) return call.Flag(false);
  g_tracking_pid = 0;
  RemoveHooks();
  Isolates::UpdateStatistics();
  MemorySnapshots().Stop();
  bool complete = Tracker::Get().Stop(call.Text("reason").c_str());
  UnwatchFatalSignals();
  // Only now: this frees all samples, and not because their objects died.
  JsHeap::Stop();
  Stacks().Clear();
  return call.Flag(complete);
}

// traceJsHeap({ interval }): returns a warning, or an empty string. Once started with jsObjects.
napi_value TraceJsHeap(napi_env env, napi_callback_info info) {
  Call call(env, info);
  std::string warning = JsHeap::Start(v8::Isolate::GetCurrent(), call.Number("interval", 0));
  if (!warning.empty()) Tracker::Get().RecordHeapPages();
  return call.Text(warning);
}

napi_value IsActive(napi_env env, napi_callback_info info) {
  return Call(env, info).Flag(Tracker::Get().active() && g_tracking_pid == getpid());
}

// endWithParent({ parent })
napi_value EndWithParentOf(napi_env env, napi_callback_info info) {
  heapray::EndWithParent(static_cast<int>(Call(env, info).Number("parent", 0)));
  return nullptr;
}

// At exit(3), for a program that ends without telling JavaScript.
struct EndAtExit {
  ~EndAtExit() {
    if (g_tracking_pid != getpid()) return;
    MemorySnapshots().Stop();
    Tracker::Get().Stop("exit");
    UnwatchFatalSignals();
  }
} g_end_at_exit;

napi_value Init(napi_env env, napi_value exports) {
  // Each environment ends before its isolate does.
  napi_add_env_cleanup_hook(
      env, [](void* isolate) { Isolates::DoNotAsk(static_cast<v8::Isolate*>(isolate)); }, v8::Isolate::GetCurrent());
  static const bool added = (AddHooks(AsyncWorkHooks()), AddHooks(JsHeap::Hooks()), true);
  (void)added;
  const napi_property_descriptor functions[] = {
      {"start", nullptr, Start, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"stop", nullptr, Stop, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"traceJsHeap", nullptr, TraceJsHeap, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"endWithParent", nullptr, EndWithParentOf, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"isActive", nullptr, IsActive, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, std::size(functions), functions);
  return exports;
}

}  // namespace
}  // namespace heapray

NAPI_MODULE_INIT() { return heapray::Init(env, exports); }
