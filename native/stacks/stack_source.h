// One interface for every runtime's stacks. The tracker knows no runtime; a runtime knows no records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "stacks/mapped_array.h"
#include "stacks/word_at.h"

namespace heapray {

// A physical frame as the walk found it. `key` identifies the code and the place in it for as long as the thread's
// epoch lasts; `fp` and `pc` are the frame's and the code's addresses, good for Describe() until the allocation
// returns. A native frame (one that is not among the innermost: those are a chain) has no `fp`: the tree
// describes it by itself.
struct RawFrame {
  uint64_t key;
  uint64_t fp;
  uint64_t pc;
};

// A source file as a runtime knows it. `id` is the tree's own: the source keeps it, 0 at first, so that long texts
// (a data URL of a source map) are looked at once.
struct SourceScript {
  std::string_view url;
  std::string_view source_map_url;
  uint32_t id = 0;
};

// A function as a runtime knows it, of a script. Lines and columns, here and below, are 1-based, 0 when unknown; these
// are the function's start. `id` is as above, for the sake of what is described again and again.
struct SourceFunction {
  std::string_view name;
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t id = 0;
};

// Takes a frame's description, innermost logical frame first when calls were inlined.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Texts are UTF-8 and valid only during the call; line and column are the place being executed.
  virtual void Add(SourceFunction& function, SourceScript& script, uint32_t line, uint32_t column) = 0;
};

class NativeChains;

// The node of a walk that its source may want to remember, as whoever asked for the walk tells it. `scope` says in
// which capture, and under which node: 0 is none.
struct WalkNode {
  uint64_t scope = 0;
  uint32_t node = 0;
  uint32_t again = 0;  // how often it has been the same since

  void Tell(uint64_t its_scope, uint32_t its_node) {
    bool same = its_scope == scope && its_node == node;
    again = same ? again + 1 : 0;
    scope = its_scope;
    node = its_node;
  }
};

// A thread's last stack: frames, and the chain of native frames that they called. The outermost frame lies at the
// array's end, so that what stays from one walk to the next stays where it is.
class StackWalk {
 public:
  static constexpr size_t kMaxDepth = 1u << 14;

  StackWalk() : frames_(kMaxDepth) {}

  bool usable() const { return frames_.usable(); }
  // The number of frames, and the frame that is `level` frames away from the outermost one.
  size_t depth() const { return depth_; }
  const RawFrame& FromOutermost(size_t level) const { return frames_[kMaxDepth - 1 - level]; }
  // How many of the outermost frames are those of the walk before.
  size_t unchanged() const { return unchanged_; }
  uint64_t epoch() const { return epoch_; }
  // The native frames within all the others: one of the thread's chains, or 0. Good until the next walk.
  uint32_t innermost() const { return innermost_; }
  NativeChains& chains() const { return *chains_; }
  // Whatever remembers how this walk was made.
  const void* maker() const { return maker_; }
  // Where nodes are good that sources remember.
  uint64_t scope() const { return scope_; }
  void set_scope(uint64_t scope) {
    scope_ = scope;
    still_ = 0;
  }
  // Whether the source knew the node of this walk, without its frames: those are of the walk before.
  bool is_known() const { return known_; }
  uint32_t known_node() const { return node_; }
  // To be called with the node of a walk that is not known, without its innermost native frames.
  void TellNode(uint32_t node) {
    node_ = node;
    still_ |= kHasNode;
    if (told_ == nullptr) return;
    told_->Tell(scope_, node);
    told_ = nullptr;
  }

  // For a StackSource: keeps the `unchanged` outermost frames of the walk before and puts `count` frames, innermost
  // first, on top. What does not fit loses its outermost frames.
  void Set(size_t unchanged, const RawFrame* fresh, size_t count, uint64_t epoch, const void* maker = nullptr) {
    if (unchanged > depth_) unchanged = depth_;
    if (count > kMaxDepth - unchanged) count = kMaxDepth - unchanged;
    if (count > 0) memcpy(&frames_[kMaxDepth - unchanged - count], fresh, count * sizeof(RawFrame));
    depth_ = unchanged + count;
    unchanged_ = unchanged;
    epoch_ = epoch;
    maker_ = maker;
    innermost_ = 0;
    known_ = false;
    told_ = nullptr;
    still_ = 0;
  }
  void SetEmpty(uint64_t epoch = 0) { Set(0, nullptr, 0, epoch, nullptr); }
  // The walk leads to a node that was told in this scope.
  void SetKnown(uint32_t node) {
    node_ = node;
    told_ = nullptr;
    still_ = kHasNode;
    SetAsBefore();
  }
  // The walk leads to the node of the one before, which must have one.
  void SetAsBefore() {
    known_ = true;
    innermost_ = 0;
  }
  // Whether the thread has not moved since the last walk, as its source lets it see, and that walk's node was told in
  // this scope. A look at a few words, for this comes before every walk.
  bool IsStill() const { return (still_ & kIsStill) == kIsStill && place_.IsSame(); }
  // The same, of a walk that has no native frames within all others, which may have changed.
  bool IsStillAndWhole() const { return still_ == kIsStill && place_.IsSame(); }
  // What tells that a thread has not moved. To be set after a walk, by a source that knows of such words.
  struct Place {
    int64_t owner_offset = 0;  // from the thread pointer: of a word that is `owner`
    uint64_t owner = 0;
    const uint64_t* frame_at = nullptr;  // is `frame`, a frame pointer with an even word below it
    uint64_t frame = 0;
    const uint64_t* note = nullptr;  // has its highest bit set

    bool IsSame() const {
      return ThreadWordAt(owner_offset) == owner && *frame_at == frame && static_cast<int64_t>(*note) < 0 &&
             (WordAt(frame - 8) & 1) == 0;
    }
  };
  void SetPlace(const Place& place) {
    place_ = place;
    still_ |= kHasPlace;
  }
  // Has the node of the walk that was set told to `told`.
  void AskForNode(WalkNode* told) { told_ = told; }
  // Puts native frames on top of those that were set.
  void SetInnermost(NativeChains* chains, uint32_t innermost) {
    chains_ = chains;
    innermost_ = innermost;
    if (chains != nullptr) still_ |= kHasInnermost;
  }

 private:
  static constexpr uint8_t kHasPlace = 1;
  static constexpr uint8_t kHasNode = 2;
  static constexpr uint8_t kHasInnermost = 4;
  static constexpr uint8_t kIsStill = kHasPlace | kHasNode;

  // What is looked at before every walk comes first.
  uint8_t still_ = 0;  // what of the above the last walk has
  bool known_ = false;
  uint32_t node_ = 0;
  Place place_;
  uint64_t scope_ = 0;
  uint32_t innermost_ = 0;
  WalkNode* told_ = nullptr;
  NativeChains* chains_ = nullptr;
  MappedArray<RawFrame> frames_;
  size_t depth_ = 0;
  size_t unchanged_ = 0;
  uint64_t epoch_ = 0;
  const void* maker_ = nullptr;
};

class StackSource {
 public:
  virtual ~StackSource() = default;

  // Called on the allocating thread, without locks, before every record with a stack: sets `walk` to the runtime's
  // frames. Must not allocate. The walk's epoch is a number that changes whenever the keys of this thread's runtime may
  // have changed meaning.
  virtual void Walk(StackWalk& walk) = 0;

  // Called for a frame of the walk just made, under the tracker's lock; may allocate (its own calls are not tracked).
  virtual void Describe(const RawFrame& frame, FrameSink& sink) = 0;
};

}  // namespace heapray
