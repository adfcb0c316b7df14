// The links that the last walk of a thread followed. Most stacks differ from the last one in a few inner frames: the
// rest is verified against memory, which needs no load to wait for another, instead of being followed again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stacks/mapped_array.h"
#include "stacks/stack_source.h"
#include "stacks/word_at.h"

namespace heapray {

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
    Kind kind;
  };

  WalkMemory()
      : known_(kMost),
        pair_addresses_(2 * kMost),
        pairs_(2 * kMost),
        words_(kMost),
        fresh_links_(kMost),
        fresh_frames_(kMost),
        usable_(known_.usable() && pair_addresses_.usable() && pairs_.usable() && words_.usable() &&
                fresh_links_.usable() && fresh_frames_.usable()) {}

  bool usable() const { return usable_; }

  void Forget() { count_ = 0; }

  // What two words of the stack were.
  struct alignas(16) Pair {
    uint64_t first;
    uint64_t second;
    bool operator==(const Pair&) const = default;
  };
  // What a word of the stack was.
  struct Word {
    uint64_t address;
    uint64_t value;
  };
  static bool IsZero(__m128i bits) { return _mm_movemask_epi8(_mm_cmpeq_epi8(bits, _mm_setzero_si128())) == 0xFFFF; }
  // All zeros if the two words at `address` are what they were.
  static __m128i Difference(const Pair& pair, uint64_t address) {
    __m128i was = _mm_load_si128(reinterpret_cast<const __m128i*>(&pair));
    return _mm_xor_si128(was, TwoWordsAt(address));
  }

  // All that the last walk read, outermost first; nothing where that is not known.
  struct Contents {
    const Pair* pairs;
    const uint64_t* pair_addresses;
    size_t pair_count;
    const Word* words;
    size_t word_count;
  };
  Contents contents() const {
    if (count_ == 0) return {};
    return {pairs_.data(), pair_addresses_.data(), known_[count_ - 1].pairs, words_.data(), known_[count_ - 1].words};
  }

  // Begins a walk. What was remembered is good if the last walk was made with it, and found something to go on from.
  void Begin(const StackWalk& last) {
    if (last.maker() != this || last.depth() == 0) Forget();
    candidates_ = count_;
    unchanged_ = kNotLooked;
    fresh_count_ = fresh_frame_count_ = 0;
  }

  // Whether the walk, now at `address`, will go on as the last one did from there.
  bool ContinuesAsBefore(uint64_t address) {
    while (candidates_ > 0 && known_[candidates_ - 1].address < address) candidates_--;
    if (candidates_ == 0) return false;
    // The stack stays as it is while it is walked: one look is enough.
    if (unchanged_ == kNotLooked) unchanged_ = CountUnchanged(candidates_);
    return candidates_ <= unchanged_ && known_[candidates_ - 1].address == address;
  }

  bool full() const { return fresh_count_ >= kMost - 1 || fresh_frame_count_ >= kMost - 1; }
  void AddLink(const Link& link) { fresh_links_[fresh_count_++] = link; }
  void AddFrame(const RawFrame& frame) { fresh_frames_[fresh_frame_count_++] = frame; }
  void AddNative(uint64_t address, uint64_t pc) {
    AddLink({address, 0, pc, 0, 0, kNative});
    AddFrame({pc, 0, pc});
  }

  // Ends the walk: `continues` says that the rest is as ContinuesAsBefore() found it.
  void End(bool continues, StackWalk& walk, uint64_t epoch) {
    count_ = continues ? candidates_ : 0;
    walk.Set(count_ > 0 ? known_[count_ - 1].reported : 0, fresh_frames_.data(), fresh_frame_count_, epoch, this);
    if (fresh_count_ == 0) return;
    if (fresh_count_ > kMost - count_) {
      // Too deep to be remembered.
      Forget();
      return;
    }
    for (size_t i = fresh_count_; i-- > 0;) Remember(fresh_links_[i]);
  }

 private:
  static constexpr size_t kMost = StackWalk::kMaxDepth;
  static constexpr size_t kNotLooked = SIZE_MAX;

  // A link that was followed; the counts are those of this one and all outer ones.
  struct Known {
    uint64_t address;
    uint32_t pairs;
    uint32_t words;
    uint32_t reported;  // frames shown
  };
  // How many of the outermost `count` links are what they were, and all that are further out.
  size_t CountUnchanged(size_t count) const {
    size_t pairs = UnchangedPairs(known_[count - 1].pairs);
    size_t words = 0;
    size_t all_words = known_[count - 1].words;
    while (words < all_words && WordAt(words_[words].address) == words_[words].value) words++;
    while (count > 0 && (known_[count - 1].pairs > pairs || known_[count - 1].words > words)) count--;
    return count;
  }

  size_t UnchangedPairs(size_t count) const {
    constexpr size_t kAtOnce = 4;
    const uint64_t* addresses = pair_addresses_.data();
    const Pair* pairs = pairs_.data();
    auto difference = [=](size_t i) { return Difference(pairs[i], addresses[i]); };
    size_t i = 0;
    for (; i + kAtOnce <= count; i += kAtOnce) {
      __m128i two = _mm_or_si128(difference(i), difference(i + 1));
      __m128i two_more = _mm_or_si128(difference(i + 2), difference(i + 3));
      if (!IsZero(_mm_or_si128(two, two_more))) break;
    }
    while (i < count && IsZero(difference(i))) i++;
    return i;
  }

  void Remember(const Link& link) {
    Known known{link.address, 0, 0, 0};
    if (count_ > 0)
      known = {link.address, known_[count_ - 1].pairs, known_[count_ - 1].words, known_[count_ - 1].reported};
    if (link.kind >= kFirstReported) known.reported++;
    if (link.kind == kNative) {
      words_[known.words++] = {link.address + 8, link.pc};
    } else {
      RememberPair(known.pairs++, link.address, link.fp, link.pc);
    }
    switch (link.kind) {
      case kInterpreted: RememberPair(known.pairs++, link.fp - 40, link.second, link.first); break;
      case kBuiltin: words_[known.words++] = {link.fp - 16, link.first}; break;
      case kEntry: words_[known.words++] = {link.second, link.first}; break;
      default: break;
    }
    known_[count_++] = known;
  }
  void RememberPair(size_t pair, uint64_t address, uint64_t first, uint64_t second) {
    pair_addresses_[pair] = address;
    pairs_[pair] = {first, second};
  }

  // Outermost first; what is to be compared lies apart, so that a look at it reads nothing else.
  MappedArray<Known> known_;
  MappedArray<uint64_t> pair_addresses_;
  MappedArray<Pair> pairs_;
  MappedArray<Word> words_;
  MappedArray<Link> fresh_links_;  // innermost first
  MappedArray<RawFrame> fresh_frames_;
  bool usable_;
  size_t count_ = 0;
  size_t candidates_ = 0;  // links that the walk has not passed yet
  size_t unchanged_ = kNotLooked;
  size_t fresh_count_ = 0;
  size_t fresh_frame_count_ = 0;
};

}  // namespace heapray
