// Python stacks, alone or with the native frames in between, and what their frames say.
#pragma once

#include <atomic>
#include <cstdint>

#include "python/frames.h"
#include "python/interpreter_code.h"
#include "stacks/native_walk.h"
#include "stacks/stack_source.h"

namespace heapray {

class PythonStackSource final : public StackSource {
 public:
  void Walk(StackWalk& walk) override;
  void Describe(const RawFrame& frame, FrameSink& sink) override;

  // Finds out what walks need to know of this interpreter, and whether they tell of native frames. With the GIL.
  void Prepare(bool native);

 private:
  struct ThreadMemory;
  void WalkMixed(NativeWalk& native, const frames::Frame* innermost, StackWalk& walk);

  std::atomic<NativeWalk*> native_{nullptr};  // when wanted; never deleted, since threads may be inside
  InterpreterCode interpreter_;
};

}  // namespace heapray
