// One recording of this process, whatever its runtime, from its start to its end: tracker, hooks, snapshots, threads
// that write. There is one at a time. On one thread at a time, unless it says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tracker.h"

namespace heapray {

class Recording {
 public:
  struct Settings {
    Tracker::Options tracker;
    uint32_t memory_interval_ms = 10;
    // Adds the runtime's figures to those of a snapshot, on a thread of heapray's.
    std::function<void(MemoryFigures&)> add_figures;
    // Called once before it is looked at whose the resident pages are, on such a thread too.
    std::function<void()> before_looks;
    // Called when the hooks have been taken off, and once the capture is complete. What ends in the background is
    // completed by another thread.
    void (*taken_down)(bool in_background) = nullptr;
    void (*finished)() = nullptr;
  };

  // Whether one is recording this process; and whether there is one, maybe one that an error has ended.
  static bool active();
  static bool exists();
  // The number of the last one that was started: 1 is the first.
  static uint64_t last();
  // Makes way for a new one: what a full disk ended is taken down, and what is ending has ended afterwards.
  static void MakeWay();
  // Begins to record, with way made. Returns false, with errno in *error, when the header could not be written.
  static bool Start(Settings settings, int* error);
  // Ends it. Returns whether the capture is complete.
  static bool Stop(const char* reason);
  // Ends it as well, but has what takes long done by a thread, which calls `ended` at last.
  static void StopInBackground(const char* reason, void (*ended)(bool complete));
  // In a forked child: forgets the parent's recording, without touching what it writes to. The child may start its own.
  static void Forget();
};

}  // namespace heapray
