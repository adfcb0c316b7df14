// The pages that V8 had for its heap before tracking began; those that come later are seen as they are mapped.
#pragma once

#include <v8.h>

namespace heapray {

// Makes them known as V8's (KnownRanges). On the isolate's thread; allocates.
void LearnExistingHeap(v8::Isolate* isolate);

}  // namespace heapray
