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

}  // namespace heapray
