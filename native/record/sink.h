// Where a capture's bytes go. One writer at a time (the tracker's lock); no exceptions; errors are kept, not thrown.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapray {

class Sink {
 public:
  virtual ~Sink() = default;

  // Room for `bytes` bytes at the current end, or nullptr once the sink has failed (error() says why).
  // The room reads as zeros: a reader of an unfinished capture sees the end of the stream there.
  uint8_t* Reserve(size_t bytes) {
    if (static_cast<size_t>(limit_ - cursor_) >= bytes) [[likely]] {
      return cursor_;
    }
    return Grow(bytes) ? cursor_ : nullptr;
  }

  // Makes the first `bytes` bytes of the last Reserve() part of the capture.
  void Commit(size_t bytes) { cursor_ += bytes; }

  // Hands what was committed to the operating system. Called now and then, off the hot path.
  virtual void Flush() {}

  // Ends the capture at its last committed byte. Returns false when that failed.
  virtual bool Close() = 0;

  // errno of the failure, 0 while all is well.
  int error() const { return error_; }

 protected:
  // Makes limit_ - cursor_ >= bytes, or sets error_ and returns false, for good.
  virtual bool Grow(size_t bytes) = 0;

  uint8_t* cursor_ = nullptr;
  uint8_t* limit_ = nullptr;
  int error_ = 0;
};

}  // namespace heapray
