#include "process/held_fd.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace heapray {
namespace {

// Above what programs reach, yet with room for it in the table that every process has a limit of 1024 for.
constexpr rlim_t kHighest = 1000;
// Numbers next to the limit, so that a program that is near it has what is below.
constexpr rlim_t kRoom = 8;

int RaisedNumber(int fd) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= kRoom) return -1;
  return fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(std::min(kHighest, limit.rlim_cur - kRoom)));
}

}  // namespace

HeldFd::HeldFd(OwnedFd fd) : fd_(std::move(fd)) {
  if (fd_.get() < 0) return;
  OwnedFd raised(RaisedNumber(fd_.get()));
  if (raised.get() >= 0) fd_ = std::move(raised);
  struct stat opened;
  if (fstat(fd_.get(), &opened) != 0) return;
  device_ = opened.st_dev;
  file_ = opened.st_ino;
}

bool HeldFd::SameFile(int fd) const {
  struct stat now;
  return fstat(fd, &now) == 0 && now.st_dev == device_ && now.st_ino == file_;
}

int HeldFd::get() const {
  if (fd_.get() >= 0 && SameFile(fd_.get())) return fd_.get();
  errno = EBADF;
  return -1;
}

bool HeldFd::Close() {
  if (get() >= 0) return fd_.Close();
  fd_.Release();
  return false;
}

}  // namespace heapray
