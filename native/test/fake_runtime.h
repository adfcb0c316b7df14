// Stacks and a runtime for driving the tracker without Node: each thread walks about in a tree of calls. Code moves
// with every epoch: the same calls have other keys then.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "tracker.h"

namespace heapray {

class FakeStacks final : public StackSource {
 public:
  // A new epoch begins after so many walks of a thread.
  explicit FakeStacks(uint32_t walks_per_epoch) : walks_per_epoch_(walks_per_epoch) {}

  // Without this the calling thread stays where it is.
  static void Move() { t_place.note = 0; }

  void Walk(StackWalk& walk) override {
    WalkAnew(walk);
    auto offset = reinterpret_cast<char*>(&t_place.owner) - static_cast<char*>(__builtin_thread_pointer());
    t_place.frame = reinterpret_cast<uint64_t>(&t_place.even + 1);
    t_place.note = uint64_t{1} << 63;
    walk.SetPlace({offset, t_place.owner, &t_place.frame, t_place.frame, &t_place.note});
  }

  void Describe(const RawFrame& frame, FrameSink& sink) override {
    SourceScript script{"/app/main.js", "", 0};
    auto line = static_cast<uint32_t>(frame.pc + 1);
    std::string name = "f" + std::to_string(line);
    std::string inlined_name = name + "_inlined";
    SourceFunction inlined{inlined_name, line, 1, 0};
    SourceFunction function{name, line, 1, 0};
    if (line % 5 == 0) sink.Add(inlined, script, line, 9);
    sink.Add(function, script, line, 5);
  }

 private:
  void WalkAnew(StackWalk& walk) {
    thread_local Thread thread{seeds_.fetch_add(1) * 2654435761u + 1, 0, 0, 0, {}};
    if (thread.walks++ % walks_per_epoch_ == 0) {
      thread.epoch = epochs_.fetch_add(1) + 1;
      thread.depth = 0;
    }
    size_t kept = thread.depth - thread.Random(thread.depth + 1);
    size_t count = thread.Random(kDeepest - kept + 1);
    thread.depth = kept + count;
    RawFrame fresh[kDeepest];
    for (size_t level = kept; level < thread.depth; level++) {
      // Two calls at each level, made from sixteen places that say the same.
      uint64_t code = level * 2 + thread.Random(2);
      uint64_t key = thread.epoch << 24 | code << 8 | thread.Random(16);
      thread.frames[level] = {key, kStack, code};
      fresh[thread.depth - 1 - level] = thread.frames[level];
    }
    // Another session's state, or another thread's past, is not ours.
    bool known = walk.depth() >= kept && walk.epoch() == thread.epoch;
    for (size_t level = 0; known && level < kept; level++) {
      known = walk.FromOutermost(level).key == thread.frames[level].key;
    }
    if (known) {
      walk.Set(kept, fresh, count, thread.epoch);
      return;
    }
    RawFrame all[kDeepest];
    for (size_t level = 0; level < thread.depth; level++) all[thread.depth - 1 - level] = thread.frames[level];
    walk.Set(0, all, thread.depth, thread.epoch);
  }

  struct Place {
    uint64_t owner;
    uint64_t frame;
    uint64_t even;
    uint64_t note;
  };
  static inline thread_local Place t_place{1, 0, 0, 0};

  static constexpr size_t kDeepest = 8;
  static constexpr uint64_t kStack = 8;  // a frame pointer: frames without are native

  struct Thread {
    uint64_t random;
    uint32_t walks;
    uint64_t epoch;
    size_t depth;
    RawFrame frames[kDeepest];

    uint32_t Random(size_t below) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      return static_cast<uint32_t>(random >> 20) % static_cast<uint32_t>(below);
    }
  };

  uint32_t walks_per_epoch_;
  std::atomic<uint64_t> seeds_{1};
  std::atomic<uint64_t> epochs_{0};
};

class FakeRuntime final : public Runtime {
 public:
  bool IsHeapPages(uint64_t, size_t bytes) override { return bytes % 8192 == 0; }
  const char* ThreadRole() override { return ""; }
  const char* RoleOf(uint64_t) override { return "fake"; }
};

}  // namespace heapray
