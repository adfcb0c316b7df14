// The native frames of a capture: addresses within the modules that they belong to.
// Not thread-safe: the tracker's lock is held.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/record_writer.h"
#include "stacks/flat_map.h"

namespace heapray {

class StackTree;

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

class NativeFrames {
 public:
  NativeFrames(RecordWriter* writer, StackTree* tree) : writer_(writer), tree_(tree) {}

  // The frame that returns to `pc`, writing it and its module if the capture does not have them yet.
  uint32_t Frame(uint64_t pc);

  // What was written, for names to be looked up.
  const std::vector<NativeModule>& modules() const { return modules_; }
  const std::vector<NativeFrameAddress>& frames() const { return frames_; }

 private:
  struct Place {
    uint32_t generation = 0;
    uint32_t frame = 0;
  };

  uint32_t Module(int number);

  RecordWriter* writer_;
  StackTree* tree_;
  FlatMap<Place> frame_by_pc_;          // return address -> frame, while the process's modules stay what they are
  FlatMap<uint32_t> frame_by_address_;  // module << 48 | address in it -> frame
  std::vector<uint32_t> module_ids_;    // the process's number of a module -> the capture's; 0: not in it yet
  std::vector<NativeModule> modules_;
  std::vector<NativeFrameAddress> frames_;
};

}  // namespace heapray
