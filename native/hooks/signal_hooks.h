// What the program asks and sets of signals, while heapray handles the fatal ones: it sees its own dispositions only.
// And the end of the process without any (_exit).
#pragma once

#include <span>

#include "hooks/import_table.h"

namespace heapray {

std::span<const Hook> SignalHooks();

}  // namespace heapray
