#pragma once

#include "tracker.h"

namespace heapray {

// CPython's objects lie in blocks that it asked malloc or mmap for: none of its memory is of another kind.
class PythonRuntime final : public Runtime {
 public:
  bool IsHeapPages(uint64_t, size_t) override { return false; }
  const char* ThreadRole() override { return ""; }
  const char* RoleOf(uint64_t) override { return ""; }
};

}  // namespace heapray
