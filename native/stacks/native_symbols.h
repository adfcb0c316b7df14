// Writes the names of native frames' functions into the capture, so that it can be read where the modules are not.
#pragma once

#include <cstdint>
#include <span>

#include "record/record_writer.h"
#include "stacks/native_frames.h"
#include "stacks/stack_tree.h"

namespace heapray {

// Writes a Symbol record for each frame whose address a symbol table of its module knows. A module whose file is
// another one by now, by its build id, has no names. `modules[0]` is module 1. Reads each module's tables once and
// keeps nothing of them but the names found. False once the capture cannot be written.
bool EmbedSymbols(RecordWriter& writer, StackTree& tree, std::span<const NativeModule> modules,
                  std::span<const NativeFrameAddress> frames);

}  // namespace heapray
