#include "node/line_table.h"

#include <emmintrin.h>

#include <algorithm>
#include <cstring>

namespace heapray {
namespace {

constexpr char16_t kLineSeparator = 0x2028;
constexpr char16_t kParagraphSeparator = 0x2029;

// A bit for each byte of the 16 that belongs to a character which may end a line.
uint32_t MayEndLine(__m128i text, const uint8_t*) {
  __m128i found = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(text, _mm_set1_epi8('\r')));
  return static_cast<uint32_t>(_mm_movemask_epi8(found));
}
uint32_t MayEndLine(__m128i text, const char16_t*) {
  auto is = [text](char16_t c) { return _mm_cmpeq_epi16(text, _mm_set1_epi16(static_cast<int16_t>(c))); };
  __m128i separators = _mm_or_si128(is(kLineSeparator), is(kParagraphSeparator));
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(is('\n'), is('\r')), separators)));
}

}  // namespace

template <typename Char>
void LineTable::Find(const Char* text, uint32_t length) {
  constexpr uint32_t kAtOnce = 16 / sizeof(Char);
  auto look_at = [&](uint32_t i) {
    Char c = text[i];
    bool ends_line = c == '\n' || (c == '\r' && (i + 1 == length || text[i + 1] != '\n'));
    if constexpr (sizeof(Char) > 1) ends_line |= c == kLineSeparator || c == kParagraphSeparator;
    if (ends_line) starts_.push_back(i + 1);
  };
  uint32_t i = 0;
  for (; length - i >= kAtOnce; i += kAtOnce) {
    uint32_t bytes = MayEndLine(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i)), text);
    while (bytes != 0) {
      auto byte = static_cast<uint32_t>(__builtin_ctz(bytes));
      look_at(i + byte / static_cast<uint32_t>(sizeof(Char)));
      bytes &= ~(((1u << sizeof(Char)) - 1) << byte);
    }
  }
  for (; i < length; i++) look_at(i);
}

LineTable::LineTable(const V8Heap::Characters& source) {
  starts_.push_back(0);
  if (source.one_byte) {
    Find(static_cast<const uint8_t*>(source.data), source.length);
  } else {
    Find(static_cast<const char16_t*>(source.data), source.length);
  }
  uint32_t blocks = (source.length >> kBlockBits) + 1;
  line_of_block_.reserve(blocks);
  uint32_t line = 0;
  for (uint32_t block = 0; block < blocks; block++) {
    while (line + 1 < starts_.size() && starts_[line + 1] <= block << kBlockBits) line++;
    line_of_block_.push_back(line);
  }
}

uint32_t LineTable::LineOf(uint32_t offset) const {
  uint32_t block = offset >> kBlockBits;
  auto first = starts_.begin() + line_of_block_[block];
  auto last = block + 1 < line_of_block_.size() ? starts_.begin() + line_of_block_[block + 1] + 1 : starts_.end();
  return static_cast<uint32_t>(std::upper_bound(first, last, offset) - starts_.begin()) - 1;
}

}  // namespace heapray
