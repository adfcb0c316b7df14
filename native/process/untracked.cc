#include "process/untracked.h"

namespace heapray {

constinit thread_local bool internal::t_untracked = false;

}  // namespace heapray
