#include "node/source_positions.h"

#include <algorithm>

namespace heapray {
namespace {

constexpr int64_t kLargestTable = 64 << 20;

PositionEncoding g_encoding = PositionEncoding::kSign;

// Copies a byte array out in steps, so that careful reading costs a system call a kilobyte and not one a byte.
class ByteReader {
 public:
  ByteReader(const V8Heap& heap, uint64_t data, int64_t bytes) : heap_(heap), next_(data), left_(bytes) {}

  bool done() const { return left_ == 0 && at_ == filled_; }
  uint8_t Next() {
    if (at_ == filled_) Fill();
    return at_ < filled_ ? buffer_[at_++] : 0;
  }
  uint64_t NextUnsigned() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte = Next();
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }
  int64_t NextSigned() {
    uint64_t value = NextUnsigned();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }

 private:
  void Fill() {
    size_t wanted = left_ < static_cast<int64_t>(sizeof buffer_) ? static_cast<size_t>(left_) : sizeof buffer_;
    at_ = 0;
    if (heap_.copies()) {
      filled_ = V8Heap::CarefulCopy(next_, buffer_, wanted);
    } else {
      memcpy(buffer_, reinterpret_cast<const void*>(next_), wanted);
      filled_ = wanted;
    }
    next_ += filled_;
    left_ = filled_ < wanted ? 0 : left_ - static_cast<int64_t>(filled_);
  }

  const V8Heap& heap_;
  uint64_t next_;
  int64_t left_;
  uint8_t buffer_[1024];
  size_t at_ = 0;
  size_t filled_ = 0;
};

}  // namespace

void SetPositionEncoding(PositionEncoding encoding) { g_encoding = encoding; }

DecodedTable DecodePositions(const V8Heap& heap, V8Heap::Object table) {
  DecodedTable decoded;
  if (table == 0) return decoded;
  uint64_t length = heap.Word(table + 8);
  // Where positions were omitted, the slot holds an oddball or another marker: no plausible length.
  if (!V8Heap::IsSmi(length) || (length & 0xFFFFFFFF) != 0) return decoded;
  int64_t bytes = V8Heap::SmiValue(length);
  if (bytes <= 0 || bytes > kLargestTable) return decoded;

  ByteReader reader(heap, V8Heap::ArrayData(table), bytes);
  // The first step leads away from the function's entry, which has the offset -1.
  int64_t at = -1;
  int64_t position = 0;
  while (!reader.done()) {
    // Statements and expressions alike are positions to us.
    if (g_encoding == PositionEncoding::kSign) {
      int64_t step = reader.NextSigned();
      at += step >= 0 ? step : -(step + 1);
    } else {
      at += static_cast<int64_t>(reader.NextUnsigned() >> 2);
    }
    position += reader.NextSigned();
    decoded.push_back({static_cast<int32_t>(at), position});
  }
  return decoded;
}

SourcePosition PositionAt(const DecodedTable& table, int32_t code_offset) {
  auto after = std::upper_bound(table.begin(), table.end(), code_offset,
                                [](int32_t offset, const TableEntry& entry) { return offset < entry.key; });
  if (after == table.begin()) return {};
  return SourcePosition::Unpack(static_cast<uint64_t>(std::prev(after)->value));
}

DecodedTable DecodeBaseline(const V8Heap& heap, V8Heap::Object table, uint64_t bytecodes, int64_t bytecode_bytes,
                            const uint8_t* bytecode_sizes, int bytecode_count) {
  DecodedTable decoded;
  if (table == 0 || bytecode_sizes == nullptr) return decoded;
  int64_t bytes = heap.ArrayLength(table);
  if (bytes <= 0 || bytes > kLargestTable) return decoded;
  ByteReader lengths(heap, V8Heap::ArrayData(table), bytes);
  ByteReader codes(heap, bytecodes, bytecode_bytes);
  // The first length is the prologue's, which belongs to the first bytecode's position.
  auto pc_end = static_cast<int64_t>(lengths.NextUnsigned());
  decoded.push_back({static_cast<int32_t>(pc_end), 0});
  int64_t bytecode = 0;
  while (!lengths.done() && !codes.done()) {
    pc_end += static_cast<int64_t>(lengths.NextUnsigned());
    decoded.push_back({static_cast<int32_t>(pc_end), bytecode});
    // Opcodes 0 to 3 are prefixes: operands twice or four times as wide.
    uint8_t opcode = codes.Next();
    int scale = 0;
    if (opcode <= 3) {
      scale = (opcode & 1) != 0 ? 2 : 1;
      bytecode++;
      opcode = codes.Next();
    }
    if (opcode >= bytecode_count) break;
    int size = bytecode_sizes[scale * bytecode_count + opcode];
    for (int i = 1; i < size; i++) codes.Next();
    bytecode += size;
  }
  return decoded;
}

int32_t BytecodeAt(const DecodedTable& table, int32_t pc_offset) {
  auto found = std::lower_bound(table.begin(), table.end(), pc_offset,
                                [](const TableEntry& entry, int32_t offset) { return entry.key < offset; });
  return found == table.end() ? -1 : static_cast<int32_t>(found->value);
}

}  // namespace heapray
