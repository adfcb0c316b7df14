// The capture format's constants, described in docs/capture-format.md.
// The reader's side is src/capture/wire.ts; a golden test holds the two together.
#pragma once

#include <cstdint>

namespace heapray::wire {

inline constexpr uint8_t kMagic[8] = {'h', 'e', 'a', 'p', 'r', 'a', 'y', 0};
inline constexpr uint32_t kFormatVersion = 2;
inline constexpr uint32_t kMaxStringBytes = 16u << 20;
inline constexpr uint32_t kMaxBuildIdBytes = 64;

// The low four bits of a tag byte.
inline constexpr uint8_t kEnd = 0;
inline constexpr uint8_t kMalloc = 1;
inline constexpr uint8_t kCalloc = 2;
inline constexpr uint8_t kRealloc = 3;
inline constexpr uint8_t kAlloc = 4;
inline constexpr uint8_t kFree = 5;
inline constexpr uint8_t kMmap = 6;
inline constexpr uint8_t kMunmap = 7;
inline constexpr uint8_t kNode = 8;
inline constexpr uint8_t kFrame = 9;
inline constexpr uint8_t kFunction = 10;
inline constexpr uint8_t kScript = 11;
inline constexpr uint8_t kString = 12;
inline constexpr uint8_t kThread = 13;
inline constexpr uint8_t kSwitch = 14;
inline constexpr uint8_t kExtended = 15;

// The high four bits of a tag byte.
inline constexpr uint8_t kSameStack = 0x10;
inline constexpr uint8_t kSameSize = 0x20;
inline constexpr uint8_t kSameAddress = 0x40;
inline constexpr uint8_t kHeapPages = 0x80;
inline constexpr uint8_t kParentIsPrevious = 0x10;
inline constexpr uint8_t kFrameIsNext = 0x20;
inline constexpr uint8_t kNativeFrame = 0x10;

enum ExtendedType : uint8_t { kSnapshot = 1, kTrailer = 2, kLocation = 3, kTotals = 4, kModule = 5, kSymbol = 6 };

// memray's allocator numbers; heapray's own kinds start at 32.
enum class Allocator : uint8_t {
  kPymallocFree = 1,  // never written: a free is a FREE
  kPymallocMalloc = 2,
  kPymallocCalloc = 3,
  kPymallocRealloc = 4,
  kFree = 5,
  kMalloc = 6,
  kRealloc = 7,
  kCalloc = 8,
  kPosixMemalign = 9,
  kAlignedAlloc = 10,
  kMemalign = 11,
  kValloc = 12,
  kPvalloc = 13,
  kMmap = 14,
  kMunmap = 15,
  kHeapPages = 32,
  kJsObject = 33,
};

}  // namespace heapray::wire
