// Takes the process's memory figures at an interval, on a thread of its own.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "process/held_fd.h"
#include "record/record_writer.h"

namespace heapray {

class Snapshots {
 public:
  // Calls `take` with the time and RSS filled in: now, every `interval_ms`, and once more at Stop(). Where it is to be
  // looked at whose the pages are, `before_looks` is called first, once.
  void Start(uint32_t interval_ms, std::function<void(MemoryFigures&)> take, std::function<void()> before_looks);
  void Stop();

 private:
  void Run(uint32_t interval_ms);
  // Whether RSS has to be this much for a look at whose pages they are.
  enum class Look : uint8_t { kNever, kIfMuchMore, kIfMore };
  void Take(Look look);

  std::function<void(MemoryFigures&)> take_;
  std::function<void()> before_looks_;
  int64_t start_ms_ = 0;
  HeldFd statm_;
  // At the last look, and not before then the next one.
  uint64_t looked_at_rss_ = 0;
  int64_t next_look_ms_ = 0;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
};

}  // namespace heapray
