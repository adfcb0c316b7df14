#include "node/machine_code.h"

#include <algorithm>
#include <cstring>

#include "node/v8_heap.h"

namespace heapray {
namespace {

constexpr int kMostInstructions = 24;
// How V8 calls its built-in code: directly where that is near, else by way of a register or a table.
constexpr uint8_t kCall[] = {0xE8};
constexpr uint8_t kCallR10[] = {0x41, 0xFF, 0xD2};
constexpr uint8_t kLoadR10[] = {0x4C, 0x8B, 0x15};           // mov r10, [rip + displacement]
constexpr uint8_t kSetR10[] = {0x49, 0xBA};                  // mov r10, immediate
constexpr uint8_t kCallThroughRoots[] = {0x41, 0xFF, 0x95};  // call [r13 + displacement]

int32_t Signed32(const uint8_t* bytes) {
  int32_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

// The bytes of an operand in memory or a register: the ModRM byte, and what it says follows.
size_t OperandBytes(const uint8_t* modrm) {
  int mode = modrm[0] >> 6;
  int base = modrm[0] & 7;
  if (mode == 3) return 1;
  size_t bytes = 1;
  if (base == 4) {
    bytes++;
    if (mode == 0 && (modrm[1] & 7) == 5) return bytes + 4;
  }
  if (mode == 0) return base == 5 ? bytes + 4 : bytes;
  return bytes + (mode == 1 ? 1 : 4);
}

constexpr int kUnknown = -1;
constexpr int kNoOperand = -2;

// The bytes of an immediate behind an opcode's operand, or one of the above. (Of the opcodes that compilers use.)
int ImmediateOfOneByte(uint8_t opcode, bool narrow, const uint8_t* modrm) {
  int word = narrow ? 2 : 4;
  if (opcode < 0x40) {
    switch (opcode & 7) {
      case 0:
      case 1:
      case 2:
      case 3: return 0;
      default: return kUnknown;
    }
  }
  if (opcode >= 0x50 && opcode < 0x60) return kNoOperand;
  if (opcode >= 0x84 && opcode <= 0x8D) return 0;
  if (opcode >= 0xD0 && opcode <= 0xD3) return 0;
  switch (opcode) {
    case 0x63: return 0;
    case 0x69: return word;
    case 0x6B:
    case 0x80:
    case 0x83:
    case 0xC0:
    case 0xC1:
    case 0xC6: return 1;
    case 0x81:
    case 0xC7: return word;
    case 0x90:
    case 0x98:
    case 0x99: return kNoOperand;
    case 0xF6: return (modrm[0] >> 3 & 7) < 2 ? 1 : 0;
    case 0xF7: return (modrm[0] >> 3 & 7) < 2 ? word : 0;
    case 0xFE: return 0;
    case 0xFF: return (modrm[0] >> 3 & 7) < 2 ? 0 : kUnknown;  // else a call or a jump
    default: return kUnknown;
  }
}

int ImmediateOfTwoBytes(uint8_t opcode) {
  if (opcode == 0x0B) return kUnknown;
  if (opcode >= 0x70 && opcode <= 0x73) return 1;
  if (opcode == 0x77) return kNoOperand;
  switch (opcode) {
    case 0xA4:
    case 0xAC:
    case 0xBA:
    case 0xC2:
    case 0xC4:
    case 0xC5:
    case 0xC6: return 1;
    default: return 0;
  }
}

}  // namespace

MachineCode::MachineCode(uint64_t code_start, int32_t begin, int32_t end) {
  begin_ = begin < 0 ? 0 : begin;
  address_ = code_start + static_cast<uint64_t>(begin_);
  size_t wanted = end <= begin_ ? 0 : std::min<size_t>(static_cast<size_t>(end - begin_), kMostBytes);
  count_ = V8Heap::CarefulCopy(address_, bytes_, wanted);
}

MachineCode::Instruction MachineCode::Decode(size_t at) const {
  const uint8_t* begin = bytes_ + at;
  const uint8_t* p = begin;
  bool narrow = false;
  for (; *p == 0x66 || *p == 0xF2 || *p == 0xF3; p++) narrow |= *p == 0x66;
  bool wide = false;
  if ((*p & 0xF0) == 0x40) wide = (*p++ & 8) != 0;

  Instruction found;
  int immediate = kUnknown;
  uint8_t opcode = *p++;
  switch (opcode) {
    case 0xE9:
    case 0xEB:
      found.is_jump = true;
      found.jump = opcode == 0xE9 ? Signed32(p) : static_cast<int8_t>(*p);
      p += opcode == 0xE9 ? 4 : 1;
      found.bytes = static_cast<size_t>(p - begin);
      return found;
    case 0x0F:
      opcode = *p++;
      if (opcode >= 0x80 && opcode < 0x90) {
        p += 4;
        immediate = kNoOperand;
      } else if (opcode == 0x38 || opcode == 0x3A) {
        immediate = opcode == 0x3A ? 1 : 0;
        p++;
      } else {
        immediate = ImmediateOfTwoBytes(opcode);
      }
      break;
    case 0xC5:
      opcode = p[1];
      p += 2;
      immediate = ImmediateOfTwoBytes(opcode);
      break;
    case 0xC4: {
      int map = p[0] & 0x1F;
      opcode = p[2];
      p += 3;
      immediate = map == 1 ? ImmediateOfTwoBytes(opcode) : map == 2 ? 0 : 1;
      break;
    }
    default:
      if (opcode >= 0x70 && opcode < 0x80) {
        p += 1;
        immediate = kNoOperand;
      } else if (opcode >= 0xB8 && opcode < 0xC0) {
        p += wide ? 8 : 4;
        immediate = kNoOperand;
      } else {
        immediate = ImmediateOfOneByte(opcode, narrow, p);
        // mov [object - 1], map: pointers to objects are one more than their addresses.
        bool displaced = p[0] >> 6 == 1;
        size_t operand = OperandBytes(p);
        found.is_map_store = wide && opcode == 0x89 && displaced && p[operand - 1] == 0xFF;
      }
  }
  if (immediate == kUnknown) return {};
  if (immediate != kNoOperand) p += OperandBytes(p) + static_cast<size_t>(immediate);
  found.bytes = static_cast<size_t>(p - begin);
  return found;
}

uint64_t MachineCode::CallTargetBefore(int32_t offset, uint64_t roots) const {
  auto at = static_cast<size_t>(offset - begin_);
  if (at < kLongestCall || at > count_) return 0;
  const uint8_t* end = bytes_ + at;
  uint64_t address = address_ + at;
  auto precedes = [](const uint8_t* code, const auto& pattern) {
    return memcmp(code - sizeof pattern, pattern, sizeof pattern) == 0;
  };
  auto distance = [](const uint8_t* code) { return static_cast<uint64_t>(int64_t{Signed32(code - sizeof(int32_t))}); };
  uint64_t target = 0;
  if (precedes(end, kCallR10)) {
    const uint8_t* load = end - sizeof kCallR10;
    if (precedes(load - sizeof(int32_t), kLoadR10)) {
      V8Heap::CarefulCopy(address - sizeof kCallR10 + distance(load), &target, sizeof target);
    } else if (precedes(load - sizeof target, kSetR10)) {
      memcpy(&target, load - sizeof target, sizeof target);
    }
  } else if (precedes(end - sizeof(int32_t), kCallThroughRoots)) {
    V8Heap::CarefulCopy(roots + distance(end), &target, sizeof target);
  } else if (precedes(end - sizeof(int32_t), kCall)) {
    target = address + distance(end);
  }
  return target;
}

int32_t MachineCode::JumpBehind(int32_t offset) const {
  auto at = static_cast<size_t>(offset - begin_);
  for (int i = 0; i < kMostInstructions && at < count_; i++) {
    Instruction instruction = Decode(at);
    if (instruction.bytes == 0) return -1;
    at += instruction.bytes;
    if (instruction.is_jump) return begin_ + static_cast<int32_t>(at) + instruction.jump;
  }
  return -1;
}

int32_t MachineCode::FirstMapStore(int32_t offset) const {
  auto at = static_cast<size_t>(offset - begin_);
  for (int i = 0; i < kMostInstructions && at < count_; i++) {
    Instruction instruction = Decode(at);
    if (instruction.bytes == 0 || instruction.is_jump) return -1;
    if (instruction.is_map_store) return begin_ + static_cast<int32_t>(at);
    at += instruction.bytes;
  }
  return -1;
}

}  // namespace heapray
