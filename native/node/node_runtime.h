// Tells, from native return addresses, what Node is doing: who maps memory, and what a thread is for.
#pragma once

#include <cstdint>
#include <vector>

#include "tracker.h"

namespace heapray {

class NodeRuntime final : public Runtime {
 public:
  // Reads the executable's symbols; a stripped one leaves IsHeapPages() to judge by size, and threads without roles.
  void Load();
  bool IsHeapPages(uint64_t frame, size_t bytes) override;
  const char* ThreadRole() override;
  const char* RoleOf(uint64_t routine) override;

 private:
  enum class Meaning : uint8_t { kHeapPages, kOtherPages, kPoolThread, kPlatformThread, kWorkerThread };
  struct Known {
    std::string_view prefix;
    bool whole_name;
    Meaning meaning;
  };
  struct Range {
    uint64_t begin;
    uint64_t end;
    Meaning meaning;
  };
  static const Known kKnown[];

  // The range that `pc` lies in, or nullptr.
  const Range* RangeOf(uint64_t pc) const;

  std::vector<Range> ranges_;  // sorted
  bool loaded_ = false;
};

}  // namespace heapray
