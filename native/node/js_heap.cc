#include "node/js_heap.h"

#include <node.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <v8-profiler.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <vector>

#include "hooks/originals.h"
#include "node/isolates.h"
#include "node/sampled_heap.h"
#include "tracker.h"

namespace heapray {
namespace {

// What every isolate is to do: a session's number, never the same, above an interval; interval 0 is no sampling.
std::atomic<uint64_t> g_wanted{0};
uint32_t IntervalOf(uint64_t wanted) { return static_cast<uint32_t>(wanted); }

// The isolates that were sampled and have not ended.
std::mutex g_sampled_mutex;
std::vector<IsolateState*>& Sampled() {
  static auto* states = new std::vector<IsolateState*>;
  return *states;
}

class ObjectRecorder final : public SampledHeap::Listener {
 public:
  void OnSample(SampledHeap& heap, void* sample, size_t object_bytes) override {
    // Sampling that outlasted its session is not this capture's.
    IsolateState* state = Isolates::Current();
    if (state == nullptr || state->sampling.done != g_wanted) return;
    // An object is sampled with a probability that grows with its size: it stands for those that were not.
    auto size = static_cast<double>(object_bytes);
    double estimate = size / -std::expm1(-size / static_cast<double>(heap.interval()));
    Tracker::Get().OnAllocation(wire::Allocator::kJsObject, sample, static_cast<size_t>(std::llround(estimate)));
  }
} g_recorder;

// On the isolate's thread, before it ends.
void OnEnvironmentEnd(void* data) {
  auto& state = *static_cast<IsolateState*>(data);
  {
    Untracked untracked;
    std::lock_guard lock(g_sampled_mutex);
    std::erase(Sampled(), &state);
  }
  state.sampling.ended = true;
  if (syscall(SYS_gettid) == getpid()) {
    // What the main thread holds as the process ends was never given back.
    Untracked untracked;
    delete std::exchange(state.sampling.heap, nullptr);
  } else {
    // A worker's objects end with it.
    delete std::exchange(state.sampling.heap, nullptr);
  }
}

bool IsInEnvironment(v8::Isolate* isolate) {
  if (!isolate->InContext()) return false;
  v8::HandleScope handles(isolate);
  return node::GetCurrentEnvironment(isolate->GetCurrentContext()) != nullptr;
}

// Makes the calling thread's isolate do what is wanted. Where JavaScript may run. Returns why it cannot, or an empty
// string.
std::string DoWhatIsWanted(IsolateState& state) {
  IsolateState::Sampling& sampling = state.sampling;
  uint64_t wanted = g_wanted;
  if (sampling.done == wanted || sampling.ended || (IntervalOf(wanted) == 0 && sampling.heap == nullptr)) return {};
  Untracked untracked;
  if (!IsInEnvironment(state.isolate)) return "it has no environment";
  sampling.done = wanted;
  delete std::exchange(sampling.heap, nullptr);
  if (IntervalOf(wanted) == 0) return {};
  if (!sampling.known) {
    sampling.known = true;
    // Compiled code keeps the place of each allocation, and not of its calls alone.
    v8::CpuProfiler::UseDetailedSourcePositionsForProfiling(state.isolate);
    node::AddEnvironmentCleanupHook(state.isolate, OnEnvironmentEnd, &state);
    std::lock_guard lock(g_sampled_mutex);
    Sampled().push_back(&state);
  }
  std::string why;
  sampling.heap = SampledHeap::Start(state.isolate, IntervalOf(wanted), &g_recorder, &why).release();
  return why;
}

void OnInterrupt(v8::Isolate*, void*) {
  IsolateState* state = Isolates::Current();
  if (state == nullptr) return;
  state->sampling.asked = false;
  DoWhatIsWanted(*state);
}

void Ask(IsolateState& state) {
  // Requests pile up while nothing runs: one is enough.
  if (!state.sampling.asked.exchange(true)) state.isolate->RequestInterrupt(OnInterrupt, nullptr);
}

// A thread that never turns its loop allocates all the same.
void AfterCollection(IsolateState& state) {
  if (state.sampling.done != g_wanted && !state.sampling.ended) Ask(state);
}

void AtLoopTurn() {
  if (IntervalOf(g_wanted.load(std::memory_order_relaxed)) == 0 || !Tracker::Get().active()) return;
  Untracked untracked;
  IsolateState* state = Isolates::Current();
  if (state == nullptr || state->sampling.done == g_wanted || state->sampling.ended) return;
  Isolates::Watch(*state);
  DoWhatIsWanted(*state);
}

int EpollWait(int epoll, epoll_event* events, int most, int timeout) {
  AtLoopTurn();
  return Originals::Get().epoll_wait(epoll, events, most, timeout);
}

int EpollPwait(int epoll, epoll_event* events, int most, int timeout, const sigset_t* signals) {
  AtLoopTurn();
  return Originals::Get().epoll_pwait(epoll, events, most, timeout, signals);
}

const Hook kHooks[] = {
    {"epoll_wait", reinterpret_cast<void*>(EpollWait), false},
    {"epoll_pwait", reinterpret_cast<void*>(EpollPwait), false},
};

}  // namespace

std::string JsHeap::Start(v8::Isolate* isolate, uint32_t interval) {
  // Once for all: a process has one V8.
  static const std::string disproved = SampledHeap::Prove(isolate);
  if (!disproved.empty()) return disproved;
  Isolates::CallAfterCollections(AfterCollection);
  uint64_t session = (g_wanted >> 32) + 1;
  g_wanted = session << 32 | interval;
  IsolateState* state = Isolates::Current();
  return state == nullptr ? "it has no isolate" : DoWhatIsWanted(*state);
}

void JsHeap::Stop() {
  if (IntervalOf(g_wanted) == 0) return;
  g_wanted = g_wanted >> 32 << 32;
  IsolateState* own = Isolates::Current();
  if (own != nullptr) DoWhatIsWanted(*own);
  std::lock_guard lock(g_sampled_mutex);
  for (IsolateState* state : Sampled()) {
    if (state != own) Ask(*state);
  }
}

std::span<const Hook> JsHeap::Hooks() { return kHooks; }

}  // namespace heapray
