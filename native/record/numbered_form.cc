#include "record/numbered_form.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "record/wire.h"

namespace heapray {
namespace {

using wire::Allocator;

constexpr size_t kWindow = 1u << 20;
// More bytes than any record has, but for the contents of STRING and EXTENDED.
constexpr size_t kMargin = 8192;
constexpr size_t kFixedHeader = 16;
constexpr uint32_t kMaxMetadata = 16u << 20;
constexpr uint32_t kNumberedVersion = 3;
constexpr int kAddressBits = 48;
// Bytes of the longest record of an allocation or a free that is not damaged.
constexpr ptrdiff_t kLongest = 32;

uint8_t* PutVarint(uint8_t* to, uint64_t value) {
  while (value > 127) {
    *to++ = static_cast<uint8_t>(value) | 128;
    value >>= 7;
  }
  *to++ = static_cast<uint8_t>(value);
  return to;
}

uint64_t Zigzag(int64_t value) { return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63); }

int64_t Unzigzag(uint64_t value) { return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1); }

uint8_t* PutDifference(uint8_t* to, int64_t difference) {
  bool eights = difference % 8 == 0;
  return PutVarint(to, eights ? Zigzag(difference / 8) * 2 : Zigzag(difference) * 2 + 1);
}

// The address that lies so far, as a varint says it, from another; beyond all addresses where there is none.
uint64_t AddressFrom(uint64_t address, uint64_t varint) {
  int64_t difference = Unzigzag(varint >> 1);
  if (difference >> (kAddressBits + 1) != 0 && difference >> (kAddressBits + 1) != -1) return ~uint64_t{0};
  if ((varint & 1) == 0) difference *= 8;
  return address + static_cast<uint64_t>(difference);
}

// Whether a record can be of an allocation by it.
bool IsAllocator(uint8_t number) {
  auto allocator = static_cast<Allocator>(number);
  return number != 0 && allocator != Allocator::kFree && allocator != Allocator::kPymallocFree &&
         allocator != Allocator::kMunmap;
}

bool IsRange(uint8_t type, uint8_t allocator) {
  return type >= wire::kMmap || allocator == static_cast<uint8_t>(Allocator::kMmap) ||
         allocator == static_cast<uint8_t>(Allocator::kHeapPages);
}

// The tag of a range's record without an address, from that of any record that is about one.
uint8_t RangeTag(uint8_t tag, uint8_t allocator) {
  if ((tag & 15) != wire::kAlloc) return tag & static_cast<uint8_t>(~wire::kSameAddress);
  uint8_t same = tag & (wire::kSameStack | wire::kSameSize);
  return wire::kMmap | same | (allocator == static_cast<uint8_t>(Allocator::kHeapPages) ? wire::kHeapPages : 0);
}

uint8_t* Put(uint8_t* to, const uint8_t* from, const uint8_t* end) {
  while (from < end) *to++ = *from++;
  return to;
}

}  // namespace

NumberedForm::~NumberedForm() {
  free(window_);
  free(threads_);
}

bool NumberedForm::Begin() {
  window_ = static_cast<uint8_t*>(malloc(kWindow + kMargin));
  if (window_ == nullptr || !AddThread()) return false;
  position_ = end_ = record_ = window_;
  if (!Fill() || static_cast<size_t>(end_ - position_) < kFixedHeader) return false;
  uint32_t version;
  uint32_t metadata;
  memcpy(&version, window_ + sizeof wire::kMagic, sizeof version);
  memcpy(&metadata, window_ + sizeof wire::kMagic + sizeof version, sizeof metadata);
  if (memcmp(window_, wire::kMagic, sizeof wire::kMagic) != 0) return false;
  if (version == 0 || version >= kNumberedVersion || metadata > kMaxMetadata) return false;
  memcpy(window_ + sizeof wire::kMagic, &kNumberedVersion, sizeof kNumberedVersion);
  copying_ = kFixedHeader + metadata;
  return true;
}

// Has more than any record's bytes in the window, or the end of the file.
bool NumberedForm::Fill() {
  auto left = static_cast<size_t>(end_ - position_);
  memmove(window_, position_, left);
  position_ = record_ = window_;
  end_ = window_ + left;
  while (!at_end_ && static_cast<size_t>(end_ - window_) < kWindow) {
    ssize_t count = read(file_, window_ + (end_ - window_), kWindow - static_cast<size_t>(end_ - window_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      state_ = State::kUnreadable;
      return false;
    }
    if (count == 0) at_end_ = true;
    end_ += count;
    taken_ += static_cast<uint64_t>(count);
  }
  memset(window_ + (end_ - window_), 0, kMargin);
  return true;
}

size_t NumberedForm::Next(uint8_t* out, size_t room) {
  uint8_t* to = out;
  const uint8_t* end = out + room;
  while (to < end && state_ == State::kMore) {
    if (!at_end_ && static_cast<size_t>(end_ - position_) < kMargin && !Fill()) break;
    if (copying_ > 0) {
      to = Copy(to, end);
      continue;
    }
    to = RewriteBlocks(to, end);
    if (to < end && state_ == State::kMore) to = Rewrite(to);
  }
  return static_cast<size_t>(to - out);
}

uint8_t* NumberedForm::Copy(uint8_t* to, const uint8_t* end) {
  uint64_t count = std::min({copying_, static_cast<uint64_t>(end_ - position_), static_cast<uint64_t>(end - to)});
  memcpy(to, position_, count);
  position_ += count;
  copying_ -= count;
  if (count == 0 || (copying_ == 0 && last_)) state_ = State::kEnd;
  return to + count;
}

uint64_t NumberedForm::Varint() {
  uint8_t first = *position_++;
  return first < 128 ? first : LongVarint(first & 127);
}

uint64_t NumberedForm::LongVarint(uint64_t value) {
  for (int shift = 7;; shift += 7) {
    if (shift > 63) {
      long_number_ = true;
      return value;
    }
    uint8_t byte = *position_++;
    // More than 64 bits are more than anything can be.
    value = shift == 63 && (byte & 127) > 1 ? ~uint64_t{0} : value | static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

// Writes the records of blocks that come next, with nothing else in it and its state in locals, for this is what the
// form costs. Leaves to Rewrite() what is not as it should be, and all that is near the window's end.
uint8_t* NumberedForm::RewriteBlocks(uint8_t* to, const uint8_t* end) {
  constexpr uint8_t kPlain = 0x80;
  Thread& thread = threads_[thread_];
  const uint8_t* at = position_;
  const uint8_t* safe = end_ - std::min(static_cast<size_t>(end_ - at), kMargin);
  uint64_t address = thread.address;
  uint64_t freed = thread.freed;
  while (to < end && at < safe) {
    const uint8_t* next = at;
    uint8_t tag = *next++;
    uint8_t type = tag & 15;
    if (type < wire::kMalloc || type > wire::kFree) break;
    const uint8_t* content = next;
    if (type == wire::kAlloc) {
      if (!IsAllocator(*content) || IsRange(type, *content)) break;
      next++;
    }
    if (type != wire::kFree) {
      if ((tag & wire::kSameStack) == 0) {
        while (*next++ >= kPlain) {
        }
      }
      if ((tag & wire::kSameSize) == 0) {
        while (*next++ >= kPlain) {
        }
      }
    }
    const uint8_t* fields_end = next;
    uint64_t there = address;
    if ((tag & wire::kSameAddress) == 0) {
      uint64_t difference = 0;
      int shift = 0;
      uint8_t byte;
      do {
        byte = *next++;
        difference |= static_cast<uint64_t>(byte & 127) << shift;
        shift += 7;
      } while (byte >= kPlain && shift < 56);
      if (byte >= kPlain) break;
      there = AddressFrom(address, difference);
    }
    if (next - at > kLongest || there >> kAddressBits != 0) break;
    uint64_t* slot = numbers_.At(there);
    if (slot == nullptr) break;
    uint64_t number = *slot;
    *slot = type == wire::kFree ? 0 : ++block_;
    at = next;
    address = there;
    if (number != 0 || type != wire::kFree) to = PutThread(to);
    if (number != 0) {
      *to++ = wire::kFree;
      to = PutVarint(to, Zigzag(static_cast<int64_t>(number - freed - 1)));
      freed = number;
    }
    if (type != wire::kFree) {
      *to++ = tag & static_cast<uint8_t>(~wire::kSameAddress);
      to = Put(to, content, fields_end);
    }
  }
  thread.address = address;
  thread.freed = freed;
  position_ = at;
  return to;
}

// Writes one record, or finds the capture's end.
uint8_t* NumberedForm::Rewrite(uint8_t* to) {
  record_ = position_;
  uint8_t tag = *position_++;
  uint8_t type = tag & 15;
  if (type >= wire::kMalloc && type <= wire::kMunmap) return RewriteAllocation(to, tag);
  if (type == wire::kEnd) return End(to, tag == 0 ? State::kEnd : State::kDamaged);
  if (type != wire::kSwitch) return RewriteOther(to, tag);
  uint64_t thread = Varint();
  if (long_number_) return End(to, State::kDamaged);
  if (position_ > end_) return End(to, State::kEnd);
  if (thread >= thread_count_) return End(to, State::kDamaged);
  thread_ = thread;
  return to;
}

uint8_t* NumberedForm::RewriteAllocation(uint8_t* to, uint8_t tag) {
  uint8_t type = tag & 15;
  uint8_t allocator = type == wire::kAlloc ? *position_++ : 0;
  const uint8_t* fields = position_;
  if (type != wire::kFree && type != wire::kMunmap) {
    if ((tag & wire::kSameStack) == 0) Varint();
    if ((tag & wire::kSameSize) == 0) Varint();
  }
  const uint8_t* fields_end = position_;
  Thread& thread = threads_[thread_];
  uint64_t address = thread.address;
  if ((tag & wire::kSameAddress) == 0) address = AddressFrom(address, Varint());
  const uint8_t* address_end = position_;
  if (type == wire::kMunmap) Varint();
  if (long_number_) return End(to, State::kDamaged);
  if (position_ > end_) return End(to, State::kEnd);
  if (address >> kAddressBits != 0) return End(to, State::kDamaged);
  if (type == wire::kAlloc && !IsAllocator(allocator)) return End(to, State::kDamaged);
  thread.address = address;
  if (type == wire::kFree) {
    uint64_t* slot = numbers_.At(address);
    if (slot == nullptr) return End(to, State::kNoMemory);
    uint64_t number = std::exchange(*slot, 0);
    return number == 0 ? to : PutFree(PutThread(to), number);
  }
  to = PutThread(to);
  if (IsRange(type, allocator)) {
    auto difference = static_cast<int64_t>(address - thread.range);
    thread.range = address;
    *to++ = RangeTag(tag, allocator) | (difference == 0 ? wire::kSameAddress : 0);
    to = Put(to, fields, fields_end);
    if (difference != 0) to = PutDifference(to, difference);
    return Put(to, address_end, position_);
  }
  uint64_t* slot = numbers_.At(address);
  if (slot == nullptr) return End(to, State::kNoMemory);
  uint64_t replaced = std::exchange(*slot, ++block_);
  if (replaced != 0) to = PutFree(to, replaced);
  *to++ = tag & static_cast<uint8_t>(~wire::kSameAddress);
  if (type == wire::kAlloc) *to++ = allocator;
  return Put(to, fields, fields_end);
}

// A record that is about no address: it is copied.
uint8_t* NumberedForm::RewriteOther(uint8_t* to, uint8_t tag) {
  uint8_t type = tag & 15;
  uint64_t content = 0;
  bool last = false;
  const uint8_t* numbers = position_;
  if (type == wire::kString || type == wire::kExtended) {
    uint8_t subtype = type == wire::kExtended ? *position_++ : 0;
    content = Varint();
    last = type == wire::kExtended && subtype == wire::kTrailer;
    if (position_ <= end_ && content > wire::kMaxStringBytes) return End(to, State::kDamaged);
  } else {
    uint64_t varints = 2;
    if (type == wire::kNode) {
      varints = ((tag & wire::kParentIsPrevious) == 0 ? 1 : 0) + ((tag & wire::kFrameIsNext) == 0 ? 1 : 0);
    } else if (type == wire::kFrame && (tag & wire::kNativeFrame) == 0) {
      uint64_t inlined = Varint();
      if (position_ <= end_ && (inlined < 1 || inlined > 255)) return End(to, State::kDamaged);
      varints = 3 * inlined;
    } else if (type == wire::kFunction) {
      varints = 4;
    } else if (type == wire::kThread) {
      varints = 3;
    }
    for (uint64_t i = 0; i < varints && position_ <= end_ && !long_number_; i++) Varint();
  }
  if (long_number_) return End(to, State::kDamaged);
  if (position_ > end_) return End(to, State::kEnd);
  if (type == wire::kThread) {
    const uint8_t* after = position_;
    position_ = numbers;
    uint64_t index = Varint();
    position_ = after;
    if (index < 1 || index > thread_count_) return End(to, State::kDamaged);
    if (index == thread_count_ && !AddThread()) return End(to, State::kNoMemory);
  }
  // A snapshot is one of the thread's.
  if (type == wire::kExtended) to = PutThread(to);
  copying_ = content;
  last_ = last;
  // Without content, too, nothing follows the trailer.
  if (last && content == 0) state_ = State::kEnd;
  return Put(to, record_, position_);
}

// Tells the thread of what follows, where it is another one.
uint8_t* NumberedForm::PutThread(uint8_t* to) {
  if (thread_ == written_) return to;
  written_ = thread_;
  *to++ = wire::kSwitch;
  return PutVarint(to, thread_);
}

uint8_t* NumberedForm::PutFree(uint8_t* to, uint64_t number) {
  Thread& thread = threads_[thread_];
  auto difference = static_cast<int64_t>(number - thread.freed - 1);
  thread.freed = number;
  *to++ = wire::kFree;
  return PutVarint(to, Zigzag(difference));
}

bool NumberedForm::AddThread() {
  auto* grown = static_cast<Thread*>(realloc(threads_, (thread_count_ + 1) * sizeof(Thread)));
  if (grown == nullptr) return false;
  threads_ = grown;
  threads_[thread_count_++] = Thread();
  return true;
}

}  // namespace heapray
