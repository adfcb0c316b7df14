#include "python/python_stack_source.h"

#include "process/kept_errno.h"
#include "process/per_thread.h"
#include "process/stack_bounds.h"
#include "python/code_numbers.h"
#include "python/code_text.h"
#include "python/frame_memory.h"

namespace heapray {
namespace {

// Frames of both kinds, innermost first: a Memory for NativeWalk::FollowOuter() that follows everything anew.
class MixedFrames {
 public:
  MixedFrames() : frames_(StackWalk::kMaxDepth) {}

  bool usable() const { return frames_.usable(); }
  void Begin() { count_ = 0; }
  bool full() const { return count_ == StackWalk::kMaxDepth; }
  bool ContinuesAsBefore(uint64_t) const { return false; }
  void AddNative(uint64_t, uint64_t pc) { Add({pc, 0, pc}); }
  void Add(const RawFrame& frame) {
    if (!full()) frames_[count_++] = frame;
  }
  void Tell(StackWalk& walk) const {
    size_t unchanged = 0;
    if (walk.maker() == this) {
      size_t most = walk.depth() < count_ ? walk.depth() : count_;
      while (unchanged < most && walk.FromOutermost(unchanged).key == frames_[count_ - 1 - unchanged].key) unchanged++;
    }
    walk.Set(unchanged, frames_.data(), count_ - unchanged, kEpoch, this);
  }

 private:
  static constexpr uint64_t kEpoch = 1;

  MappedArray<RawFrame> frames_;
  size_t count_ = 0;
};

}  // namespace

// What is kept of a thread.
struct PythonStackSource::ThreadMemory {
  FrameMemory frames;
  MixedFrames mixed;
};

void PythonStackSource::Prepare(bool native) {
  CodeNumbers::Get().Watch();
  static NativeWalk* walk = nullptr;
  if (native) {
    if (walk == nullptr) walk = new NativeWalk;
    interpreter_.Find();
  }
  native_.store(native ? walk : nullptr, std::memory_order_release);
}

void PythonStackSource::Walk(StackWalk& walk) {
  KeptErrno kept;
  NativeWalk* native = native_.load(std::memory_order_acquire);
  const PyThreadState* thread = walk.usable() ? frames::ThisThread() : nullptr;
  const frames::Frame* innermost = thread == nullptr ? nullptr : frames::Innermost(thread);
  if (innermost == nullptr) {
    if (native != nullptr) {
      native->WalkThread(walk);
    } else {
      walk.SetEmpty();
    }
    return;
  }
  if (native != nullptr) {
    WalkMixed(*native, innermost, walk);
    return;
  }
  FrameMemory& memory = PerThread<ThreadMemory>::Get().frames;
  if (!memory.usable()) {
    walk.SetEmpty();
    return;
  }
  if (walk.maker() != &memory) memory.Forget();
  memory.Look(innermost);
  memory.Tell(walk);
}

// Each call of the interpreter on the native stack executes a run of Python frames, which take its place.
void PythonStackSource::WalkMixed(NativeWalk& native, const frames::Frame* innermost, StackWalk& walk) {
  ThreadMemory& thread = PerThread<ThreadMemory>::Get();
  NativeChains& chains = NativeWalk::Chains();
  if (!thread.frames.usable() || !thread.mixed.usable()) {
    walk.SetEmpty();
    return;
  }
  thread.frames.Look(innermost);
  if (thread.frames.count() == 0) {
    // Too deep to be remembered: Python's frames alone, looked at once more since the walk before had others too.
    thread.frames.Look(innermost);
    thread.frames.Tell(walk);
    return;
  }
  StackBounds stack = ThisThreadsStack();
  auto is_interpreter = [this](uint64_t pc) { return interpreter_.Contains(pc); };
  NativeCursor cursor = native.Caller();
  uint32_t chain = 0;
  // Of a stack that is not the thread's own (a greenlet's may be), nobody knows where it ends.
  bool leads_on = stack.Contains(cursor.sp) && native.WalkInnermost(chains, cursor, 0, stack.end, is_interpreter,
                                                                    &chain) == NativeChains::End::kRuntimeCode;
  MixedFrames& mixed = thread.mixed;
  mixed.Begin();
  // From a call of the interpreter to the one that is further out.
  auto follow = [&] {
    leads_on = native.Step(cursor, stack.end);
    if (!leads_on) return;
    native.FollowOuter(cursor, 0, stack.end, mixed, is_interpreter);
    leads_on = interpreter_.Contains(cursor.pc);
  };
  for (size_t i = 0; i < thread.frames.count(); i++) {
    FrameMemory::Seen seen = thread.frames.FromInnermost(i);
    if (seen.shown != nullptr) mixed.Add(*seen.shown);
    if (seen.ends_run && leads_on) follow();
  }
  while (leads_on && !mixed.full()) follow();
  mixed.Tell(walk);
  walk.SetInnermost(&chains, chain);
}

void PythonStackSource::Describe(const RawFrame& frame, FrameSink& sink) {
  auto* code = reinterpret_cast<PyCodeObject*>(frame.fp);
  // As memray has it; the qualified name would say more, and agree with fewer tools.
  CodeText name(code->co_name);
  CodeText file(code->co_filename);
  SourceScript script{file.view(), "", 0};
  auto first_line = static_cast<uint32_t>(code->co_firstlineno > 0 ? code->co_firstlineno : 0);
  SourceFunction function{name.view(), first_line, 0, 0};
  // Reads the code's line table and nothing else.
  int line = PyCode_Addr2Line(code, static_cast<int>(static_cast<int64_t>(frame.pc)));
  sink.Add(function, script, static_cast<uint32_t>(line > 0 ? line : 0), 0);
}

}  // namespace heapray
