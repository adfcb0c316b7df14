// Where the calling thread's stack ends.
#pragma once

#include <cstdint>

namespace heapray {

// The address behind the stack's outermost word, or 0 when it is not known. Looks it up anew at each call.
uint64_t ThisThreadsStackEnd();

}  // namespace heapray
