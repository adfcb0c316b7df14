#include "node/current_isolate.h"

#include <cstring>

namespace heapray {
namespace {

// Of the function: it is a few instructions, in some builds with an assertion before them.
constexpr size_t kSearched = 64;
// mov %fs:disp32, %rax
constexpr uint8_t kLoadAtOffset[] = {0x64, 0x48, 0x8B, 0x04, 0x25};
// mov %fs:(%rax), %rax
constexpr uint8_t kLoadAtRax[] = {0x64, 0x48, 0x8B, 0x00};
// mov disp32(%rip), %rax
constexpr uint8_t kLoadRax[] = {0x48, 0x8B, 0x05};

template <size_t N>
bool StartsWith(const uint8_t* code, const uint8_t (&instruction)[N]) {
  return memcmp(code, instruction, N) == 0;
}

int32_t NumberAt(const uint8_t* code) {
  int32_t number;
  memcpy(&number, code, sizeof number);
  return number;
}

bool Returns(const uint8_t* code) {
  constexpr uint8_t kPopFramePointer = 0x5D;
  constexpr uint8_t kReturn = 0xC3;
  return code[0] == kReturn || (code[0] == kPopFramePointer && code[1] == kReturn);
}

// The offset of the thread-local word that the code loads and returns, or 0.
int64_t OffsetReturned(const uint8_t* code) {
  if (StartsWith(code, kLoadAtOffset) && Returns(code + 9)) return NumberAt(code + 5);
  if (!StartsWith(code, kLoadRax) || !StartsWith(code + 7, kLoadAtRax) || !Returns(code + 11)) return 0;
  int64_t offset;
  memcpy(&offset, code + 7 + NumberAt(code + 3), sizeof offset);
  return offset;
}

}  // namespace

int64_t FindCurrentIsolate(v8::Isolate* isolate) {
  auto* code = reinterpret_cast<const uint8_t*>(&v8::Isolate::TryGetCurrent);
  for (size_t i = 0; i < kSearched; i++) {
    int64_t offset = OffsetReturned(code + i);
    if (offset == 0) continue;
    auto word = reinterpret_cast<uint64_t>(__builtin_thread_pointer()) + static_cast<uint64_t>(offset);
    return *reinterpret_cast<v8::Isolate* const*>(word) == isolate ? offset : 0;
  }
  return 0;
}

}  // namespace heapray
