// CPython's own allocators (pymalloc), each of which asks the system for memory at times only.
#pragma once

namespace heapray {

// Has every block that Python code asks them for recorded, and not what they ask the system for on its behalf: nothing
// counts twice. Idempotent. With the GIL.
void HookPythonAllocators();
// Leaves the allocators as they were; where somebody has put others on top, ours stay and do nothing.
void UnhookPythonAllocators();

}  // namespace heapray
