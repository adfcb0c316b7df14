// The capture's tables: strings, scripts, functions, frames and the tree of stacks. Each is written to the capture when
// it is first needed. Not thread-safe: the tracker's lock is held.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "record/record_writer.h"
#include "stacks/flat_map.h"
#include "stacks/native_chains.h"
#include "stacks/native_frames.h"
#include "stacks/stack_source.h"
#include "stacks/thread_stack.h"

namespace heapray {

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
  // The node that the frames lead to which are not innermost native ones.
  uint32_t ResolveFrames(ThreadStack& stack);
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
