#include "node/isolates.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <vector>

#include "process/kept_errno.h"
#include "process/mappings.h"
#include "process/stack_bounds.h"
#include "tracker.h"

namespace heapray {

constinit thread_local IsolateState* internal::t_isolate = nullptr;
int64_t internal::g_current_isolate = 0;

namespace {

std::atomic<uint64_t> g_epoch{0};
std::atomic<uint32_t> g_ordinal{0};

std::mutex g_states_mutex;
std::vector<IsolateState*>& States() {
  static auto* states = new std::vector<IsolateState*>;
  return *states;
}

void Forget(void* first) {
  Untracked untracked;
  internal::t_isolate = nullptr;
  for (auto* state = static_cast<IsolateState*>(first); state != nullptr;) {
    IsolateState* next = state->next;
    {
      std::lock_guard lock(g_states_mutex);
      std::erase(States(), state);
    }
    delete state;
    state = next;
  }
}

pthread_key_t StateKey() {
  static const pthread_key_t key = [] {
    pthread_key_t made;
    pthread_key_create(&made, Forget);
    return made;
  }();
  return key;
}

void UpdateFigures(IsolateState& state) {
  v8::HeapStatistics statistics;
  state.isolate->GetHeapStatistics(&statistics);
  state.heap_used.store(statistics.used_heap_size(), std::memory_order_relaxed);
  state.heap_committed.store(statistics.total_heap_size(), std::memory_order_relaxed);
  state.external.store(statistics.external_memory(), std::memory_order_relaxed);
}

std::atomic<void (*)(IsolateState&)> g_after_collection{nullptr};

void OnCollection(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* data) {
  auto* state = static_cast<IsolateState*>(data);
  state->collecting = true;
  state->known.Forget();
  state->remembered.Forget();
}

void OnCollected(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags, void* data) {
  Untracked untracked;
  auto* state = static_cast<IsolateState*>(data);
  state->collecting = false;
  state->known.Forget();
  // A full collection may move or free code and bytecode: what is known of an address ends with it.
  if ((type & v8::kGCTypeMarkSweepCompact) != 0) state->epoch.store(Isolates::NewEpoch());
  UpdateFigures(*state);
  if (auto* callback = g_after_collection.load()) callback(*state);
}

std::mutex g_asked_mutex;
v8::Isolate* g_asked = nullptr;
std::atomic<bool> g_answer_pending{false};

// Reached when the isolate runs JavaScript again, where V8 allows all of its interface.
void OnInterrupt(v8::Isolate*, void*) {
  g_answer_pending = false;
  Isolates::UpdateStatistics();
}

uint64_t FindBuiltinsCopy(v8::Isolate* isolate, uint64_t code_begin, uint64_t code_end) {
  const void* original = nullptr;
  size_t bytes = 0;
  isolate->GetEmbeddedCodeRange(&original, &bytes);
  size_t compared = std::min<size_t>(bytes, 4096);
  uint64_t found = 0;
  ForEachMapping([&](const Mapping& mapping) {
    bool candidate = found == 0 && mapping.readable && mapping.executable && mapping.begin >= code_begin &&
                     mapping.end <= code_end && mapping.end - mapping.begin >= bytes;
    if (candidate && memcmp(reinterpret_cast<const void*>(mapping.begin), original, compared) == 0) {
      found = mapping.begin;
    }
  });
  return found;
}

IsolateState* Make(v8::Isolate* isolate) {
  auto* state = new IsolateState;
  state->isolate = isolate;
  state->ordinal = ++g_ordinal;
  state->epoch = Isolates::NewEpoch();
  StackBounds stack = ThisThreadsStack();
  state->stack_begin = stack.begin;
  state->stack_end = stack.end;
  std::lock_guard lock(g_states_mutex);
  States().push_back(state);
  return state;
}

}  // namespace

uint64_t Isolates::NewEpoch() { return g_epoch.fetch_add(1) + 1; }

// The calling thread's state for the isolate, at the front of its list: a thread with several isolates keeps what it
// knows of the others, since their callbacks point there.
IsolateState* Isolates::Switch(v8::Isolate* isolate) {
  KeptErrno kept;
  IsolateState** link = &internal::t_isolate;
  while (*link != nullptr && (*link)->isolate != isolate) link = &(*link)->next;
  IsolateState* found = *link;
  if (found == nullptr) {
    found = Make(isolate);
  } else {
    *link = found->next;
  }
  found->next = internal::t_isolate;
  internal::t_isolate = found;
  pthread_setspecific(StateKey(), found);
  return found;
}

void Isolates::FindCode(IsolateState& state) {
  if (state.code_begin != 0) return;
  Untracked untracked;
  void* begin = nullptr;
  size_t bytes = 0;
  state.isolate->GetCodeRange(&begin, &bytes);
  state.code_begin = reinterpret_cast<uint64_t>(begin);
  state.code_end = state.code_begin + bytes;
  state.builtins_copy = FindBuiltinsCopy(state.isolate, state.code_begin, state.code_end);
}

void Isolates::Watch(IsolateState& state) {
  Untracked untracked;
  if (state.watched) return;
  FindCode(state);
  state.isolate->AddGCPrologueCallback(OnCollection, &state);
  state.isolate->AddGCEpilogueCallback(OnCollected, &state);
  state.watched.store(true);
}

void Isolates::CallAfterCollections(void (*callback)(IsolateState&)) { g_after_collection = callback; }

void Isolates::AskForStatistics(v8::Isolate* isolate) {
  std::lock_guard lock(g_asked_mutex);
  g_asked = isolate;
  g_answer_pending = false;
}

void Isolates::DoNotAsk(v8::Isolate* isolate) {
  std::lock_guard lock(g_asked_mutex);
  if (g_asked == isolate) g_asked = nullptr;
}

void Isolates::RequestStatistics() {
  std::lock_guard lock(g_asked_mutex);
  // Requests pile up while nothing runs: one is enough.
  if (g_asked != nullptr && !g_answer_pending.exchange(true)) g_asked->RequestInterrupt(OnInterrupt, nullptr);
}

void Isolates::UpdateStatistics() {
  Untracked untracked;
  IsolateState* state = Current();
  if (state != nullptr) UpdateFigures(*state);
}

HeapTotals Isolates::Totals() {
  HeapTotals totals;
  std::lock_guard lock(g_states_mutex);
  for (const IsolateState* state : States()) {
    totals.used += state->heap_used.load(std::memory_order_relaxed);
    totals.committed += state->heap_committed.load(std::memory_order_relaxed);
    totals.external += state->external.load(std::memory_order_relaxed);
  }
  return totals;
}

}  // namespace heapray
