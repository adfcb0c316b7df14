// For what a hook does seldom, and what may make system calls: the program's errno stays what it was.
#pragma once

#include <cerrno>

namespace heapray {

class KeptErrno {
 public:
  KeptErrno() : errno_(errno) {}
  ~KeptErrno() { errno = errno_; }
  KeptErrno(const KeptErrno&) = delete;
  KeptErrno& operator=(const KeptErrno&) = delete;

 private:
  int errno_;
};

}  // namespace heapray
