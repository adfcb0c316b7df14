#include "stacks/stack_tree.h"

#include <algorithm>

namespace heapray {
namespace {

constexpr size_t kMaxInlined = 255;
constexpr uint32_t kNoNode = UINT32_MAX;
constexpr size_t kMostAhead = 32;

}  // namespace

class StackTree::Collector final : public FrameSink {
 public:
  explicit Collector(StackTree* tree) : tree_(tree) {}

  void Add(SourceFunction& function, SourceScript& script, uint32_t line, uint32_t column) override {
    if (count_ == kMaxInlined) return;
    if (function.id == 0) {
      if (script.id == 0) script.id = tree_->Script(script.url, script.source_map_url);
      function.id = tree_->Function(function.name, script.id, function.line, function.column);
    }
    locations_[count_++] = {function.id, line, column};
  }

  const Location* locations() const { return locations_; }
  size_t count() const { return count_; }

 private:
  StackTree* tree_;
  Location locations_[kMaxInlined];
  size_t count_ = 0;
};

uint32_t StackTree::Resolve(ThreadStack& stack) {
  const StackWalk& walk = stack.walk_;
  if (!stack.usable()) return 0;
  uint32_t node = walk.is_known() ? walk.known_node() : ResolveFrames(stack);
  if (walk.innermost() != 0) node = ResolveInnermost(walk, node, stack.stamp_);
  stack.node_ = node;
  return node;
}

uint32_t StackTree::ResolveFrames(ThreadStack& stack) {
  const StackWalk& walk = stack.walk_;
  stack.FollowSteps();
  uint32_t node = stack.last_node();
  // What most of the time goes to is waiting for the tables' memory: those of frames are asked for all at once.
  for (size_t ahead = stack.resolved_; ahead < std::min(walk.depth(), stack.resolved_ + kMostAhead); ahead++) {
    frame_by_key_.Prefetch(walk.FromOutermost(ahead).key);
  }
  bool is_new = false;
  while (stack.resolved_ < walk.depth()) {
    const RawFrame& raw = walk.FromOutermost(stack.resolved_);
    uint32_t frame = raw.fp == 0 ? native_.Frame(raw.pc) : Frame(raw, walk.epoch());
    // A frame that stands for nothing a reader could see keeps its caller's node.
    if (frame != 0) node = Node(node, frame, &is_new);
    stack.AddLevel(raw, node);
  }
  stack.walk_.TellNode(node);
  return node;
}

// The node that the innermost frames lead to from the node `under`; their chain remembers it.
uint32_t StackTree::ResolveInnermost(const StackWalk& walk, uint32_t under, uint32_t stamp) {
  NativeChains& chains = walk.chains();
  uint32_t node = under;
  bool is_new = false;
  for (uint32_t chain = walk.innermost(); chain != 0; chain = chains[chain].inner) {
    ChainNode& known = chains.node(chain);
    if (known.stamp != stamp) known = {stamp, chains[chain].shown ? native_.Frame(chains[chain].pc) : 0, kNoNode, 0};
    if (known.frame != 0) node = Node(node, known.frame, &is_new);
  }
  ChainNode& innermost = chains.node(walk.innermost());
  innermost.under = under;
  innermost.node = node;
  return node;
}

uint32_t StackTree::Frame(const RawFrame& raw, uint64_t epoch) {
  KnownFrame* known = frame_by_key_.Find(raw.key);
  if (known != nullptr && known->epoch == epoch) {
    known->seen = Seen::kAgain;
    return known->frame;
  }

  Collector collector(this);
  source_->Describe(raw, collector);
  uint32_t frame = FrameOf(collector.locations(), collector.count());
  if (frame_by_key_.size() >= sweep_at_) SweepFrames();
  frame_by_key_[raw.key] = {epoch, frame, Seen::kDescribed};
  return frame;
}

// Code moves and dies, and so do its keys: without this, memory would follow all that there ever were. A key that is
// dropped too early is described again.
void StackTree::SweepFrames() {
  size_t again = 0;
  frame_by_key_.Filter([&again](KnownFrame& known) {
    bool keep = known.seen != Seen::kNot;
    if (known.seen == Seen::kAgain) again++;
    known.seen = Seen::kNot;
    return keep;
  });
  sweep_at_ = frame_by_key_.size() + std::max(kSmallestSweep, again);
}

uint32_t StackTree::FrameOf(const Location* locations, size_t count) {
  if (count == 0) return 0;
  uint64_t hash = count;
  for (size_t i = 0; i < count; i++) {
    hash = MixBits(hash * 31 + locations[i].function);
    hash = MixBits(hash ^ (static_cast<uint64_t>(locations[i].line) << 32 | locations[i].column));
  }
  uint32_t& slot = frame_by_content_[hash | 1];
  if (slot == 0) {
    slot = NewFrame();
    writer_->Frame(locations, count);
  }
  return slot;
}

uint32_t StackTree::Continue(uint32_t node, std::string_view what) {
  Location location{Function(what, Script("<async>", ""), 0, 0), 0, 0};
  bool is_new = false;
  return Node(node, FrameOf(&location, 1), &is_new);
}

uint32_t StackTree::Node(uint32_t parent, uint32_t frame, bool* is_new) {
  uint64_t edge = static_cast<uint64_t>(parent) << 32 | frame;
  // A new node has nothing under it: the next one's number is known before the table answers.
  if (!*is_new) {
    if (const uint32_t* known = node_by_edge_.Find(edge)) return *known;
  }
  *is_new = true;
  uint32_t node = ++nodes_;
  node_by_edge_.Add(edge, node);
  writer_->Node(node, parent, frame);
  return node;
}

uint32_t StackTree::String(std::string_view text) {
  if (text.empty()) return 0;
  auto [entry, added] = strings_.try_emplace(std::string(text), static_cast<uint32_t>(strings_.size() + 1));
  if (added) writer_->String(text);
  return entry->second;
}

uint32_t StackTree::Script(std::string_view url, std::string_view source_map_url) {
  uint32_t url_id = String(url);
  uint32_t map_id = String(source_map_url);
  uint32_t& slot = script_by_content_[(static_cast<uint64_t>(url_id) << 32 | map_id) + 1];
  if (slot == 0) {
    slot = ++scripts_;
    writer_->Script(url_id, map_id);
  }
  return slot;
}

uint32_t StackTree::Function(std::string_view name, uint32_t script, uint32_t line, uint32_t column) {
  uint32_t name_id = String(name);
  uint64_t hash = MixBits(static_cast<uint64_t>(name_id) << 32 | script);
  hash = MixBits(hash ^ (static_cast<uint64_t>(line) << 32 | column)) | 1;
  uint32_t& slot = function_by_content_[hash];
  if (slot == 0) {
    slot = ++functions_;
    writer_->Function(name_id, script, line, column);
  }
  return slot;
}

}  // namespace heapray
