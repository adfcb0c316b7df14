#include "process/parent_death.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace heapray {

void EndWithParent(int parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return;
  // It may have ended before it was asked for.
  if (getppid() != parent) raise(SIGKILL);
}

}  // namespace heapray
