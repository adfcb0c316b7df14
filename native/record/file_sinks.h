// The two ways to write a capture to a file.
#pragma once

#include <string>

#include "process/held_fd.h"
#include "process/owned_fd.h"
#include "record/sink.h"

namespace heapray {

// Opens `path` for a new capture, mode 0600; without `overwrite` the file must not exist. Sets errno, fd -1 on failure.
OwnedFd OpenCaptureFile(const char* path, bool overwrite);

// The file of a capture that is being written. It is opened again where the program has closed its descriptor.
class CaptureFile {
 public:
  explicit CaptureFile(OwnedFd fd);
  // The descriptor, or -1 and errno.
  int get();
  bool Close() { return fd_.Close(); }

 private:
  HeldFd fd_;
  std::string path_;
};

// A shared mapping over the file's growing end: no system call per record, and what is written survives a SIGKILL.
// The file's blocks are allocated before they are mapped, so a full disk is an error here and never a SIGBUS.
class MappedFileSink final : public Sink {
 public:
  explicit MappedFileSink(OwnedFd fd) : file_(std::move(fd)) {}
  ~MappedFileSink() override;
  bool Close() override;
  void Forget() override { file_.Close(); }

 protected:
  bool Grow(size_t bytes) override;

 private:
  void Unmap();

  CaptureFile file_;
  uint8_t* window_ = nullptr;
  size_t window_bytes_ = 0;
  uint64_t window_offset_ = 0;  // of window_ in the file
  uint64_t file_bytes_ = 0;
};

// A buffer and write(2), for file systems that cannot map or pre-allocate. A SIGKILL loses what Flush() has not seen.
class BufferedFileSink final : public Sink {
 public:
  explicit BufferedFileSink(OwnedFd fd);
  ~BufferedFileSink() override;
  void Flush() override;
  bool Close() override;
  void Forget() override { file_.Close(); }

 protected:
  bool Grow(size_t bytes) override;

 private:
  bool WriteOut();

  CaptureFile file_;
  uint8_t* buffer_ = nullptr;
  size_t buffer_bytes_ = 0;
  uint64_t written_ = 0;  // of the file
};

}  // namespace heapray
