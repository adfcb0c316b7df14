// JavaScript stacks: a walk along saved frame pointers that crosses V8's frames only, and their description.
#pragma once

#include <v8.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/isolates.h"
#include "node/v8_frames.h"
#include "node/v8_heap.h"
#include "node/v8_layout.h"
#include "stacks/native_walk.h"
#include "stacks/stack_source.h"

namespace heapray {

class JsStackSource final : public StackSource {
 public:
  JsStackSource()
      : heap_(layout_),
        checked_heap_(layout_, V8Heap::Reads::kChecked),
        copying_heap_(layout_, V8Heap::Reads::kCopied),
        checked_slots_(checked_heap_, layout_),
        copying_slots_(copying_heap_, layout_),
        frames_(heap_, layout_),
        frames_in_collections_(copying_heap_, layout_) {}

  [[gnu::hot]] void Walk(StackWalk& walk) override;
  void Describe(const RawFrame& frame, FrameSink& sink) override;

  // Learns the running binary's layout and proves it on probes run in the current context. Returns an empty string, or
  // what was wrong: then Walk() finds no frames. On an isolate's thread, outside of garbage collections.
  std::string Calibrate(v8::Isolate* isolate);

  // Whether walks tell of native frames too, in between.
  void SetNative(bool native);

  // Drops what is remembered of scripts and functions.
  void Clear() {
    frames_.Clear();
    frames_in_collections_.Clear();
  }

 private:
  friend class Probe;
  using Kind = WalkMemory::Kind;
  using Link = WalkMemory::Link;

  static constexpr uint64_t kMark = uint64_t{1} << 63;

  // Where in V8's built-in code `pc` lies, or a number that is not below builtins_bytes_.
  uint64_t BuiltinOffset(uint64_t pc, const IsolateState& state) const {
    uint64_t offset = pc - state.builtins_copy;
    return offset < builtins_bytes_ ? offset : pc - builtins_begin_;
  }
  // For slots that need not hold what they should. While a collection goes on, other threads free memory; and until
  // collections are watched, nobody tells when an object that was looked at has moved.
  const FrameSlots& Slots(const IsolateState& state) const {
    return state.collecting ? copying_slots_ : checked_slots_;
  }
  static KnownSlots* Known(const IsolateState& state) {
    return state.collecting || !state.watched.load(std::memory_order_relaxed) ? nullptr : &state.known;
  }
  V8Heap::Object FunctionAt(uint64_t fp, const IsolateState& state) const {
    return Slots(state).FunctionAt(fp, Known(state));
  }
  bool IsInterpreted(uint64_t fp, const IsolateState& state) const {
    return Slots(state).IsInterpreted(fp, Known(state));
  }
  Kind KindOf(uint64_t pc, uint64_t fp, const IsolateState& state);
  // Whether `pc` lies in code compiled at run time. (The copy of the built-in code lies among it.)
  bool IsCompiledCode(uint64_t pc, const IsolateState& state) const {
    return pc >= state.code_begin && pc < state.code_end && pc - state.builtins_copy >= builtins_bytes_;
  }
  bool IsV8Code(uint64_t pc, const IsolateState& state) const {
    return BuiltinOffset(pc, state) < builtins_bytes_ || IsCompiledCode(pc, state);
  }
  bool IsOutsideOfCollections(uint64_t exit_fp) const;
  uint64_t FindDirectCall(const IsolateState& state) const;
  // The native frames between the hook and `exit_fp`, if any are wanted. `called` is set where V8's code called the
  // outermost of them directly.
  uint32_t WalkNative(NativeWalk& native, NativeChains& chains, uint64_t exit_fp, IsolateState& state,
                      uint64_t* called);
  [[gnu::noinline]] uint32_t WalkInnermostAnew(NativeWalk& native, NativeChains& chains, uint64_t exit_fp,
                                               IsolateState& state);
  [[gnu::cold]] static void WalkWithoutJs(NativeWalk* native, StackWalk& walk);
  // The frame pointer of the frame that JavaScript was left by last, or 0; whose stack it lies on is not said.
  uint64_t ExitFrame(const IsolateState& state) const {
    return WordAt(reinterpret_cast<uint64_t>(state.isolate) + exit_fp_offset_);
  }
  // Sets `walk` to one that was made before, if it is.
  bool WalkAsBefore(IsolateState& state, NativeWalk* native, StackWalk& walk);
  [[gnu::noinline]] void WalkAnew(IsolateState* state, NativeWalk* native, StackWalk& walk);
  [[gnu::cold]] bool StartWatching(IsolateState& state);
  // Whether the C++ that JavaScript called has not returned since the mark was set: as V8 leaves JavaScript, it notes
  // which function it calls, and a note that bears the mark is the one that it was set on. (Only V8's CPU profiler
  // reads notes: it looks them up in its list of code, where a marked one is not found.)
  bool IsMarked(const IsolateState& state) const;
  void Mark(const IsolateState& state) const;
  // Has the walk that was just made know when it is still right.
  void SetPlace(const IsolateState& state, uint64_t exit_fp, StackWalk& walk) const;
  // Sets `walk` to the stack below `exit_fp`; returns whether JavaScript was left there.
  [[gnu::hot]] bool WalkFrom(uint64_t exit_fp, IsolateState& state, NativeWalk* native, StackWalk& walk);
  // Adds the native frames that JavaScript was left to.
  [[gnu::noinline]] void AddInnermost(NativeWalk& native, IsolateState& state, StackWalk& walk);
  bool FirstOfDirectCall(uint64_t called, uint64_t fp, const IsolateState& state, RawFrame* frame);
  bool IsV8Frame(uint64_t fp, uint64_t called, const IsolateState& state) const;
  static RememberedWalks::Key KeyAt(uint64_t exit_fp, const IsolateState& state);
  uint64_t FirstFrameAbove(uint64_t address, const IsolateState& state) const;
  RawFrame FrameAt(uint64_t fp, const IsolateState& state) const;
  RawFrame FrameOf(Link& link, const IsolateState& state) const;
  // Follows the links from `address` on, to the outermost frame or to where the last walk went on in the same way.
  // Returns whether it did.
  bool Follow(uint64_t address, IsolateState& state, NativeWalk* native);

  // What every walk looks at comes first.
  std::atomic<NativeWalk*> native_{nullptr};  // when wanted; never deleted, since threads may be inside
  bool usable_ = false;
  // Where in an isolate V8 keeps the frame pointer of the innermost frame that left JavaScript.
  uint64_t exit_fp_offset_ = 0;
  // Where V8 keeps the innermost of the handlers that it leaves on the stack wherever C++ enters JavaScript: none, and
  // there is no JavaScript. 0: not known.
  uint64_t handlers_offset_ = 0;
  // Where V8 notes the C++ function that it calls as it leaves JavaScript; 0: not known.
  uint64_t called_offset_ = 0;
  V8Layout layout_{};
  V8Heap heap_;
  V8Heap checked_heap_;
  V8Heap copying_heap_;
  FrameSlots checked_slots_;
  FrameSlots copying_slots_;
  V8Frames frames_;
  V8Frames frames_in_collections_;
  // Where below an entry frame's pointer V8 saves the exit frame that was innermost before.
  uint64_t entry_saved_exit_ = 64;
  bool tried_ = false;
  std::string failure_;
  std::vector<std::pair<uint64_t, uint64_t>> heap_code_;  // of functions that collect garbage
  uint64_t builtins_begin_ = 0;
  uint64_t builtins_bytes_ = 0;
  std::atomic<uint8_t>* builtin_kinds_ = nullptr;  // one per byte of built-in code: 0, or 1 + its kind
};

}  // namespace heapray
