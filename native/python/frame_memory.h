// The frames that the last walk of a thread met. Most stacks differ from the last one in a few inner frames: of the
// rest it is only asked whether it is what it was, which needs no load to wait for another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "python/code_numbers.h"
#include "python/frames.h"
#include "stacks/mapped_array.h"
#include "stacks/stack_source.h"

namespace heapray {

class FrameMemory {
 public:
  FrameMemory()
      : links_(kMost),
        fresh_(kMost),
        fresh_frames_(kMost),
        usable_(links_.usable() && fresh_.usable() && fresh_frames_.usable()) {}

  bool usable() const { return usable_; }

  // Drops what was remembered of the last walk.
  void Forget() { count_ = 0; }
  // Looks at the frames from `innermost` on. Callable inside any hook.
  void Look(const frames::Frame* innermost);
  // Sets `walk`, which was the last time set by this too or Forget() was called since, to what is shown of them.
  void Tell(StackWalk& walk) const;

  // A frame as Look() found it: whether it is shown, and where the run of the interpreter ends that executes it.
  struct Seen {
    const RawFrame* shown;  // or nullptr
    bool ends_run;
  };
  // Their number, and the one that is `i` frames away from the innermost; 0 where there are too many to be remembered.
  size_t count() const { return count_; }
  Seen FromInnermost(size_t i) const {
    const Link& link = links_[count_ - 1 - i];
    return {link.raw.key == 0 ? nullptr : &link.raw, frames::EndsRun(link.frame)};
  }

 private:
  static constexpr size_t kMost = StackWalk::kMaxDepth;
  // How far out the frame is looked for that the last walk met: so many calls may have returned since.
  static constexpr size_t kAhead = 16;

  struct Link {
    const frames::Frame* frame;
    uint64_t code;
    uint64_t place;
    RawFrame raw;    // key 0: not shown
    uint32_t shown;  // frames that are, of this one and all outer ones
  };

  static bool IsSame(const Link& link) {
    return frames::CodeWord(link.frame) == link.code && frames::PlaceWord(link.frame) == link.place;
  }
  // How many links lead to `frame`, of those below `below`; 0: it is not among the next ones.
  size_t Find(const frames::Frame* frame, size_t below) const;
  // The index of the first link, from `from` outwards, that is not what it was or does not lead to the next one; or
  // kAllSame.
  size_t FirstChange(size_t from) const;
  static constexpr size_t kAllSame = SIZE_MAX;
  void Add(const frames::Frame* frame);
  void Remember();
  void ForgetDeadCode();

  MappedArray<Link> links_;  // outermost first
  MappedArray<Link> fresh_;  // innermost first
  MappedArray<RawFrame> fresh_frames_;
  bool usable_;
  size_t count_ = 0;
  size_t fresh_count_ = 0;
  size_t fresh_shown_ = 0;
  uint32_t unchanged_ = 0;
  uint64_t deaths_ = 0;  // of code, when the links were made
};

}  // namespace heapray
