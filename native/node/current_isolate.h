// Where V8 keeps the calling thread's isolate, to look at it without a call.
#pragma once

#include <v8.h>

#include <cstdint>

namespace heapray {

// The offset from the thread pointer of the word that v8::Isolate::TryGetCurrent() returns, or 0 where its code does
// not show that. `isolate`: the calling thread's.
int64_t FindCurrentIsolate(v8::Isolate* isolate);

}  // namespace heapray
