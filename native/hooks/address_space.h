// Which mapped ranges are memory: reserved address space (PROT_NONE) is not, and a range counts once. Turns mmap,
// munmap, mprotect, mremap and madvise into "these bytes became memory" and "these bytes stopped being memory".
// Not thread-safe: the tracker's lock is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

namespace heapray {

class AddressSpace {
 public:
  enum class State : uint8_t {
    kReserved,   // mapped without access
    kForeign,    // was memory before tracking began: never counted
    kCounted,    // memory that the capture knows
    kDiscarded,  // given back by MADV_DONTNEED, still mapped with access
  };
  struct Change {
    uintptr_t begin;
    size_t bytes;
    bool became_memory;
  };
  using Report = std::function<void(const Change&)>;

  // Learns the mappings that exist already, from /proc/self/maps.
  void ReadExisting();

  void Mapped(uintptr_t begin, size_t bytes, bool accessible, const Report& report);
  void Unmapped(uintptr_t begin, size_t bytes, const Report& report);
  void Protected(uintptr_t begin, size_t bytes, bool accessible, const Report& report);
  void Discarded(uintptr_t begin, size_t bytes, const Report& report);
  void Moved(uintptr_t from, size_t from_bytes, uintptr_t to, size_t to_bytes, const Report& report);

 private:
  struct Range {
    uintptr_t end;
    State state;
  };
  using Ranges = std::map<uintptr_t, Range>;

  // Splits ranges so that none crosses `address`.
  void SplitAt(uintptr_t address);
  // Calls `visit` for every known range within [begin, end), split to fit.
  void ForEach(uintptr_t begin, uintptr_t end, const std::function<void(uintptr_t, Range&)>& visit);
  void Erase(uintptr_t begin, uintptr_t end);
  void Merge(uintptr_t begin, uintptr_t end);

  Ranges ranges_;
};

}  // namespace heapray
