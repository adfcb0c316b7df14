// Records the objects of every isolate's heap, sampled, while a tracker asks for them.
#pragma once

#include <v8.h>

#include <cstdint>
#include <span>
#include <string>

#include "hooks/import_table.h"

namespace heapray {

class JsHeap {
 public:
  // Begins to record: the calling thread's isolate at once, the others when they next turn their event loop, or run on
  // after a collection. `interval` is the mean number of bytes from one sample to the next. Returns an empty string, or
  // why it cannot be. While a tracker is active; where JavaScript may run.
  static std::string Start(v8::Isolate* isolate, uint32_t interval);
  // Records no more. The calling thread's isolate is left as it was at once, the others as they run on. After the
  // tracker's end: objects that live on are not to be seen to end.
  static void Stop();

  // Hooks for the calls in which event loops wait: there an isolate is at rest, whatever its program does.
  static std::span<const Hook> Hooks();
};

}  // namespace heapray
