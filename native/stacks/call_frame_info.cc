#include "stacks/call_frame_info.h"

#include <cstddef>
#include <cstring>

namespace heapray {
namespace {

// DWARF's numbers of registers, and its encodings of pointers (DW_EH_PE_*).
constexpr uint64_t kFramePointer = 6;
constexpr uint64_t kStackPointer = 7;
constexpr uint64_t kReturnAddress = 16;
constexpr uint8_t kOmitted = 0xff;
constexpr uint8_t kIndirect = 0x80;
constexpr uint8_t kRelativeToHere = 0x10;
constexpr uint8_t kRelativeToIndex = 0x30;
constexpr uint8_t kSortedTable = 0x3b;  // pairs of signed 32-bit numbers, relative to the index
// Operators of DWARF expressions.
constexpr uint8_t kOpDereference = 0x06;
constexpr uint8_t kOpRegister0 = 0x70;

constexpr size_t kRemembered = 8;

// Reads numbers front to back; past its end it gives zeros, and says so.
class Bytes {
 public:
  Bytes(uint64_t at, uint64_t end) : at_(at), end_(end) {}

  uint64_t at() const { return at_; }
  bool ok() const { return ok_; }
  bool empty() const { return at_ >= end_; }
  void Skip(uint64_t bytes) {
    if (bytes > end_ - at_) {
      ok_ = false;
      at_ = end_;
    } else {
      at_ += bytes;
    }
  }

  template <typename T>
  T Read() {
    T value{};
    if (end_ - at_ < sizeof value) {
      ok_ = false;
      at_ = end_;
      return value;
    }
    memcpy(&value, reinterpret_cast<const void*>(at_), sizeof value);
    at_ += sizeof value;
    return value;
  }
  uint64_t Unsigned() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      auto byte = Read<uint8_t>();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }
  int64_t Signed() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
      auto byte = Read<uint8_t>();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      if ((byte & 0x40) != 0 && shift < 64) value |= ~uint64_t{0} << shift;
      break;
    }
    return static_cast<int64_t>(value);
  }
  // A pointer in one of the encodings that occur in unwind tables; `index` is the table's start.
  uint64_t Pointer(uint8_t encoding, uint64_t index) {
    if (encoding == kOmitted) return 0;
    uint64_t here = at_;
    uint64_t value = 0;
    switch (encoding & 0x0f) {
      case 0x00:
      case 0x04:
      case 0x0c: value = Read<uint64_t>(); break;
      case 0x01: value = Unsigned(); break;
      case 0x02: value = Read<uint16_t>(); break;
      case 0x03: value = Read<uint32_t>(); break;
      case 0x09: value = static_cast<uint64_t>(Signed()); break;
      case 0x0a: value = static_cast<uint64_t>(int64_t{Read<int16_t>()}); break;
      case 0x0b: value = static_cast<uint64_t>(int64_t{Read<int32_t>()}); break;
      default: ok_ = false;
    }
    if (value == 0) return 0;
    switch (encoding & 0x70) {
      case 0: break;
      case kRelativeToHere: value += here; break;
      case kRelativeToIndex: value += index; break;
      default: ok_ = false;
    }
    return value;
  }

 private:
  uint64_t at_;
  uint64_t end_;
  bool ok_ = true;
};

// A common information entry: what the functions described by its followers share.
struct Common {
  uint64_t code_alignment = 1;
  int64_t data_alignment = 1;
  uint8_t pointer_encoding = 0;
  bool augmented = false;
  bool is_signal_frame = false;
  uint64_t program = 0;
  uint64_t end = 0;
};

// Opens the entry at `at`: its contents, behind its length; none when that makes no sense.
Bytes EntryAt(uint64_t at, uint64_t begin, uint64_t end) {
  if (at < begin || at + 4 > end) return Bytes(0, 0);
  uint32_t length;
  memcpy(&length, reinterpret_cast<const void*>(at), sizeof length);
  // The longest number announces a 64-bit length, which nothing has in practice.
  if (length == 0 || length == UINT32_MAX || length > end - at - 4) return Bytes(0, 0);
  return Bytes(at + 4, at + 4 + length);
}

bool ReadCommon(uint64_t at, uint64_t begin, uint64_t end, Common* common) {
  Bytes bytes = EntryAt(at, begin, end);
  uint64_t content = bytes.at();
  if (bytes.empty() || bytes.Read<uint32_t>() != 0) return false;
  auto version = bytes.Read<uint8_t>();
  if (version != 1 && version != 3) return false;
  char augmentation[8] = "";
  for (size_t i = 0;; i++) {
    char c = static_cast<char>(bytes.Read<uint8_t>());
    if (c == 0) break;
    if (i + 1 == sizeof augmentation) return false;
    augmentation[i] = c;
  }
  common->code_alignment = bytes.Unsigned();
  common->data_alignment = bytes.Signed();
  uint64_t return_address = version == 1 ? bytes.Read<uint8_t>() : bytes.Unsigned();
  if (!bytes.ok() || return_address != kReturnAddress) return false;
  if (augmentation[0] == 'z') {
    common->augmented = true;
    uint64_t length = bytes.Unsigned();
    uint64_t program = bytes.at() + length;
    for (const char* c = augmentation + 1; *c != 0; c++) {
      switch (*c) {
        case 'R': common->pointer_encoding = bytes.Read<uint8_t>(); break;
        case 'L': bytes.Read<uint8_t>(); break;
        case 'P': {
          auto encoding = bytes.Read<uint8_t>();
          bytes.Pointer(encoding, 0);
          break;
        }
        case 'S': common->is_signal_frame = true; break;
        default: break;
      }
    }
    common->program = program;
  } else if (augmentation[0] == 0) {
    common->program = bytes.at();
  } else {
    return false;
  }
  uint32_t length;
  memcpy(&length, reinterpret_cast<const void*>(at), sizeof length);
  common->end = content + length;
  return bytes.ok() && common->program <= common->end;
}

// Runs call frame instructions up to a place, keeping what is said of the CFA, the frame pointer and the return
// address.
class Program {
 public:
  Program(const Common& common, uint64_t start, uint64_t pc) : common_(common), location_(start), pc_(pc) {}

  void EndOfCommonPart() { initial_ = row_; }

  // Returns false where something is said that a FrameRule cannot say.
  bool Run(Bytes bytes) {
    while (!bytes.empty() && bytes.ok() && location_ <= pc_) {
      auto op = bytes.Read<uint8_t>();
      uint8_t operand = op & 0x3f;
      switch (op >> 6) {
        case 1: location_ += operand * common_.code_alignment; continue;
        case 2: Offset(operand, static_cast<int64_t>(bytes.Unsigned()) * common_.data_alignment); continue;
        case 3: Restore(operand); continue;
        default: break;
      }
      if (!Extended(op, bytes)) return false;
    }
    return bytes.ok();
  }

  FrameRule rule() const {
    FrameRule rule = row_.rule;
    if (row_.outermost) rule.cfa = FrameRule::Cfa::kOutermost;
    return rule;
  }

 private:
  struct Row {
    FrameRule rule;
    bool outermost = false;
  };

  bool Extended(uint8_t op, Bytes& bytes) {
    switch (op) {
      case 0x00: return true;  // nop
      case 0x01: location_ = bytes.Pointer(common_.pointer_encoding, 0); return true;
      case 0x02: return Advance(bytes.Read<uint8_t>());
      case 0x03: return Advance(bytes.Read<uint16_t>());
      case 0x04: return Advance(bytes.Read<uint32_t>());
      case 0x05: {  // offset_extended
        uint64_t reg = bytes.Unsigned();
        Offset(reg, static_cast<int64_t>(bytes.Unsigned()) * common_.data_alignment);
        return true;
      }
      case 0x06: Restore(bytes.Unsigned()); return true;  // restore_extended
      case 0x07: return Undefined(bytes.Unsigned());
      case 0x08: Restore(bytes.Unsigned()); return true;  // same_value: as in the caller
      case 0x09: {                                        // register
        uint64_t reg = bytes.Unsigned();
        bytes.Unsigned();
        return reg != kFramePointer && reg != kReturnAddress;
      }
      case 0x0a:  // remember_state
        if (remembered_ == kRemembered) return false;
        stack_[remembered_++] = row_;
        return true;
      case 0x0b:  // restore_state
        if (remembered_ == 0) return false;
        row_ = stack_[--remembered_];
        return true;
      case 0x0c: {  // def_cfa
        uint64_t reg = bytes.Unsigned();
        return DefineCfa(reg, static_cast<int64_t>(bytes.Unsigned()));
      }
      case 0x0d: return DefineCfa(bytes.Unsigned(), row_.rule.cfa_offset);
      case 0x0e: row_.rule.cfa_offset = static_cast<int32_t>(bytes.Unsigned()); return true;
      case 0x0f: return DefineCfaByExpression(bytes);
      case 0x10: return SavedByExpression(bytes);
      case 0x11: {  // offset_extended_sf
        uint64_t reg = bytes.Unsigned();
        Offset(reg, bytes.Signed() * common_.data_alignment);
        return true;
      }
      case 0x12: {  // def_cfa_sf
        uint64_t reg = bytes.Unsigned();
        return DefineCfa(reg, bytes.Signed() * common_.data_alignment);
      }
      case 0x13: row_.rule.cfa_offset = static_cast<int32_t>(bytes.Signed() * common_.data_alignment); return true;
      case 0x16: {  // val_expression
        uint64_t reg = bytes.Unsigned();
        bytes.Skip(bytes.Unsigned());
        return reg != kFramePointer && reg != kReturnAddress;
      }
      case 0x2e: bytes.Unsigned(); return true;  // GNU_args_size
      default: return false;
    }
  }

  bool Advance(uint64_t by) {
    location_ += by * common_.code_alignment;
    return true;
  }

  void Offset(uint64_t reg, int64_t offset) {
    if (reg != kFramePointer) return;
    row_.rule.saved = FrameRule::Saved::kBelowCfa;
    row_.rule.saved_offset = static_cast<int32_t>(offset);
  }

  void Restore(uint64_t reg) {
    if (reg != kFramePointer) return;
    row_.rule.saved = initial_.rule.saved;
    row_.rule.saved_offset = initial_.rule.saved_offset;
  }

  bool Undefined(uint64_t reg) {
    if (reg == kReturnAddress) row_.outermost = true;
    return true;
  }

  bool DefineCfa(uint64_t reg, int64_t offset) {
    if (reg == kStackPointer) {
      row_.rule.cfa = FrameRule::Cfa::kStackPointer;
    } else if (reg == kFramePointer) {
      row_.rule.cfa = FrameRule::Cfa::kFramePointer;
    } else {
      // For a few instructions of a realigned function, another register.
      row_.rule.cfa = FrameRule::Cfa::kUnknown;
    }
    row_.rule.cfa_offset = static_cast<int32_t>(offset);
    return true;
  }

  // The only one that compilers make for ordinary code: the word at (frame pointer + offset).
  bool DefineCfaByExpression(Bytes& bytes) {
    uint64_t length = bytes.Unsigned();
    Bytes expression(bytes.at(), bytes.at() + length);
    bytes.Skip(length);
    if (!bytes.ok()) return false;
    bool by_frame_pointer = expression.Read<uint8_t>() == kOpRegister0 + kFramePointer;
    int64_t offset = expression.Signed();
    bool word = expression.Read<uint8_t>() == kOpDereference && expression.empty();
    row_.rule.cfa = by_frame_pointer && word ? FrameRule::Cfa::kFramePointerWord : FrameRule::Cfa::kUnknown;
    row_.rule.cfa_offset = static_cast<int32_t>(offset);
    return true;
  }

  // Of the frame pointer: saved at (frame pointer + offset). Other registers do not matter.
  bool SavedByExpression(Bytes& bytes) {
    uint64_t reg = bytes.Unsigned();
    uint64_t length = bytes.Unsigned();
    Bytes expression(bytes.at(), bytes.at() + length);
    bytes.Skip(length);
    if (!bytes.ok() || reg == kReturnAddress) return false;
    if (reg != kFramePointer) return true;
    bool by_frame_pointer = expression.Read<uint8_t>() == kOpRegister0 + kFramePointer;
    int64_t offset = expression.Signed();
    if (!by_frame_pointer || !expression.empty()) return false;
    row_.rule.saved = FrameRule::Saved::kFramePointer;
    row_.rule.saved_offset = static_cast<int32_t>(offset);
    return true;
  }

  const Common& common_;
  uint64_t location_;
  uint64_t pc_;
  Row row_;
  Row initial_;
  Row stack_[kRemembered];
  size_t remembered_ = 0;
};

// The description of the function that may contain `pc`: the last one in the sorted table that begins at or before it.
uint64_t EntryFor(uint64_t pc, uint64_t index, uint64_t end) {
  Bytes bytes(index, end);
  auto version = bytes.Read<uint8_t>();
  auto frames_encoding = bytes.Read<uint8_t>();
  auto count_encoding = bytes.Read<uint8_t>();
  auto table_encoding = bytes.Read<uint8_t>();
  if (version != 1 || table_encoding != kSortedTable) return 0;
  bytes.Pointer(frames_encoding, index);
  uint64_t count = bytes.Pointer(count_encoding, index);
  if (!bytes.ok() || count == 0 || count > (end - bytes.at()) / 8) return 0;
  struct Row {
    int32_t start;
    int32_t entry;
  };
  const auto* rows = reinterpret_cast<const Row*>(bytes.at());
  auto wanted = static_cast<int64_t>(pc - index);
  uint64_t low = 0;
  uint64_t high = count;
  while (low < high) {
    uint64_t middle = (low + high) / 2;
    if (rows[middle].start <= wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? 0 : index + static_cast<uint64_t>(int64_t{rows[low - 1].entry});
}

// What an entry says, up to its instructions.
struct Entry {
  Common common;
  CodeRange range;
  Bytes instructions{0, 0};
};

// That of the code at `pc`; returns false where there is none.
bool ReadEntry(uint64_t pc, uint64_t index, uint64_t begin, uint64_t end, Entry* entry) {
  if (index < begin || index >= end) return false;
  uint64_t at = EntryFor(pc, index, end);
  Bytes bytes = EntryAt(at, begin, end);
  if (bytes.empty()) return false;
  uint64_t content = bytes.at();
  uint64_t common_at = content - bytes.Read<uint32_t>();
  Common& common = entry->common;
  if (!ReadCommon(common_at, begin, end, &common) || common.is_signal_frame) return false;
  if ((common.pointer_encoding & kIndirect) != 0) return false;

  entry->range.begin = bytes.Pointer(common.pointer_encoding, index);
  entry->range.bytes = bytes.Pointer(common.pointer_encoding & 0x0f, 0);
  if (!bytes.ok() || !entry->range.Contains(pc)) return false;
  if (common.augmented) bytes.Skip(bytes.Unsigned());
  uint32_t length;
  memcpy(&length, reinterpret_cast<const void*>(at), sizeof length);
  entry->instructions = Bytes(bytes.at(), content + length);
  return true;
}

}  // namespace

CodeRange FindCodeRange(uint64_t pc, uint64_t unwind_index, uint64_t begin, uint64_t end) {
  Entry entry;
  return ReadEntry(pc, unwind_index, begin, end, &entry) ? entry.range : CodeRange();
}

FrameRule FindFrameRule(uint64_t pc, uint64_t unwind_index, uint64_t begin, uint64_t end) {
  FrameRule unknown;
  Entry entry;
  if (!ReadEntry(pc, unwind_index, begin, end, &entry)) return unknown;
  Program program(entry.common, entry.range.begin, pc);
  if (!program.Run(Bytes(entry.common.program, entry.common.end))) return unknown;
  program.EndOfCommonPart();
  if (!program.Run(entry.instructions)) return unknown;
  return program.rule();
}

}  // namespace heapray
