// Work that an addon queues for the pool belongs to the line that queued it.
#pragma once

#include <span>

#include "hooks/import_table.h"

namespace heapray {

// Hooks for the calls by which addons queue work: Node-API's and libuv's. (Node's own work is queued inside its
// binary, where no import can be patched.)
std::span<const Hook> AsyncWorkHooks();

}  // namespace heapray
