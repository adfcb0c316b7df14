#include "record/file_sinks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "process/own_memory.h"

namespace heapray {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kFirstWindow = 1u << 20;
constexpr size_t kLargestWindow = 32u << 20;
constexpr size_t kBuffer = 256u << 10;

// A file that grows beyond the limit has its process killed by SIGXFSZ, unless the program ignores that.
bool MayReach(uint64_t bytes) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) != 0 || bytes <= limit.rlim_cur;
}

size_t RoundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

// An overwritten file is replaced, never truncated: another process may have it mapped as its own capture, and would
// die of SIGBUS. Nothing but a regular file is ever removed.
OwnedFd OpenCaptureFile(const char* path, bool overwrite) {
  struct stat existing;
  if (overwrite && stat(path, &existing) == 0) {
    if (!S_ISREG(existing.st_mode)) {
      errno = S_ISDIR(existing.st_mode) ? EISDIR : ENOTSUP;
      return OwnedFd(-1);
    }
    if (unlink(path) != 0) return OwnedFd(-1);
  }
  return OwnedFd(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

CaptureFile::CaptureFile(OwnedFd fd) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd.get());
  ssize_t bytes = readlink(link, path, sizeof path);
  if (bytes > 0) path_.assign(path, static_cast<size_t>(bytes));
  fd_ = HeldFd(std::move(fd));
}

int CaptureFile::get() {
  int fd = fd_.get();
  if (fd >= 0) return fd;
  OwnedFd again(open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd_.SameFile(again.get())) {
    errno = EBADF;
    return -1;
  }
  fd_ = HeldFd(std::move(again));
  return fd_.get();
}

MappedFileSink::~MappedFileSink() { Unmap(); }

void MappedFileSink::Unmap() {
  if (window_ != nullptr) {
    OwnMemory::Remove(window_);
    munmap(window_, window_bytes_);
  }
  window_ = cursor_ = limit_ = nullptr;
}

bool MappedFileSink::Grow(size_t bytes) {
  if (error_ != 0) return false;
  uint64_t end = window_offset_ + static_cast<uint64_t>(cursor_ - window_);
  uint64_t offset = end / kPage * kPage;
  size_t into = static_cast<size_t>(end - offset);
  size_t wanted = std::clamp<size_t>(static_cast<size_t>(file_bytes_), kFirstWindow, kLargestWindow);
  wanted = RoundUp(std::max(wanted, into + bytes), kPage);

  int fd = file_.get();
  int failed = fd < 0 ? errno : 0;
  if (failed == 0 && !MayReach(offset + wanted)) failed = EFBIG;
  if (failed == 0) failed = posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(wanted));
  void* window = MAP_FAILED;
  if (failed == 0) {
    window = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (window == MAP_FAILED) failed = errno;
  }
  if (failed != 0) {
    error_ = failed;
    limit_ = cursor_;
    return false;
  }
  Unmap();
  window_ = static_cast<uint8_t*>(window);
  window_bytes_ = wanted;
  OwnMemory::Add(window_, window_bytes_);
  window_offset_ = offset;
  file_bytes_ = offset + wanted;
  cursor_ = window_ + into;
  limit_ = window_ + wanted;
  return true;
}

bool MappedFileSink::Close() {
  uint64_t end = window_offset_ + static_cast<uint64_t>(cursor_ - window_);
  Unmap();
  int fd = file_.get();
  bool cut = fd >= 0 && ftruncate(fd, static_cast<off_t>(end)) == 0;
  if (!cut && error_ == 0) error_ = errno;
  return file_.Close() && cut && error_ == 0;
}

BufferedFileSink::BufferedFileSink(OwnedFd fd) : file_(std::move(fd)) {}

BufferedFileSink::~BufferedFileSink() {
  if (buffer_ == nullptr) return;
  OwnMemory::Remove(buffer_);
  munmap(buffer_, buffer_bytes_);
}

bool BufferedFileSink::WriteOut() {
  const uint8_t* from = buffer_;
  while (from < cursor_) {
    int fd = file_.get();
    auto left = static_cast<size_t>(cursor_ - from);
    ssize_t written = -1;
    if (fd >= 0 && !MayReach(written_ + left)) {
      errno = EFBIG;
    } else if (fd >= 0) {
      written = pwrite(fd, from, left, static_cast<off_t>(written_));
    }
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      error_ = written == 0 ? EIO : errno;
      limit_ = cursor_;
      return false;
    }
    from += written;
    written_ += static_cast<uint64_t>(written);
  }
  if (buffer_ != nullptr) memset(buffer_, 0, static_cast<size_t>(cursor_ - buffer_));
  cursor_ = buffer_;
  return true;
}

bool BufferedFileSink::Grow(size_t bytes) {
  if (error_ != 0 || !WriteOut()) return false;
  if (bytes > buffer_bytes_) {
    size_t wanted = RoundUp(std::max(bytes, kBuffer), kPage);
    void* room = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
      error_ = errno;
      return false;
    }
    if (buffer_ != nullptr) {
      OwnMemory::Remove(buffer_);
      munmap(buffer_, buffer_bytes_);
    }
    buffer_ = static_cast<uint8_t*>(room);
    buffer_bytes_ = wanted;
    OwnMemory::Add(buffer_, buffer_bytes_);
  }
  cursor_ = buffer_;
  limit_ = buffer_ + buffer_bytes_;
  return true;
}

void BufferedFileSink::Flush() {
  if (error_ == 0) WriteOut();
}

bool BufferedFileSink::Close() {
  bool written = error_ == 0 && WriteOut();
  return file_.Close() && written;
}

}  // namespace heapray
