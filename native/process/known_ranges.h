// Whose memory address ranges are that are not told by their mappings: for who looks at the process's resident pages.
// May be called in the hooks.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "process/lock.h"

namespace heapray {

class KnownRanges {
 public:
  enum class Owner : uint8_t {
    kV8Heap,
    kProgram,  // mapped by the program itself
    kStack,
  };
  struct Range {
    uint64_t begin;
    uint64_t end;
    Owner owner;
  };

  static KnownRanges& Get();

  void Set(uint64_t begin, uint64_t end, Owner owner);
  void Clear(uint64_t begin, uint64_t end);
  // In a forked child: threads that are not there may have held its lock, and been in the middle of it.
  void Forget();
  // All of them, in order of address.
  std::vector<Range> All();

 private:
  struct Rest {
    uint64_t end;
    Owner owner;
  };

  void Erase(uint64_t begin, uint64_t end);

  SpinLock lock_;
  std::map<uint64_t, Rest> ranges_;
};

}  // namespace heapray
