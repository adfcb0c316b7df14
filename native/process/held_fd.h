// A file descriptor that is held for as long as the program runs.
#pragma once

#include <sys/types.h>

#include "process/owned_fd.h"

namespace heapray {

// Programs close descriptors that they did not open (a daemon does, all of them), and the number is that of a file of
// theirs from then on. So it is made sure before each use that the number still stands for what was opened. It is as
// high as costs nothing, so that the program gets the numbers that it would get without heapray, mostly.
class HeldFd {
 public:
  HeldFd() = default;
  explicit HeldFd(OwnedFd fd);
  HeldFd(HeldFd&&) noexcept = default;
  HeldFd& operator=(HeldFd&&) noexcept = default;
  ~HeldFd() { Close(); }

  // The descriptor, or -1 and EBADF where there is none, or none any more.
  int get() const;
  // Whether `fd` is open on the same file as this was.
  bool SameFile(int fd) const;
  // Closes now; returns false where it was closed before, or the operating system reports an error.
  bool Close();

 private:
  OwnedFd fd_;
  dev_t device_ = 0;
  ino_t file_ = 0;
};

}  // namespace heapray
