// The end of a process whose parent stands for it.
#pragma once

namespace heapray {

// From now on the process is killed (SIGKILL) when its parent, `parent`, ends. To be called by the main thread.
void EndWithParent(int parent);

}  // namespace heapray
