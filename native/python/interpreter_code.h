// Where the code lies of the function that executes Python code. Compilers put parts of it elsewhere, under no name
// that a stripped binary would keep: on Debian's CPython 3.14, all but a twentieth of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stacks/call_frame_info.h"

namespace heapray {

class InterpreterCode {
 public:
  // Finds it, once; nothing where its module has no unwind tables. Not inside a hook.
  void Find();
  // Callable inside any hook.
  bool Contains(uint64_t pc) const {
    for (size_t i = 0; i < count_; i++) {
      if (parts_[i].Contains(pc)) return true;
    }
    return false;
  }

 private:
  struct Object;

  // Adds the part that `target`, which one of the others jumps to, is in. A jump to where a function begins leads to
  // another one; a branch leads to another part.
  void AddPart(const Object& object, uint64_t target, bool is_branch);

  std::array<CodeRange, 8> parts_{};
  size_t count_ = 0;
};

}  // namespace heapray
