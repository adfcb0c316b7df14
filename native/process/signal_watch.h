// Notices the signals that ask a process to end, while one waits for something where no JavaScript can run.
#pragma once

#include <signal.h>

#include <array>

namespace heapray {

// While one exists, a signal whose handler is the program's still comes to that handler, and is noticed here as well.
// Signals that end the process, or that it ignores, are left alone. To be made and destroyed by one thread; does
// nothing but in the main thread, where the others cannot change handlers meanwhile.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // The first one that came; 0: none.
  int caught() const;

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

  bool watching_ = false;
};

}  // namespace heapray
