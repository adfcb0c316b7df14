// The links that the last walk of a thread followed. Most stacks differ from the last one in a few inner frames: the
// rest is verified against memory, which needs no load to wait for another, instead of being followed again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "stacks/mapped_array.h"
#include "stacks/stack_source.h"

namespace heapray {

inline uint64_t WordAt(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

class WalkMemory {
 public:
  // What a frame pointer chain's link leads to. Kinds below kFirstReported are not shown.
  enum Kind : uint8_t { kStub, kEntry, kFirstReported, kCompiled = kFirstReported, kInterpreted, kBuiltin, kNative };

  struct Link {
    // Where it was read: the caller's frame pointer at `address` (not of native frames, which may keep it anywhere),
    // the return address behind it.
    uint64_t address;
    uint64_t fp;
    uint64_t pc;
    // What else of the frame the key was made from: bytecode array and offset, function, or the saved exit frame.
    uint64_t first;
    uint64_t second;
    uint32_t reported_from_here;  // frames shown, this one and all outer ones
    Kind kind;
  };

  WalkMemory()
      : links_(StackWalk::kMaxDepth), fresh_links_(StackWalk::kMaxDepth), fresh_frames_(StackWalk::kMaxDepth) {}

  bool usable() const { return links_.usable() && fresh_links_.usable() && fresh_frames_.usable(); }

  void Forget() { begin_ = kEnd; }

  // Begins a walk. What was remembered is good if the last walk was made with it, and found something to go on from.
  void Begin(const StackWalk& last) {
    if (last.maker() != this || last.depth() == 0) Forget();
    candidate_ = begin_;
    fresh_count_ = fresh_frame_count_ = 0;
    retry_above_ = 0;
  }

  // Whether the walk, now at `address`, will go on as the last one did from there.
  bool ContinuesAsBefore(uint64_t address) {
    while (candidate_ < kEnd && links_[candidate_].address < address) candidate_++;
    if (candidate_ == kEnd || links_[candidate_].address != address || address < retry_above_) return false;
    size_t changed = FirstChanged(candidate_);
    if (changed == kEnd) return true;
    retry_above_ = links_[changed].address + 1;
    return false;
  }

  bool full() const { return fresh_count_ >= kEnd - 1 || fresh_frame_count_ >= kEnd - 1; }
  void AddLink(const Link& link) { fresh_links_[fresh_count_++] = link; }
  void AddFrame(const RawFrame& frame) { fresh_frames_[fresh_frame_count_++] = frame; }

  // Ends the walk: `continues` says that the rest is as ContinuesAsBefore() found it.
  void End(bool continues, StackWalk& walk, uint64_t epoch) {
    size_t rest = continues ? candidate_ : kEnd;
    uint32_t reported = rest < kEnd ? links_[rest].reported_from_here : 0;
    walk.Set(reported, fresh_frames_.data(), fresh_frame_count_, epoch, this);
    if (fresh_count_ > rest) {
      // Too deep to be remembered.
      begin_ = kEnd;
      return;
    }
    begin_ = rest - fresh_count_;
    if (fresh_count_ == 0) return;
    memcpy(&links_[begin_], &fresh_links_[0], fresh_count_ * sizeof(Link));
    for (size_t i = rest; i-- > begin_;) {
      if (links_[i].kind >= kFirstReported) reported++;
      links_[i].reported_from_here = reported;
    }
  }

 private:
  static constexpr size_t kEnd = StackWalk::kMaxDepth;

  // The first link from `from` on that is no longer what it was, or kEnd.
  size_t FirstChanged(size_t from) const {
    size_t i = from;
    for (; i < kEnd; i++) {
      const Link& link = links_[i];
      bool same = WordAt(link.address + 8) == link.pc && (link.kind == kNative || WordAt(link.address) == link.fp);
      switch (link.kind) {
        case kInterpreted:
          same = same && WordAt(link.fp - 32) == link.first && WordAt(link.fp - 40) == link.second;
          break;
        case kBuiltin: same = same && WordAt(link.fp - 16) == link.first; break;
        case kEntry: same = same && WordAt(link.second) == link.first; break;
        default: break;
      }
      if (!same) break;
    }
    return i;
  }

  MappedArray<Link> links_;  // [begin_, kEnd), innermost first
  MappedArray<Link> fresh_links_;
  MappedArray<RawFrame> fresh_frames_;
  size_t begin_ = kEnd;
  size_t candidate_ = kEnd;
  size_t fresh_count_ = 0;
  size_t fresh_frame_count_ = 0;
  uint64_t retry_above_ = 0;
};

}  // namespace heapray
