// The process's mappings, as the kernel lists them.
#pragma once

#include <cstdint>
#include <functional>

namespace heapray {

struct Mapping {
  uint64_t begin;
  uint64_t end;
  bool readable;
  bool writable;
  bool executable;
  bool is_file;
};

// Calls `visit` for every mapping of the process, in order of address.
void ForEachMapping(const std::function<void(const Mapping&)>& visit);

}  // namespace heapray
