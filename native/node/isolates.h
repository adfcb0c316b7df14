// What heapray keeps of each V8 isolate: one per thread, made when the thread's isolate is first seen.
#pragma once

#include <v8.h>

#include <atomic>
#include <cstdint>

#include "node/current_isolate.h"
#include "node/known_objects.h"
#include "node/remembered_walks.h"
#include "node/walk_memory.h"

namespace heapray {

class SampledHeap;

struct IsolateState {
  v8::Isolate* isolate = nullptr;
  uint64_t stack_begin = 0;
  uint64_t stack_end = 0;
  // Whether a frame at the address, which is not 0, lies on the thread's stack.
  bool Owns(uint64_t address) const { return address >= stack_begin && address + 16 <= stack_end; }
  // Whether garbage collections are being watched; until then no frame's key is good for a second look, and the fields
  // below are not set.
  std::atomic<bool> watched{false};
  // A garbage collection is going on: objects move, and may be in pieces.
  bool collecting = false;
  uint32_t ordinal = 0;  // never used again, as addresses and script ids are
  std::atomic<uint64_t> epoch{0};
  IsolateState* next = nullptr;  // of the same thread
  RememberedWalks remembered;
  uint64_t code_begin = 0;
  uint64_t code_end = 0;
  // V8 runs its built-in code from a copy of its own near the compiled code, to call it faster; 0: it does not.
  uint64_t builtins_copy = 0;
  WalkMemory walk;
  mutable KnownSlots known;
  std::atomic<uint64_t> heap_used{0};
  std::atomic<uint64_t> heap_committed{0};
  std::atomic<uint64_t> external{0};
  // Of js_heap.cc; used on the isolate's own thread alone, `asked` excepted.
  struct Sampling {
    SampledHeap* heap = nullptr;
    uint64_t done = 0;   // what was wanted when that was last seen to
    bool known = false;  // it will be told of the environment's end
    bool ended = false;
    std::atomic<bool> asked{false};
  } sampling;
};

struct HeapTotals {
  uint64_t used = 0;
  uint64_t committed = 0;
  uint64_t external = 0;
};

namespace internal {
extern constinit thread_local IsolateState* t_isolate;
extern int64_t g_current_isolate;  // where V8 keeps the thread's isolate, from the thread pointer; 0: not known
}  // namespace internal

class Isolates {
 public:
  // The calling thread's isolate, or nullptr when it has none. Cheap; callable inside malloc.
  static IsolateState* Current() {
    v8::Isolate* isolate = V8sCurrent();
    if (isolate == nullptr) return nullptr;
    IsolateState* state = internal::t_isolate;
    if (state == nullptr || state->isolate != isolate) [[unlikely]]
      state = Switch(isolate);
    return state;
  }
  // Learns where V8 keeps the calling thread's isolate, which is this one.
  static void LearnCurrent(v8::Isolate* isolate) { internal::g_current_isolate = FindCurrentIsolate(isolate); }
  static int64_t current_offset() { return internal::g_current_isolate; }

  // Learns where the isolate's code lies.
  static void FindCode(IsolateState& state);
  // Starts to watch the calling thread's isolate, if it is not being watched. On its own thread, outside of garbage
  // collections; takes no lock of V8's.
  static void Watch(IsolateState& state);

  // Which isolate RequestStatistics() asks; nullptr: none. An isolate must be taken back before it ends.
  static void AskForStatistics(v8::Isolate* isolate);
  static void DoNotAsk(v8::Isolate* isolate);
  // Asks that isolate to bring its figures up to date when it next can. (Not callable inside malloc, where a lock may
  // be held that V8 needs for it.) The others' figures are those of their last collection.
  static void RequestStatistics();
  // Brings the calling thread's isolate's figures up to date. Where JavaScript may run.
  static void UpdateStatistics();

  // The sum over all isolates, as of their last update.
  static HeapTotals Totals();

  // Has `callback` called after every collection of an isolate that is being watched, on its thread.
  static void CallAfterCollections(void (*callback)(IsolateState&));

  // A number that no thread has seen yet.
  static uint64_t NewEpoch();

 private:
  static v8::Isolate* V8sCurrent() {
    int64_t offset = internal::g_current_isolate;
    return offset == 0 ? v8::Isolate::TryGetCurrent() : reinterpret_cast<v8::Isolate*>(ThreadWordAt(offset));
  }
  [[gnu::cold]] static IsolateState* Switch(v8::Isolate* isolate);
};

}  // namespace heapray
