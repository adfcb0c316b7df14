// A sink for drivers that measure: takes everything and keeps nothing.
#pragma once

#include "record/sink.h"

namespace heapray {

class NoSink final : public Sink {
 public:
  bool Close() override { return true; }
  void Forget() override {}

 protected:
  bool Grow(size_t bytes) override {
    if (bytes > sizeof room_) return false;
    cursor_ = room_;
    limit_ = room_ + sizeof room_;
    return true;
  }

 private:
  uint8_t room_[1 << 16];
};

}  // namespace heapray
