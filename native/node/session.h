// One recording of this process, from its start to its end: hooks, stacks, snapshots, capture. There is one at a time.
#pragma once

#include <v8.h>

#include <cstdint>
#include <memory>
#include <string>

#include "record/sink.h"

namespace heapray {

class Session {
 public:
  struct Settings {
    std::string destination;  // for messages
    std::string metadata;     // the capture's header, JSON
    bool aggregate = false;
    bool native_traces = false;
    bool embed_symbols = false;
    bool js_objects = false;  // objects will be recorded; pages of their heap are not
    uint32_t memory_interval_ms = 10;
  };
  struct Failure {
    std::string code;  // an errno's name, or ALREADY_ACTIVE
    std::string message;
    static Failure OfErrno(int error);
  };

  // Learns what a start needs to know of Node and its V8, once: that takes milliseconds, and runs JavaScript. On the
  // main thread, as everything here unless it says otherwise. Returns a warning, or an empty string.
  static std::string Prepare(v8::Isolate* isolate);
  // Whether one is recording.
  static bool active();
  // The number of the last one that was started: 1 is the first.
  static uint64_t last();
  // Makes way for a new one: what a full disk ended is taken down, and what is ending has ended afterwards.
  static void MakeWay();
  // Begins to record, prepared and with way made. Runs no JavaScript. Returns false when the header could not be
  // written.
  static bool Start(v8::Isolate* isolate, const Settings& settings, std::unique_ptr<Sink> sink, Failure* failure);
  // Ends it. Returns whether the capture is complete.
  static bool Stop(const char* reason);
  // Ends it as well, but has what takes long done by a thread, which calls `ended` at last.
  static void StopInBackground(const char* reason, void (*ended)(bool complete));
};

}  // namespace heapray
