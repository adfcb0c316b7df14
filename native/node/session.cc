#include "node/session.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "node/elf_symbols.h"
#include "node/existing_heap.h"
#include "node/isolates.h"
#include "node/js_heap.h"
#include "node/js_stack_source.h"
#include "node/node_runtime.h"
#include "process/known_ranges.h"
#include "process/modules.h"
#include "recording.h"
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

}  // namespace

Session::Failure Session::Failure::OfErrno(int error) { return {strerrorname_np(error), strerror(error)}; }

std::string Session::Prepare(v8::Isolate* isolate) {
  Tracker::Get().PrepareFences();
  if (IsolateState* state = Isolates::Current()) Isolates::FindCode(*state);
  std::string warning = Stacks().Calibrate(isolate);
  TheRuntime().Load();
  ForgetExecutableSymbols();
  return warning;
}

bool Session::active() { return Recording::active(); }

uint64_t Session::last() { return Recording::last(); }

void Session::MakeWay() {
  bool ended_by_error = Recording::exists();
  Recording::MakeWay();
  if (ended_by_error) JsHeap::Stop();
}

bool Session::Start(v8::Isolate* isolate, const Settings& settings, std::unique_ptr<Sink> sink, Failure* failure) {
  if (IsolateState* state = Isolates::Current()) Isolates::Watch(*state);
  Isolates::UpdateStatistics();
  Isolates::AskForStatistics(isolate);
  bool native = settings.native_traces;
  if (native) Modules::Get().Refresh();
  Stacks().SetNative(native);

  Recording::Settings recording;
  recording.tracker.sink = std::move(sink);
  recording.tracker.destination = settings.destination;
  recording.tracker.metadata_json = settings.metadata;
  recording.tracker.aggregate = settings.aggregate;
  recording.tracker.js_objects = settings.js_objects;
  recording.tracker.embed_symbols = settings.embed_symbols;
  recording.tracker.stacks = &Stacks();
  recording.tracker.runtime = &TheRuntime();
  recording.memory_interval_ms = settings.memory_interval_ms;
  recording.add_figures = [native](MemoryFigures& figures) {
    HeapTotals heap = Isolates::Totals();
    figures.heap_used = heap.used;
    figures.heap_committed = heap.committed;
    figures.external = heap.external;
    if (native) Modules::Get().Refresh();
    Isolates::RequestStatistics();
  };
  void* code = nullptr;
  size_t code_bytes = 0;
  isolate->GetCodeRange(&code, &code_bytes);
  recording.before_looks = [isolate, code, code_bytes] {
    auto begin = reinterpret_cast<uint64_t>(code);
    KnownRanges::Get().Set(begin, begin + code_bytes, KnownRanges::Owner::kV8Heap);
    LearnExistingHeap(isolate);
  };
  recording.taken_down = [](bool in_background) {
    Isolates::UpdateStatistics();
    // The main thread's frees are not recorded any more.
    if (in_background) JsHeap::Stop();
  };
  recording.finished = [] { Stacks().Clear(); };
  int error = 0;
  if (Recording::Start(std::move(recording), &error)) return true;
  *failure = Failure::OfErrno(error);
  return false;
}

bool Session::Stop(const char* reason) {
  bool exists = Recording::exists();
  bool complete = Recording::Stop(reason);
  // Only now: this frees all samples, and not because their objects died.
  if (exists) JsHeap::Stop();
  return complete;
}

void Session::StopInBackground(const char* reason, void (*ended)(bool complete)) {
  Recording::StopInBackground(reason, ended);
}

}  // namespace heapray
