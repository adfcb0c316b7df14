#include "stacks/x86_instruction.h"

#include <cstring>

namespace heapray {
namespace {

using Kind = Instruction::Kind;

constexpr uint8_t kLongest = 15;
constexpr uint8_t kStackPointer = 4;
constexpr uint8_t kFramePointer = 5;

// What follows an opcode: a ModRM byte with its address, and an immediate operand.
enum Operands : uint8_t {
  kNone = 0,
  kModRm = 1,
  kByte = 2,
  kWord = 4,     // 4 bytes, 2 with the operand size prefix
  kInvalid = 8,  // or none that compilers make
};

// A set of opcodes, as ranges.
struct OpcodeRange {
  uint8_t first;
  uint8_t last;
  uint8_t operands;
};

constexpr OpcodeRange kOneByte[] = {
    {0x06, 0x07, kInvalid},       {0x0e, 0x0e, kInvalid},       {0x16, 0x17, kInvalid},
    {0x1e, 0x1f, kInvalid},       {0x27, 0x27, kInvalid},       {0x2f, 0x2f, kInvalid},
    {0x37, 0x37, kInvalid},       {0x3f, 0x3f, kInvalid},       {0x60, 0x62, kInvalid},
    {0x63, 0x63, kModRm},         {0x68, 0x68, kWord},          {0x69, 0x69, kModRm | kWord},
    {0x6a, 0x6a, kByte},          {0x6b, 0x6b, kModRm | kByte}, {0x70, 0x7f, kByte},
    {0x80, 0x80, kModRm | kByte}, {0x81, 0x81, kModRm | kWord}, {0x82, 0x82, kInvalid},
    {0x83, 0x83, kModRm | kByte}, {0x84, 0x8f, kModRm},         {0x9a, 0x9a, kInvalid},
    {0xa0, 0xa3, kInvalid},       {0xa8, 0xa8, kByte},          {0xa9, 0xa9, kWord},
    {0xb0, 0xb7, kByte},          {0xc0, 0xc1, kModRm | kByte}, {0xc6, 0xc6, kModRm | kByte},
    {0xc7, 0xc7, kModRm | kWord}, {0xc8, 0xc8, kInvalid},       {0xca, 0xcb, kInvalid},
    {0xcd, 0xcd, kByte},          {0xce, 0xcf, kInvalid},       {0xd0, 0xd3, kModRm},
    {0xd4, 0xd6, kInvalid},       {0xd8, 0xdf, kModRm},         {0xe0, 0xe7, kByte},
    {0xea, 0xea, kInvalid},       {0xeb, 0xeb, kByte},          {0xf6, 0xf7, kModRm},
    {0xfe, 0xff, kModRm},
};

// Opcodes behind 0f that have no ModRM byte, or an immediate operand; the others have a ModRM byte.
constexpr OpcodeRange kTwoBytes[] = {
    {0x04, 0x04, kInvalid},       {0x05, 0x09, kNone},          {0x0a, 0x0a, kInvalid},
    {0x0c, 0x0c, kInvalid},       {0x0e, 0x0e, kNone},          {0x0f, 0x0f, kInvalid},
    {0x30, 0x37, kNone},          {0x70, 0x73, kModRm | kByte}, {0x77, 0x77, kNone},
    {0xa0, 0xa2, kNone},          {0xa4, 0xa4, kModRm | kByte}, {0xa8, 0xaa, kNone},
    {0xac, 0xac, kModRm | kByte}, {0xba, 0xba, kModRm | kByte}, {0xc2, 0xc2, kModRm | kByte},
    {0xc4, 0xc6, kModRm | kByte}, {0xc8, 0xcf, kNone},
};

template <size_t count>
uint8_t Lookup(const OpcodeRange (&ranges)[count], uint8_t opcode, uint8_t otherwise) {
  for (const OpcodeRange& range : ranges) {
    if (opcode >= range.first && opcode <= range.last) return range.operands;
  }
  return otherwise;
}

uint8_t OneByteOperands(uint8_t opcode) {
  // The arithmetic block: eight operations with six forms each.
  if (opcode < 0x40 && (opcode & 7) < 4) return kModRm;
  if (opcode < 0x40 && (opcode & 7) == 4) return kByte;
  if (opcode < 0x40 && (opcode & 7) == 5) return kWord;
  return Lookup(kOneByte, opcode, kNone);
}

class Decoder {
 public:
  Decoder(uint64_t address, uint64_t end) : begin_(address), at_(address), end_(end) {}

  Instruction Run() {
    Prefixes();
    if (opcode_ == 0xc4 || opcode_ == 0xc5 || opcode_ == 0x62) {
      Vector();
    } else if (opcode_ == 0x0f) {
      TwoBytes();
    } else {
      OneByte();
    }
    if (overrun_ || at_ - begin_ > kLongest) result_.kind = Kind::kLost;
    result_.bytes = static_cast<uint8_t>(at_ - begin_);
    return result_;
  }

 private:
  uint8_t Byte() {
    if (at_ >= end_) {
      overrun_ = true;
      return 0;
    }
    return *reinterpret_cast<const uint8_t*>(at_++);
  }
  int32_t Signed(unsigned bytes) {
    int32_t value = 0;
    if (bytes > end_ - at_) {
      overrun_ = true;
      return 0;
    }
    if (bytes == 1) {
      value = static_cast<int8_t>(Byte());
    } else {
      memcpy(&value, reinterpret_cast<const void*>(at_), bytes);
      at_ += bytes;
    }
    return value;
  }

  void Prefixes() {
    opcode_ = Byte();
    while (opcode_ == 0x66 || opcode_ == 0xf2 || opcode_ == 0xf3 || opcode_ == 0x2e || opcode_ == 0x36 ||
           opcode_ == 0x3e || opcode_ == 0x26 || opcode_ == 0x64 || opcode_ == 0x65 || opcode_ == 0xf0 ||
           opcode_ == 0x67) {
      small_operand_ = small_operand_ || opcode_ == 0x66;
      opcode_ = Byte();
      if (overrun_) return;
    }
    if ((opcode_ & 0xf0) == 0x40) {
      rex_ = opcode_;
      opcode_ = Byte();
    }
  }

  // Reads a ModRM byte and the address that it announces.
  void ModRm() {
    uint8_t modrm = Byte();
    mode_ = modrm >> 6;
    reg_ = (modrm >> 3 & 7) | ((rex_ & 4) << 1);
    rm_ = modrm & 7;
    if (mode_ == 3) {
      rm_ |= (rex_ & 1) << 3;
      return;
    }
    bool relative = mode_ == 0 && rm_ == 5;
    if (rm_ == 4) {
      uint8_t sib = Byte();
      base_ = (sib & 7) | ((rex_ & 1) << 3);
      has_index_ = (sib >> 3 & 7) != 4 || (rex_ & 2) != 0;
      relative = mode_ == 0 && (sib & 7) == 5;
    } else {
      base_ = rm_ | ((rex_ & 1) << 3);
    }
    if (mode_ == 1) displacement_ = Signed(1);
    if (mode_ == 2 || relative) displacement_ = Signed(4);
  }

  void Read(uint8_t operands) {
    if ((operands & kInvalid) != 0) overrun_ = true;
    if ((operands & kModRm) != 0) ModRm();
    if ((operands & kByte) != 0) immediate_ = Signed(1);
    if ((operands & kWord) != 0) immediate_ = Signed(small_operand_ ? 2 : 4);
  }

  bool WritesStackPointer() const { return mode_ == 3 && rm_ == kStackPointer; }

  void OneByte() {
    result_.kind = Kind::kOther;
    uint8_t low = (opcode_ & 7) | ((rex_ & 1) << 3);
    if (opcode_ >= 0x50 && opcode_ <= 0x5f) {
      result_.kind = opcode_ < 0x58 ? Kind::kPush : Kind::kPop;
      result_.reg = low;
      if (result_.kind == Kind::kPop && low == kStackPointer) result_.kind = Kind::kLost;
      return;
    }
    if (opcode_ >= 0xb8 && opcode_ <= 0xbf) {
      if ((rex_ & 8) != 0) {
        Signed(4);
        Signed(4);
      } else {
        Signed(small_operand_ ? 2 : 4);
      }
      if (low == kStackPointer) result_.kind = Kind::kLost;
      return;
    }
    switch (opcode_) {
      case 0xe8: Signed(4); return;
      case 0xe9: Jump(Kind::kJump, Signed(4)); return;
      case 0xc2:
        Signed(2);
        result_.kind = Kind::kLost;
        return;
      case 0xc3: result_.kind = Kind::kReturn; return;
      case 0xc9: result_.kind = Kind::kLeave; return;
      case 0xcc:
      case 0xf4: result_.kind = Kind::kLost; return;
      case 0x9c: result_.kind = Kind::kPush; return;
      case 0x9d: result_.kind = Kind::kPop; return;
      default: break;
    }
    Read(OneByteOperands(opcode_));
    if (opcode_ == 0xf6 && (reg_ & 7) < 2) Signed(1);
    if (opcode_ == 0xf7 && (reg_ & 7) < 2) Signed(small_operand_ ? 2 : 4);
    if (opcode_ >= 0x70 && opcode_ <= 0x7f) Jump(Kind::kBranch, immediate_);
    if (opcode_ >= 0xe0 && opcode_ <= 0xe3) Jump(Kind::kBranch, immediate_);
    if (opcode_ == 0xeb) Jump(Kind::kJump, immediate_);
    if (opcode_ == 0x68 || opcode_ == 0x6a) result_.kind = Kind::kPush;
    OneByteWithModRm();
  }

  void OneByteWithModRm() {
    switch (opcode_) {
      case 0x80:
      case 0x81:
      case 0x83:
        if (!WritesStackPointer() || (reg_ & 7) == 7) return;
        result_.value = (reg_ & 7) == 0 ? immediate_ : -immediate_;
        result_.kind = (reg_ & 7) == 0 || (reg_ & 7) == 5 ? Kind::kMoveStack : Kind::kLost;
        return;
      case 0x89:  // mov to rm
        if (WritesStackPointer()) result_.kind = reg_ == kFramePointer ? Kind::kStackFromFrame : Kind::kLost;
        return;
      case 0x8b:  // mov to reg
        if (reg_ != kStackPointer) return;
        result_.kind = mode_ == 3 && rm_ == kFramePointer ? Kind::kStackFromFrame : Kind::kLost;
        return;
      case 0x8d:  // lea
        if (reg_ != kStackPointer) return;
        result_.value = displacement_;
        result_.kind = has_index_               ? Kind::kLost
                       : base_ == kStackPointer ? Kind::kMoveStack
                       : base_ == kFramePointer ? Kind::kStackFromFrame
                                                : Kind::kLost;
        return;
      case 0x8f: result_.kind = Kind::kPop; return;
      case 0xff:
        if ((reg_ & 7) == 6) result_.kind = Kind::kPush;
        if ((reg_ & 7) == 4) result_.kind = Kind::kIndirectJump;
        return;
      default: break;
    }
    bool arithmetic = opcode_ < 0x40 && (opcode_ & 7) < 4 && opcode_ < 0x38;
    bool to_reg = (opcode_ & 2) != 0;
    if (arithmetic && (to_reg ? reg_ == kStackPointer : WritesStackPointer())) result_.kind = Kind::kLost;
  }

  void TwoBytes() {
    opcode_ = Byte();
    result_.kind = Kind::kOther;
    if (opcode_ >= 0x80 && opcode_ <= 0x8f) {
      Jump(Kind::kBranch, Signed(4));
      return;
    }
    if (opcode_ == 0x0b) {  // ud2: what came before does not return
      result_.kind = Kind::kLost;
      return;
    }
    if (opcode_ == 0x38) {
      Byte();
      Read(kModRm);
    } else if (opcode_ == 0x3a) {
      Byte();
      Read(kModRm | kByte);
    } else {
      Read(Lookup(kTwoBytes, opcode_, kModRm));
    }
  }

  // VEX and EVEX: the map of opcodes stands in the prefix.
  void Vector() {
    uint8_t map = 1;
    uint8_t first = Byte();
    if (opcode_ == 0xc4) {
      map = first & 0x1f;
      Byte();
    } else if (opcode_ == 0x62) {
      map = first & 7;
      Byte();
      Byte();
    }
    opcode_ = Byte();
    result_.kind = Kind::kOther;
    if (map == 1 && opcode_ == 0x77) return;
    bool immediate = map == 3 || (map == 1 && Lookup(kTwoBytes, opcode_, kModRm) == (kModRm | kByte));
    Read(immediate ? kModRm | kByte : kModRm);
  }

  void Jump(Kind kind, int32_t distance) {
    result_.kind = kind;
    result_.target = at_ + static_cast<uint64_t>(int64_t{distance});
  }

  uint64_t begin_;
  uint64_t at_;
  uint64_t end_;
  bool overrun_ = false;
  bool small_operand_ = false;
  bool has_index_ = false;
  uint8_t rex_ = 0;
  uint8_t opcode_ = 0;
  uint8_t mode_ = 0;
  uint8_t reg_ = 0;
  uint8_t rm_ = 0;
  uint8_t base_ = 0;
  int32_t displacement_ = 0;
  int32_t immediate_ = 0;
  Instruction result_;
};

}  // namespace

Instruction DecodeInstruction(uint64_t address, uint64_t end) { return Decoder(address, end).Run(); }

bool IsBehindCall(uint64_t address, uint64_t begin) {
  if (address < begin + 7) return false;
  const auto* code = reinterpret_cast<const uint8_t*>(address);
  if (code[-5] == 0xe8) return true;
  // Indirect calls are two to seven bytes long: ff, with 2 in the middle of the byte behind it.
  for (int bytes = 2; bytes <= 7; bytes++) {
    if (code[-bytes] == 0xff && (code[1 - bytes] >> 3 & 7) == 2) return true;
  }
  return false;
}

}  // namespace heapray
