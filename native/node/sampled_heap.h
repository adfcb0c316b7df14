// Sees V8's sampling heap profiler take its samples: which object of an isolate's heap, how large, and by which block
// of memory the profiler remembers it until the object dies.
//
// V8 asks an observer of its own at allocations, Observer::Step(bytes, object, size), which the profiler holds. Its
// first word is the table of its functions; ours has another Step, which calls V8's and looks at what that allocated.
// No symbols are needed, and nothing is believed that start-up has not proven (Proves()).
#pragma once

#include <v8.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace heapray {

class SampledHeap {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // Called on the isolate's thread, untracked, where the object is being allocated: V8's heap may be read, and
    // JavaScript's stack walked. `sample` is freed when the object is found dead, or when sampling ends.
    virtual void OnSample(SampledHeap& heap, void* sample, size_t object_bytes) = 0;
  };

  // Begins to sample the calling thread's isolate, one object every `interval` bytes. nullptr with the reason in *why
  // when that is not possible. While a tracker is active; where JavaScript may run.
  static std::unique_ptr<SampledHeap> Start(v8::Isolate* isolate, uint64_t interval, Listener* listener,
                                            std::string* why);
  // Ends sampling, which frees all samples. On the isolate's thread.
  ~SampledHeap();
  SampledHeap(const SampledHeap&) = delete;
  SampledHeap& operator=(const SampledHeap&) = delete;

  // Samples objects of known sizes in the calling thread's isolate and finds them, and their deaths. Returns an empty
  // string, or what disagreed. While a tracker is active; where JavaScript may run.
  static std::string Prove(v8::Isolate* isolate);

  uint64_t interval() const { return interval_; }

 private:
  static constexpr size_t kTableWords = 4;
  // What the compiler puts in front of a table of virtual functions, with ours in front of that.
  struct Table {
    SampledHeap* heap;
    uint64_t offset_to_top;
    uint64_t type;
    uint64_t functions[kTableWords];
  };
  using StepFunction = uint64_t (*)(void* observer, int bytes, uint64_t object, size_t size);

  SampledHeap(v8::Isolate* isolate, uint64_t interval, Listener* listener)
      : isolate_(isolate), interval_(interval), listener_(listener) {}

  static uint64_t Step(void* observer, int bytes, uint64_t object, size_t size);
  // Whether `block` is the profiler; then its observer calls us.
  bool Adopt(void* block, size_t bytes);

  v8::Isolate* isolate_;
  uint64_t interval_;
  Listener* listener_;
  void* profiler_ = nullptr;
  StepFunction step_ = nullptr;
  Table table_{};
};

}  // namespace heapray
