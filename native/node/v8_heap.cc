#include "node/v8_heap.h"

#include <algorithm>

#include "process/careful_copy.h"

namespace heapray {
namespace {

// Low bits of a string's instance type.
constexpr int kRepresentationMask = 7;
constexpr int kSeq = 0;
constexpr int kCons = 1;
constexpr int kExternal = 2;
constexpr int kSliced = 3;
constexpr int kThin = 5;
constexpr int kOneByte = 8;

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

bool IsHighSurrogate(char16_t c) { return c >= 0xD800 && c < 0xDC00; }
bool IsLowSurrogate(char16_t c) { return c >= 0xDC00 && c < 0xE000; }

}  // namespace

size_t V8Heap::CarefulCopy(uint64_t address, void* to, size_t bytes) { return CopyIfReadable(address, to, bytes); }

V8Heap::Object V8Heap::Untag(uint64_t word) const {
  if ((word & 1) == 0) return 0;
  Object object = word & ~uint64_t{3};
  if (object < 4096) return 0;
  uint64_t map = Word(object);
  // In place of a map (tagged), an object that has just been moved holds its new, untagged address.
  if ((map & 1) == 0 && map >= 4096) return map;
  return object;
}

int V8Heap::InstanceType(Object object) const {
  uint64_t map = Word(object);
  if ((map & 3) != 1) return -1;
  return Read<uint16_t>((map & ~uint64_t{3}) + static_cast<uint64_t>(layout_.map_instance_type));
}

bool V8Heap::IsJSFunction(Object object) const {
  if (object == 0) return false;
  int type = InstanceType(object);
  return type >= layout_.first_js_function_type && type <= layout_.last_js_function_type;
}

std::optional<V8Heap::Characters> V8Heap::Flat(Object string) const {
  if (!IsString(string)) return std::nullopt;
  uint32_t length = Read<uint32_t>(string + static_cast<uint64_t>(layout_.string_length));
  uint32_t begin = 0;
  // A slice of a thin string of a flattened cons is as deep as it gets.
  for (int depth = 0; depth < 8 && IsString(string); depth++) {
    int type = InstanceType(string);
    bool one_byte = (type & kOneByte) != 0;
    switch (type & kRepresentationMask) {
      case kSeq: {
        uint64_t data = string + static_cast<uint64_t>(layout_.string_first) + (one_byte ? begin : begin * 2ull);
        return Characters{reinterpret_cast<const void*>(data), length, one_byte};
      }
      case kExternal: {
        // Behind the resource pointer V8 caches its data's address.
        uint64_t data = Word(string + static_cast<uint64_t>(layout_.string_first) + 8);
        if (data == 0) return std::nullopt;
        data += one_byte ? begin : begin * 2ull;
        return Characters{reinterpret_cast<const void*>(data), length, one_byte};
      }
      case kCons: {
        Object second = Field(string, layout_.string_second_or_offset);
        if (!IsString(second) || Read<uint32_t>(second + static_cast<uint64_t>(layout_.string_length)) != 0) {
          return std::nullopt;
        }
        string = Field(string, layout_.string_first);
        break;
      }
      case kSliced:
        begin += static_cast<uint32_t>(SmiValue(Word(string + static_cast<uint64_t>(layout_.string_second_or_offset))));
        string = Field(string, layout_.string_first);
        break;
      case kThin: string = Field(string, layout_.string_first); break;
      default: return std::nullopt;
    }
  }
  return std::nullopt;
}

std::string V8Heap::ToUtf8(Object string, uint32_t max) const {
  std::string out;
  std::optional<Characters> flat = Flat(string);
  if (!flat) {
    // A name may be a concatenation that nobody has flattened.
    if (IsString(string) && (InstanceType(string) & kRepresentationMask) == kCons && max > 0) {
      out = ToUtf8(Field(string, layout_.string_first), max / 2);
      out += ToUtf8(Field(string, layout_.string_second_or_offset), max / 2);
    }
    return out;
  }
  uint32_t length = std::min(flat->length, max);
  std::string raw(flat->one_byte ? length : length * 2ull, '\0');
  raw.resize(CarefulCopy(reinterpret_cast<uint64_t>(flat->data), raw.data(), raw.size()));
  Characters text{raw.data(), static_cast<uint32_t>(flat->one_byte ? raw.size() : raw.size() / 2), flat->one_byte};
  out.reserve(text.length);
  for (uint32_t i = 0; i < text.length; i++) {
    uint32_t c = text[i];
    if (IsHighSurrogate(text[i]) && i + 1 < text.length && IsLowSurrogate(text[i + 1])) {
      c = 0x10000 + ((c - 0xD800) << 10) + (text[++i] - 0xDC00u);
    } else if (IsHighSurrogate(text[i]) || IsLowSurrogate(text[i])) {
      c = 0xFFFD;
    }
    AppendUtf8(out, c);
  }
  return out;
}

}  // namespace heapray
