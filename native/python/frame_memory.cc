#include "python/frame_memory.h"

namespace heapray {
namespace {

// Keys have a bit that no address has, so that they meet no native frame's.
constexpr uint64_t kCodeKey = uint64_t{1} << 63;
constexpr int kOffsetBits = 24;
constexpr uint64_t kEpoch = 1;

uint64_t NumberIn(uint64_t key) { return (key & ~kCodeKey) >> kOffsetBits; }

RawFrame FrameOf(const frames::Frame* frame) {
  PyCodeObject* code = frames::Code(frame);
  auto offset = static_cast<uint64_t>(static_cast<int64_t>(frames::Offset(frame)));
  uint64_t place = offset & ((uint64_t{1} << kOffsetBits) - 1);
  return {kCodeKey | CodeNumbers::Get().Of(code) << kOffsetBits | place, reinterpret_cast<uint64_t>(code), offset};
}

}  // namespace

size_t FrameMemory::Find(const frames::Frame* frame, size_t below) const {
  size_t end = below > kAhead ? below - kAhead : 0;
  for (size_t i = below; i > end; i--) {
    if (links_[i - 1].frame == frame) return i;
  }
  return 0;
}

size_t FrameMemory::FirstChange(size_t from) const {
  for (size_t i = from;; i--) {
    const Link& link = links_[i];
    const frames::Frame* caller = i == 0 ? nullptr : links_[i - 1].frame;
    if (!IsSame(link) || frames::Caller(link.frame) != caller) return i;
    if (i == 0) return kAllSame;
  }
}

void FrameMemory::Add(const frames::Frame* frame) {
  Link& link = fresh_[fresh_count_++];
  link.frame = frame;
  link.code = frames::CodeWord(frame);
  link.place = frames::PlaceWord(frame);
  link.raw = frames::IsShown(frame) ? FrameOf(frame) : RawFrame{};
}

// Where code died, other code may lie at its address, and be executed by a frame at the same one as before.
void FrameMemory::ForgetDeadCode() {
  CodeNumbers& numbers = CodeNumbers::Get();
  uint64_t deaths = numbers.deaths();
  if (deaths == deaths_) [[likely]]
    return;
  deaths_ = deaths;
  count_ = numbers.FirstDead(
      count_, [this](size_t i) { return links_[i].raw.fp; }, [this](size_t i) { return NumberIn(links_[i].raw.key); });
}

void FrameMemory::Look(const frames::Frame* innermost) {
  ForgetDeadCode();
  fresh_count_ = 0;
  size_t kept = 0;
  size_t candidates = count_;
  for (const frames::Frame* frame = innermost; frame != nullptr && fresh_count_ < kMost;) {
    if (size_t found = Find(frame, candidates); found != 0) {
      size_t change = FirstChange(found - 1);
      if (change == kAllSame) {
        kept = found;
        break;
      }
      // What is further in than the change hangs under something else now.
      for (size_t i = found - 1; i > change && fresh_count_ < kMost - 1; i--) fresh_[fresh_count_++] = links_[i];
      frame = links_[change].frame;
      candidates = change;
    }
    Add(frame);
    frame = frames::Caller(frame);
  }
  unchanged_ = kept == 0 ? 0 : links_[kept - 1].shown;
  count_ = kept;
  Remember();
}

void FrameMemory::Remember() {
  fresh_shown_ = 0;
  for (size_t i = 0; i < fresh_count_; i++) {
    if (fresh_[i].raw.key != 0) fresh_frames_[fresh_shown_++] = fresh_[i].raw;
  }
  if (fresh_count_ > kMost - count_) {
    count_ = 0;
    return;
  }
  uint32_t shown = unchanged_;
  for (size_t i = fresh_count_; i-- > 0;) {
    Link& link = links_[count_++];
    link = fresh_[i];
    if (link.raw.key != 0) shown++;
    link.shown = shown;
  }
}

void FrameMemory::Tell(StackWalk& walk) const {
  walk.Set(unchanged_, fresh_frames_.data(), fresh_shown_, kEpoch, this);
}

}  // namespace heapray
