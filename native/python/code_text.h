// A Python string's text as UTF-8, read without the GIL and without CPython's help, which may change the string.
#pragma once

#include <string>
#include <string_view>

#include "python/cpython.h"

namespace heapray {

// Good for as long as the string is.
class CodeText {
 public:
  explicit CodeText(PyObject* string);
  std::string_view view() const { return owned_.empty() ? ascii_ : std::string_view(owned_); }

 private:
  std::string_view ascii_;
  std::string owned_;
};

// The name that a code object's function goes by.
inline PyObject* CodeName(const PyCodeObject* code) {
#if PY_VERSION_HEX >= 0x030B0000
  return code->co_qualname;
#else
  return code->co_name;
#endif
}

}  // namespace heapray
