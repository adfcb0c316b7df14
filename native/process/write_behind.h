// A thread that writes down what the others have to say, ten milliseconds after they said it at most, so that a process
// which is killed has told nearly all. It sleeps for as long as nobody says anything.
#pragma once

#include <pthread.h>

#include <atomic>

namespace heapray {

class WriteBehind {
 public:
  // Returns false when there can be no such thread.
  bool Start();
  void Stop();

 private:
  void Run();

  pthread_t thread_{};
  bool running_ = false;
  std::atomic<int> stopping_{0};
};

}  // namespace heapray
