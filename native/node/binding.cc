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
#include "node/elf_symbols.h"
#include "node/existing_heap.h"
#include "node/isolates.h"
#include "node/js_heap.h"
#include "node/js_stack_source.h"
#include "node/node_runtime.h"
#include "process/fatal_signals.h"
#include "process/known_ranges.h"
#include "process/modules.h"
#include "process/parent_death.h"
#include "process/snapshots.h"
#include "process/write_behind.h"
#include "record/client_listener.h"
#include "record/file_sinks.h"
#include "record/socket_sink.h"
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

WriteBehind& TheWriteBehind() {
  static auto* write_behind = new WriteBehind;
  return *write_behind;
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

  // What Own() gave to JavaScript; nullptr where the property holds no such thing.
  ClientListener* Listener(const char* name) const {
    void* listener = nullptr;
    napi_value value = Property(name);
    if (value != nullptr) napi_get_value_external(env_, value, &listener);
    return static_cast<ClientListener*>(listener);
  }
  napi_value Own(std::unique_ptr<ClientListener> listener) const {
    napi_value value;
    napi_create_external(
        env_, listener.release(), [](napi_env, void* owned, void*) { delete static_cast<ClientListener*>(owned); },
        nullptr, &value);
    return value;
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

// listen({ address, port }): returns a listener, for accept() and start(). Errors carry an errno's or an EAI_ code's
// name.
napi_value Listen(napi_env env, napi_callback_info info) {
  Call call(env, info);
  auto listener = std::make_unique<ClientListener>();
  ClientListener::Error error;
  if (!listener->Open(call.Text("address"), static_cast<uint16_t>(call.Number("port", 0)), &error)) {
    return call.Throw(error.code.c_str(), error.message);
  }
  return call.Own(std::move(listener));
}

// accept({ listener, milliseconds }): returns whether a client has connected; throws INTERRUPTED with a signal's name.
napi_value Accept(napi_env env, napi_callback_info info) {
  Call call(env, info);
  ClientListener::Error error;
  ClientListener* listener = call.Listener("listener");
  if (listener == nullptr) return call.Throw("EINVAL", "no listener");
  switch (listener->Accept(static_cast<int>(call.Number("milliseconds", 0)), &error)) {
    case ClientListener::Outcome::kConnected: return call.Flag(true);
    case ClientListener::Outcome::kNobody: return call.Flag(false);
    case ClientListener::Outcome::kInterrupted: return call.Throw("INTERRUPTED", error.code);
    case ClientListener::Outcome::kFailed: break;
  }
  return call.Throw(error.code.c_str(), error.message);
}

// The sink that start() is told of; nullptr, with errno set, where the file cannot be opened.
std::unique_ptr<Sink> MakeSink(const Call& call) {
  if (ClientListener* listener = call.Listener("listener")) {
    return std::make_unique<SocketSink>(listener->TakeClient());
  }
  OwnedFd fd = OpenCaptureFile(call.Text("path").c_str(), call.Flag("overwrite"));
  if (fd.get() < 0) return nullptr;
  if (call.Flag("buffered")) return std::make_unique<BufferedFileSink>(std::move(fd));
  return std::make_unique<MappedFileSink>(std::move(fd));
}

// start({ destination, path, overwrite, buffered, listener, aggregate, nativeTraces, embedSymbols, jsObjects, metadata,
// memoryIntervalMs }): records into the file `path`, or to the client of a listener; `destination` is what messages
// call it. Returns a warning, or an empty string.
napi_value Start(napi_env env, napi_callback_info info) {
  Call call(env, info);
  Tracker& tracker = Tracker::Get();
  if (tracker.active()) return call.Throw("ALREADY_ACTIVE", "a tracker is active in this process");
  // A tracker that a full disk ended still has its hooks and its thread.
  if (g_tracking_pid == getpid()) {
    MemorySnapshots().Stop();
    TheWriteBehind().Stop();
    tracker.Stop("stop");
    UnwatchFatalSignals();
    JsHeap::Stop();
  }

  tracker.PrepareFences();
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  if (IsolateState* state = Isolates::Current()) Isolates::Watch(*state);
  Isolates::UpdateStatistics();
  Isolates::AskForStatistics(isolate);
  std::string warning = Stacks().Calibrate(isolate);
  TheRuntime().Load();
  ForgetExecutableSymbols();
  bool native = call.Flag("nativeTraces");
  if (native) Modules::Get().Refresh();
  Stacks().SetNative(native);

  Tracker::Options options;
  options.sink = MakeSink(call);
  if (options.sink == nullptr) return call.Throw(strerrorname_np(errno), strerror(errno));
  options.destination = call.Text("destination");
  options.metadata_json = call.Text("metadata");
  options.aggregate = call.Flag("aggregate");
  options.js_objects = call.Flag("jsObjects");
  options.embed_symbols = call.Flag("embedSymbols");
  options.stacks = &Stacks();
  options.runtime = &TheRuntime();
  options.inherited_thread_name = InheritedThreadName();
  int error = 0;
  if (!tracker.Start(std::move(options), &error)) {
    if (std::string path = call.Text("path"); !path.empty()) unlink(path.c_str());
    return call.Throw(strerrorname_np(error), strerror(error));
  }
  g_tracking_pid = getpid();
  void* code = nullptr;
  size_t code_bytes = 0;
  isolate->GetCodeRange(&code, &code_bytes);
  auto take = [native](MemoryFigures& figures) {
    HeapTotals heap = Isolates::Totals();
    figures.heap_used = heap.used;
    figures.heap_committed = heap.committed;
    figures.external = heap.external;
    Tracker::Get().OnSnapshot(figures);
    if (native) Modules::Get().Refresh();
    Isolates::RequestStatistics();
  };
  MemorySnapshots().Start(call.Number("memoryIntervalMs", 10), take, [isolate, code, code_bytes] {
    auto begin = reinterpret_cast<uint64_t>(code);
    KnownRanges::Get().Set(begin, begin + code_bytes, KnownRanges::Owner::kV8Heap);
    LearnExistingHeap(isolate);
  });
  TheWriteBehind().Start();
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
  TheWriteBehind().Stop();
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

// setV8Flags({ flags }): as on node's command line, with spaces in between.
napi_value SetV8Flags(napi_env env, napi_callback_info info) {
  std::string flags = Call(env, info).Text("flags");
  v8::V8::SetFlagsFromString(flags.c_str(), flags.size());
  return nullptr;
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
    TheWriteBehind().Stop();
    Tracker::Get().Stop("exit");
    UnwatchFatalSignals();
  }
} g_end_at_exit;

napi_value Init(napi_env env, napi_value exports) {
  // Each environment ends before its isolate does. Node aborts where one is given the same hook twice: a program that
  // is tracked may load this module once more.
  napi_add_env_cleanup_hook(
      env,
      [](void* owned) {
        std::unique_ptr<v8::Isolate*> isolate(static_cast<v8::Isolate**>(owned));
        Isolates::DoNotAsk(*isolate);
      },
      new v8::Isolate*(v8::Isolate::GetCurrent()));
  static const bool prepared = [] {
    AddHooks(AsyncWorkHooks());
    AddHooks(JsHeap::Hooks());
    // Who loads this is about to call start().
    Tracker::Get().PrepareFences();
    BeginReadingExecutableSymbols();
    return true;
  }();
  (void)prepared;
  const napi_property_descriptor functions[] = {
      {"start", nullptr, Start, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"listen", nullptr, Listen, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"accept", nullptr, Accept, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"stop", nullptr, Stop, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"traceJsHeap", nullptr, TraceJsHeap, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"setV8Flags", nullptr, SetV8Flags, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"endWithParent", nullptr, EndWithParentOf, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"isActive", nullptr, IsActive, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, std::size(functions), functions);
  return exports;
}

}  // namespace
}  // namespace heapray

NAPI_MODULE_INIT() { return heapray::Init(env, exports); }
