// The pages that V8 had for its heap before tracking began; those that come later are seen as they are mapped.
#pragma once

#include <v8.h>

namespace heapray {

// Makes the pages of the isolate's heap known as V8's (KnownRanges). On any thread, also where the isolate has ended;
// allocates, and takes a millisecond or so.
void LearnExistingHeap(const v8::Isolate* isolate);

}  // namespace heapray
