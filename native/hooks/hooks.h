// The hooked functions, and switching them on and off.
#pragma once

#include <span>

#include "hooks/import_table.h"

namespace heapray {

// Calls of the runtime's own to hook as well. Once, before the first InstallHooks().
void AddHooks(std::span<const Hook> hooks);
// Makes every loaded object (and those loaded later) call heapray's hooks. Idempotent.
void InstallHooks();
// Nothing is recorded from now on; what the process's end has to pass through stays.
void RemoveHooks();
// Once the capture is complete: leaves the import tables as they were.
void RemoveEndHooks();
// In a forked child: whoever was at it in the parent is not there.
void ForgetHooking();

}  // namespace heapray
