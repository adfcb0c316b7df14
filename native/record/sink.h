// Where a capture's bytes go. One writer at a time (the tracker's lock); no exceptions; errors are kept, not thrown.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace heapray {

class Sink {
 public:
  virtual ~Sink() = default;

  // Room for `bytes` bytes at the current end, or nullptr once the sink has failed (error() says why).
  // The room reads as zeros: a reader of an unfinished capture sees the end of the stream there.
  uint8_t* Reserve(size_t bytes) {
    uint8_t* cursor = cursor_.load(std::memory_order_relaxed);
    if (static_cast<size_t>(limit_ - cursor) >= bytes) [[likely]] {
      return cursor;
    }
    return Grow(bytes) ? cursor_.load(std::memory_order_relaxed) : nullptr;
  }

  // Makes the first `bytes` bytes of the last Reserve() part of the capture.
  void Commit(size_t bytes) {
    cursor_.store(cursor_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
  }

  // Hands what was committed to the operating system. Called now and then, off the hot path.
  virtual void Flush() {}

  // Ends the capture at its last committed byte. Returns false when that failed.
  virtual bool Close() = 0;

  // In a forked child: lets go of the parent's file or connection, which would stay open for as long as the child
  // lives. The rest is left as it is, for another thread may have been in the middle of it.
  virtual void Forget() = 0;

  // errno of the failure, 0 while all is well.
  int error() const { return error_; }

  // Says what failed, for a message; `destination` is what the user calls the place that the bytes go to. In a process
  // that is ending, too: without allocating. When all is well with the sink, there was no memory for what goes into it.
  virtual void Explain(const char* destination, char* text, size_t bytes) const {
    snprintf(text, bytes, "cannot write %s: %s", destination, Reason());
  }

 protected:
  const char* Reason() const {
    if (error_ == EBADF) return "the program has closed its descriptor";
    return strerrordesc_np(error_ != 0 ? error_ : ENOMEM);
  }

  // Makes limit_ - cursor_ >= bytes, or sets error_ and returns false, for good.
  virtual bool Grow(size_t bytes) = 0;

  // Where the next record goes. A thread that is not the writer may look how far it has come.
  std::atomic<uint8_t*> cursor_ = nullptr;
  uint8_t* limit_ = nullptr;
  int error_ = 0;
};

}  // namespace heapray
