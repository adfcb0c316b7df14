// The capture's tables: strings, scripts, functions, frames and the tree of stacks. Each is written to the capture when
// it is first needed. Not thread-safe: the tracker's lock is held.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "record/record_writer.h"
#include "stacks/flat_map.h"
#include "stacks/native_chains.h"
#include "stacks/native_frames.h"
#include "stacks/stack_source.h"

namespace heapray {

// A thread's last stack and the nodes of the tree it led to, so that only what changed since is resolved.
class ThreadStack {
 public:
  ThreadStack() : levels_(StackWalk::kMaxDepth) {}

  StackWalk& walk() { return walk_; }
  // Takes note of a walk just made; returns whether the node() of its stack is known already.
  bool Unchanged() {
    if (walk_.unchanged() < resolved_) resolved_ = walk_.unchanged();
    size_t depth = walk_.depth();
    if (depth != 0 && (resolved_ != depth || walk_.epoch() != epoch_)) return false;
    node_ = depth == 0 ? base_ : levels_[depth - 1].node;
    if (walk_.innermost() == 0) return true;
    const ChainNode& known = walk_.chains().node(walk_.innermost());
    if (known.stamp != stamp_ || known.under != node_) return false;
    node_ = known.node;
    return true;
  }
  // The node of the walk's stack, once it is known or resolved.
  uint32_t node() const { return node_; }
  // Another capture has other nodes.
  void Forget() {
    SetBase(0);
    resolved_ = levels_known_ = 0;
    stamp_ = NewStamp();
  }
  // The node that the outermost frame hangs under: that of the stack which this thread works for, or 0.
  void SetBase(uint32_t base) {
    if (base == base_) return;
    resolved_ = levels_known_ = 0;
    base_ = base;
  }

 private:
  friend class StackTree;
  struct Level {
    uint64_t key;
    uint32_t node;
  };

  // A number that no chain bears yet. (There are as many as there are threads in captures.)
  static uint32_t NewStamp() {
    static std::atomic<uint32_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  StackWalk walk_;
  MappedArray<Level> levels_;  // outermost first
  size_t levels_known_ = 0;    // levels whose nodes are right for their keys
  size_t resolved_ = 0;        // levels whose keys are the walk's
  uint64_t epoch_ = 0;
  uint32_t base_ = 0;
  uint32_t node_ = 0;
  uint32_t stamp_ = NewStamp();  // of what chains stand for
};

class StackTree {
 public:
  StackTree(RecordWriter* writer, StackSource* source) : writer_(writer), source_(source), native_(writer, this) {}

  // The node of the stack that was just walked, writing what the capture does not have yet.
  uint32_t Resolve(ThreadStack& stack);

  // The node under `node` that says: here `what` went on elsewhere.
  uint32_t Continue(uint32_t node, std::string_view what);

  uint32_t String(std::string_view text);

  // The id of a frame that is about to be written.
  uint32_t NewFrame() { return ++frames_; }

  const NativeFrames& native() const { return native_; }

 private:
  class Collector;
  static constexpr size_t kSmallestSweep = 1u << 16;
  // Since the last sweep: not seen, described, or described before and seen again.
  enum class Seen : uint8_t { kNot, kDescribed, kAgain };
  struct KnownFrame {
    uint64_t epoch = 0;
    uint32_t frame = 0;
    Seen seen = Seen::kNot;
  };

  uint32_t Frame(const RawFrame& raw, uint64_t epoch);
  uint32_t ResolveInnermost(const StackWalk& walk, uint32_t under, uint32_t stamp);
  void SweepFrames();
  uint32_t FrameOf(const Location* locations, size_t count);
  // `is_new` says whether `parent` was made for this stack, and then whether the result was.
  uint32_t Node(uint32_t parent, uint32_t frame, bool* is_new);
  uint32_t Script(std::string_view url, std::string_view source_map_url);
  uint32_t Function(std::string_view name, uint32_t script, uint32_t line, uint32_t column);

  RecordWriter* writer_;
  StackSource* source_;
  NativeFrames native_;
  FlatMap<KnownFrame> frame_by_key_;     // raw key -> frame, while its epoch lasts
  size_t sweep_at_ = kSmallestSweep;     // keys
  FlatMap<uint32_t> frame_by_content_;   // hash of the locations -> frame
  FlatMap<uint32_t> node_by_edge_;       // parent << 32 | frame -> node
  FlatMap<uint32_t> script_by_content_;  // url << 32 | source map url -> script
  FlatMap<uint32_t> function_by_content_;
  std::unordered_map<std::string, uint32_t> strings_;
  uint32_t frames_ = 0;
  uint32_t nodes_ = 0;
  uint32_t scripts_ = 0;
  uint32_t functions_ = 0;
};

}  // namespace heapray
