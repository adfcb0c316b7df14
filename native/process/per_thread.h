// What is kept of each thread, from when it is first asked for to the thread's end. Callable inside any hook.
#pragma once

#include <pthread.h>

#include "process/untracked.h"

namespace heapray {

template <typename T>
class PerThread {
 public:
  // The calling thread's.
  static T& Get() {
    if (value_ == nullptr) [[unlikely]] {
      value_ = new T;
      pthread_setspecific(Key(), value_);
    }
    return *value_;
  }

 private:
  static pthread_key_t Key() {
    static const pthread_key_t key = [] {
      pthread_key_t made;
      pthread_key_create(&made, [](void* value) {
        Untracked untracked;
        // Destructors that run after this one may ask again; they get another one.
        value_ = nullptr;
        delete static_cast<T*>(value);
      });
      return made;
    }();
    return key;
  }

  static inline constinit thread_local T* value_ = nullptr;
};

}  // namespace heapray
