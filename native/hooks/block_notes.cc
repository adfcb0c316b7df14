#include "hooks/block_notes.h"

namespace heapray {

constinit thread_local BlockNotes* BlockNotes::current_ = nullptr;

}  // namespace heapray
