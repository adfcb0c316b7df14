#include "process/held_fd.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace heapray {
namespace {

// Above what programs reach.
constexpr rlim_t kHighest = 1000;
// Numbers next to the limit, so that a program that is near it has what is below.
constexpr rlim_t kRoom = 8;

// How many descriptors the kernel's table of them has room for, or 0. Where there are threads, and heapray has some, it
// takes that ten milliseconds or so to grow: until no processor reads the old one.
rlim_t TableSize() {
  OwnedFd fd(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  char status[1024];
  ssize_t bytes = fd.get() < 0 ? 0 : read(fd.get(), status, sizeof status - 1);
  status[std::max<ssize_t>(bytes, 0)] = 0;
  constexpr std::string_view kName = "\nFDSize:";
  const char* line = strstr(status, kName.data());
  return line == nullptr ? 0 : strtoull(line + kName.size(), nullptr, 10);
}

int RaisedNumber(int fd) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  rlim_t end = std::min(limit.rlim_cur, TableSize());
  if (end <= kRoom) return -1;
  return fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(std::min(kHighest, end - kRoom)));
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
