#pragma once

#include <cstdint>

namespace heapray {

inline uint64_t WordAt(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

}  // namespace heapray
