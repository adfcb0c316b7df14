// The module that Node loads: starts and stops the tracker for src/tracker.
#include <node_api.h>
#include <unistd.h>
#include <v8.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "hooks/hooks.h"
#include "node/async_work.h"
#include "node/elf_symbols.h"
#include "node/isolates.h"
#include "node/js_heap.h"
#include "node/session.h"
#include "node/windows.h"
#include "process/parent_death.h"
#include "record/client_listener.h"
#include "record/file_sinks.h"
#include "record/numbered_form.h"
#include "record/socket_sink.h"
#include "tracker.h"

namespace heapray {
namespace {

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
  template <typename T>
  T* Owned(const char* name) const {
    void* owned = nullptr;
    napi_value value = Property(name);
    if (value != nullptr) napi_get_value_external(env_, value, &owned);
    return static_cast<T*>(owned);
  }
  ClientListener* Listener(const char* name) const { return Owned<ClientListener>(name); }
  template <typename T>
  napi_value Own(std::unique_ptr<T> owned) const {
    napi_value value;
    napi_create_external(
        env_, owned.release(), [](napi_env, void* data, void*) { delete static_cast<T*>(data); }, nullptr, &value);
    return value;
  }
  std::span<uint8_t> Bytes(const char* name) const {
    void* data = nullptr;
    size_t bytes = 0;
    napi_value value = Property(name);
    if (value != nullptr) napi_get_buffer_info(env_, value, &data, &bytes);
    return {static_cast<uint8_t*>(data), bytes};
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
  napi_value Number(double number) const {
    napi_value value;
    napi_create_double(env_, number, &value);
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

// listen({ address, port, blocked }): returns a listener, for accept() and start(). Errors carry an errno's or an EAI_
// code's name.
napi_value Listen(napi_env env, napi_callback_info info) {
  Call call(env, info);
  auto listener = std::make_unique<ClientListener>();
  ClientListener::Error error;
  auto port = static_cast<uint16_t>(call.Number("port", 0));
  if (!listener->Open(call.Text("address"), port, call.Flag("blocked"), &error)) {
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

// closeListener({ listener }): ends the waiting, and the connection unless start() has it.
napi_value CloseListener(napi_env env, napi_callback_info info) {
  if (ClientListener* listener = Call(env, info).Listener("listener")) listener->Close();
  return nullptr;
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

Session::Settings SettingsOf(const Call& call) {
  Session::Settings settings;
  settings.destination = call.Text("destination");
  settings.metadata = call.Text("metadata");
  settings.aggregate = call.Flag("aggregate");
  settings.native_traces = call.Flag("nativeTraces");
  settings.embed_symbols = call.Flag("embedSymbols");
  settings.js_objects = call.Flag("jsObjects");
  settings.memory_interval_ms = call.Number("memoryIntervalMs", settings.memory_interval_ms);
  return settings;
}

// start({ destination, path, overwrite, buffered, listener, aggregate, nativeTraces, embedSymbols, jsObjects, metadata,
// memoryIntervalMs }): records into the file `path`, or to the client of a listener; `destination` is what messages
// call it. Returns a warning, or an empty string.
napi_value Start(napi_env env, napi_callback_info info) {
  Call call(env, info);
  if (Tracker::Get().active()) return call.Throw("ALREADY_ACTIVE", "a tracker is active in this process");
  Session::MakeWay();
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  std::string warning = Session::Prepare(isolate);
  std::unique_ptr<Sink> sink = MakeSink(call);
  if (sink == nullptr) return call.Throw(strerrorname_np(errno), strerror(errno));
  Session::Failure failure;
  if (!Session::Start(isolate, SettingsOf(call), std::move(sink), &failure)) {
    if (std::string path = call.Text("path"); !path.empty()) unlink(path.c_str());
    return call.Throw(failure.code.c_str(), failure.message);
  }
  return call.Text(warning);
}

// stop({ reason }): returns whether the capture is complete.
napi_value Stop(napi_env env, napi_callback_info info) {
  Call call(env, info);
  return call.Flag(Session::Stop(call.Text("reason").c_str()));
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

// openWindows({ destination..memoryIntervalMs as for start(), metadataRest, v8Flags, stem, suffix, overwrite, buffered,
// jsHeapInterval, signal, reports, quiet, paused }): returns a warning, or an empty string. Errors carry an errno's
// name.
napi_value OpenWindows(napi_env env, napi_callback_info info) {
  Call call(env, info);
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  std::string warning = Session::Prepare(isolate);
  Windows::Settings settings;
  settings.recording = SettingsOf(call);
  settings.metadata_rest = call.Text("metadataRest");
  settings.v8_flags = call.Text("v8Flags");
  settings.stem = call.Text("stem");
  settings.suffix = call.Text("suffix");
  settings.overwrite = call.Flag("overwrite");
  settings.buffered = call.Flag("buffered");
  settings.js_heap_interval = call.Number("jsHeapInterval", 0);
  settings.signal = static_cast<int>(call.Number("signal", 0));
  settings.reports = static_cast<int>(call.Number("reports", static_cast<uint32_t>(-1)));
  settings.quiet = call.Flag("quiet");
  settings.paused = call.Flag("paused");
  napi_add_env_cleanup_hook(env, [](void*) { Windows::Close(); }, nullptr);
  if (int error = Windows::Open(isolate, std::move(settings)); error != 0) {
    return call.Throw(strerrorname_np(error), strerror(error));
  }
  return call.Text(warning);
}

// closeWindows(): ends the one that is open, as the process does.
napi_value CloseWindows(napi_env, napi_callback_info) {
  Windows::Close();
  return nullptr;
}

// numberedForm({ descriptor }): the numbered form of the capture in an open file, which stays the caller's; null where
// it has none.
napi_value MakeNumberedForm(napi_env env, napi_callback_info info) {
  Call call(env, info);
  auto form = std::make_unique<NumberedForm>(static_cast<int>(call.Number("descriptor", static_cast<uint32_t>(-1))));
  napi_value nothing;
  napi_get_null(env, &nothing);
  return form->Begin() ? call.Own(std::move(form)) : nothing;
}

// nextPiece({ form, piece }): writes its next bytes into a Buffer, and returns how many: none at its end. An error's
// code is DAMAGED or an errno's name.
napi_value NextPiece(napi_env env, napi_callback_info info) {
  Call call(env, info);
  auto* form = call.Owned<NumberedForm>("form");
  std::span<uint8_t> piece = call.Bytes("piece");
  if (form == nullptr || piece.size() <= NumberedForm::kSlack) return call.Throw("EINVAL", "no form");
  size_t bytes = form->Next(piece.data(), piece.size() - NumberedForm::kSlack);
  switch (form->state()) {
    case NumberedForm::State::kDamaged: return call.Throw("DAMAGED", "the capture is damaged");
    case NumberedForm::State::kNoMemory: return call.Throw("ENOMEM", strerror(ENOMEM));
    case NumberedForm::State::kUnreadable: return call.Throw(strerrorname_np(errno), strerror(errno));
    default: return call.Number(static_cast<double>(bytes));
  }
}

// taken({ form }): the bytes of the capture that were read until now.
napi_value Taken(napi_env env, napi_callback_info info) {
  Call call(env, info);
  auto* form = call.Owned<NumberedForm>("form");
  return call.Number(form == nullptr ? 0 : static_cast<double>(form->taken()));
}

// prepare(): who calls this is about to call start().
napi_value Prepare(napi_env, napi_callback_info) {
  static const bool prepared = [] {
    Tracker::Get().PrepareFences();
    BeginReadingExecutableSymbols();
    return true;
  }();
  (void)prepared;
  return nullptr;
}

napi_value IsActive(napi_env env, napi_callback_info info) { return Call(env, info).Flag(Session::active()); }

// endWithParent({ parent })
napi_value EndWithParentOf(napi_env env, napi_callback_info info) {
  heapray::EndWithParent(static_cast<int>(Call(env, info).Number("parent", 0)));
  return nullptr;
}

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
    return true;
  }();
  (void)prepared;
  const napi_property_descriptor functions[] = {
      {"prepare", nullptr, Prepare, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"start", nullptr, Start, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"listen", nullptr, Listen, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"accept", nullptr, Accept, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"closeListener", nullptr, CloseListener, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"stop", nullptr, Stop, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"traceJsHeap", nullptr, TraceJsHeap, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"setV8Flags", nullptr, SetV8Flags, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"endWithParent", nullptr, EndWithParentOf, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"openWindows", nullptr, OpenWindows, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"closeWindows", nullptr, CloseWindows, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"numberedForm", nullptr, MakeNumberedForm, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"nextPiece", nullptr, NextPiece, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"taken", nullptr, Taken, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"isActive", nullptr, IsActive, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, std::size(functions), functions);
  return exports;
}

}  // namespace
}  // namespace heapray

NAPI_MODULE_INIT() { return heapray::Init(env, exports); }
