#include "python/code_text.h"

#include <cstdint>

namespace heapray {
namespace {

// Lone surrogates (bytes of a file name that are no UTF-8) have no place in it.
constexpr uint32_t kReplacement = 0xFFFD;

void Append(std::string& text, uint32_t point) {
  if (point >= 0xD800 && point < 0xE000) point = kReplacement;
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | point >> 18);
    text += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  }
}

}  // namespace

CodeText::CodeText(PyObject* string) {
  if (string == nullptr || !PyUnicode_Check(string)) return;
  auto length = static_cast<size_t>(PyUnicode_GET_LENGTH(string));
  if (PyUnicode_IS_ASCII(string)) {
    ascii_ = {static_cast<const char*>(PyUnicode_DATA(string)), length};
    return;
  }
  auto kind = static_cast<unsigned>(PyUnicode_KIND(string));
  const void* data = PyUnicode_DATA(string);
  owned_.reserve(length * 2);
  for (size_t i = 0; i < length; i++) Append(owned_, PyUnicode_READ(kind, data, static_cast<Py_ssize_t>(i)));
}

}  // namespace heapray
