// The names that a runtime gave threads, by their kernel ids, and the numbers that threads have in the capture.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace heapray {

// With the tracker's lock held.
class ThreadNames {
 public:
  // Returns the thread's number in the capture, or 0.
  uint32_t Name(uint32_t thread_id, std::string name) {
    Known& known = known_[thread_id];
    known.name = std::move(name);
    return known.index;
  }
  // The thread's name, empty when nobody gave it one; it has a number from now on.
  std::string_view Declare(uint32_t thread_id, uint32_t index) {
    Known& known = known_[thread_id];
    known.index = index;
    return known.name;
  }
  // The kernel may give its id to another thread.
  void ThreadEnded(uint32_t thread_id) { known_.erase(thread_id); }
  // Another capture has other numbers.
  void ForgetNumbers() {
    for (auto& [id, known] : known_) known.index = 0;
  }

 private:
  struct Known {
    std::string name;
    uint32_t index = 0;
  };
  std::unordered_map<uint32_t, Known> known_;
};

}  // namespace heapray
