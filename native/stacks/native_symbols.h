// Writes the names of native frames' functions into the capture, so that it can be read where the modules are not.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "record/record_writer.h"
#include "stacks/stack_tree.h"

namespace heapray {

// A file of machine code, as a Module record told of it.
struct NativeModule {
  std::string path;
  std::string build_id;  // its bytes; empty for none
};

// A native frame, as a NativeFrame record told of it.
struct NativeFrameAddress {
  uint32_t frame;    // id
  uint32_t module;   // id, which counts from 1; 0 for none
  uint64_t address;  // a return address, less the module's load bias
};

// Writes a Symbol record for each frame whose address a symbol table of its module knows. A module whose file is
// another one by now, by its build id, has no names. `modules[0]` is module 1. Reads each module's tables once and
// keeps nothing of them but the names found. False once the capture cannot be written.
bool EmbedSymbols(RecordWriter& writer, StackTree& tree, std::span<const NativeModule> modules,
                  std::span<const NativeFrameAddress> frames);

}  // namespace heapray
