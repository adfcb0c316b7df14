// Windows: recordings of a program that goes on, each with a capture of its own, begun and ended from outside by a
// signal. Between them nothing of the process is hooked. A busy main thread begins and ends them in the middle of its
// JavaScript.
#pragma once

#include <v8.h>

#include <cstdint>
#include <string>

#include "node/session.h"

namespace heapray {

class Windows {
 public:
  struct Settings {
    Session::Settings recording;  // with the part of the header before the time of its start
    std::string metadata_rest;    // and what comes behind that time
    std::string v8_flags;         // for what is compiled from the first window on
    std::string stem;             // captures are <stem>.<number><suffix>
    std::string suffix;
    bool overwrite = false;
    bool buffered = false;
    uint32_t js_heap_interval = 0;  // mean bytes between two sampled objects; 0: none are recorded
    int signal = 0;                 // 0: none
    int reports = -1;               // a socket for reports (see Report in windows.cc); -1: standard error is told
    bool quiet = false;             // and that of nothing but failures
    bool paused = false;            // the first window does not begin at once
  };

  // On the main thread, where sessions were prepared. Returns 0, or the errno of what keeps the signal from being
  // noticed.
  static int Open(v8::Isolate* isolate, Settings settings);
  // The process ends, and with it what is recorded. Does nothing where there are no windows.
  static void Close();
};

}  // namespace heapray
