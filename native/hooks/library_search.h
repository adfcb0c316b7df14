// Finds what dlopen would find for somebody else: the dynamic linker asks who called it, and that is heapray.
#pragma once

#include <string>

namespace heapray {

// The path to open for `file`, wanted with `mode` by the code at `caller`: where that object's own search path
// (RUNPATH, RPATH) leads, and $ORIGIN is its folder. `file` itself where neither matters.
std::string FindLibrary(const char* file, int mode, const void* caller);

}  // namespace heapray
