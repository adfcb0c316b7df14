// What a thread has to say of its memory and has not written down yet.
#pragma once

#include <cstdint>

#include "record/wire.h"

namespace heapray {

struct PendingRecord {
  static constexpr int kKindShift = 48;

  uint64_t address_and_kind;  // addresses are below 2^48; the kind is an allocator's number, those of frees included
  uint64_t size;              // bytes; 0 of a free
  uint32_t node;              // of the stack tree; 0 of a free
  uint32_t turn;              // the turn that it was made in, modulo 2^32

  static PendingRecord Of(wire::Allocator kind, uint64_t address, uint64_t size, uint32_t node, uint32_t turn) {
    return {address | static_cast<uint64_t>(kind) << kKindShift, size, node, turn};
  }
  uint64_t address() const { return address_and_kind & ((uint64_t{1} << kKindShift) - 1); }
  wire::Allocator kind() const { return static_cast<wire::Allocator>(address_and_kind >> kKindShift); }
};

}  // namespace heapray
