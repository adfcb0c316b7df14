#include "node/js_stack_source.h"

#include <sys/mman.h>

#include "node/elf_symbols.h"
#include "node/probe.h"
#include "process/kept_errno.h"
#include "process/modules.h"
#include "process/own_memory.h"

namespace heapray {
namespace {

constexpr size_t kMostNativeFrames = 256;
constexpr uint64_t kMostFrameKinds = 256;

// Keys: a place in compiled code is its address; in an interpreted function, its bytecode array and offset; in a
// built-in function, the address and the function, since functions share built-in code. Addresses have 47 bits and
// objects are 8-aligned, so the first kind cannot meet the others.
constexpr int kPlaceBits = 20;
uint64_t KeyOf(uint64_t object, uint64_t place) {
  return object >> 3 << kPlaceBits | (place & ((1u << kPlaceBits) - 1));
}

// Whether a frame is one that JavaScript is left by, rather than one of its own that is being deoptimized: V8's own
// kinds are marked by small, even numbers.
bool IsExitFrame(uint64_t fp) { return (WordAt(fp - 8) & 1) == 0; }

// Whether `fp` may be the frame pointer of a caller of the frame at `inner`.
bool IsOnStack(uint64_t fp, uint64_t inner, const IsolateState& state) {
  return fp > inner && fp + 16 <= state.stack_end && (fp & 7) == 0;
}

}  // namespace

void JsStackSource::WalkWithoutJs(NativeWalk* native, StackWalk& walk) {
  if (native != nullptr) {
    native->WalkThread(walk);
  } else {
    walk.SetEmpty();
  }
}

void JsStackSource::Walk(StackWalk& walk) {
  IsolateState* state = Isolates::Current();
  NativeWalk* native = native_.load(std::memory_order_acquire);
  if (state == nullptr || !WalkAsBefore(*state, native, walk)) WalkAnew(state, native, walk);
}

inline bool JsStackSource::WalkAsBefore(IsolateState& state, NativeWalk* native, StackWalk& walk) {
  if (walk.IsStill()) {
    walk.SetAsBefore();
  } else {
    uint64_t exit_fp = ExitFrame(state);
    uint32_t node;
    if (!usable_ || !state.Owns(exit_fp) || !state.remembered.usable()) return false;
    uint32_t modules = native == nullptr ? 0 : Modules::Get().generation();
    if (!state.remembered.Find(KeyAt(exit_fp, state), walk.scope(), modules, &node)) return false;
    walk.SetKnown(node);
    SetPlace(state, exit_fp, walk);
  }
  // Native frames may be others.
  if (native != nullptr) [[unlikely]]
    AddInnermost(*native, state, walk);
  return true;
}

void JsStackSource::WalkAnew(IsolateState* state, NativeWalk* native, StackWalk& walk) {
  KeptErrno kept;
  bool has_js = state != nullptr && usable_ && walk.usable() && state->walk.usable();
  if (!has_js || (!state->watched.load(std::memory_order_relaxed) && !StartWatching(*state))) {
    WalkWithoutJs(native, walk);
    return;
  }
  uint64_t exit_fp = ExitFrame(*state);
  // Who entered an isolate may have left the JavaScript of another thread in it.
  if (!state->Owns(exit_fp)) exit_fp = 0;
  if (WalkFrom(exit_fp, *state, native, walk)) SetPlace(*state, exit_fp, walk);
}

bool JsStackSource::StartWatching(IsolateState& state) {
  // A worker that began after the tracker. Its callbacks are a list that must not change during a collection.
  uint64_t exit_fp = ExitFrame(state);
  bool on_own_stack = state.Owns(reinterpret_cast<uint64_t>(__builtin_frame_address(0))) && state.Owns(exit_fp);
  if (on_own_stack && IsOutsideOfCollections(exit_fp)) Isolates::Watch(state);
  return state.watched;
}

bool JsStackSource::IsMarked(const IsolateState& state) const {
  return (WordAt(reinterpret_cast<uint64_t>(state.isolate) + called_offset_) & kMark) != 0;
}

void JsStackSource::Mark(const IsolateState& state) const {
  *reinterpret_cast<uint64_t*>(reinterpret_cast<uint64_t>(state.isolate) + called_offset_) |= kMark;
}

inline void JsStackSource::SetPlace(const IsolateState& state, uint64_t exit_fp, StackWalk& walk) const {
  int64_t owner_offset = Isolates::current_offset();
  if (called_offset_ == 0 || owner_offset == 0 || !IsExitFrame(exit_fp)) return;
  Mark(state);
  auto isolate = reinterpret_cast<uint64_t>(state.isolate);
  walk.SetPlace({owner_offset, isolate, reinterpret_cast<const uint64_t*>(isolate + exit_fp_offset_), exit_fp,
                 reinterpret_cast<const uint64_t*>(isolate + called_offset_)});
}

void JsStackSource::AddInnermost(NativeWalk& native, IsolateState& state, StackWalk& walk) {
  NativeChains& chains = NativeWalk::Chains();
  uint64_t exit_fp = ExitFrame(state);
  uint32_t innermost = chains.usable() ? chains.FindWalk(native.Caller(), exit_fp) : 0;
  walk.SetInnermost(&chains, innermost != 0 ? innermost : WalkInnermostAnew(native, chains, exit_fp, state));
}

uint32_t JsStackSource::WalkInnermostAnew(NativeWalk& native, NativeChains& chains, uint64_t exit_fp,
                                          IsolateState& state) {
  KeptErrno kept;
  uint64_t called = 0;
  return WalkNative(native, chains, exit_fp, state, &called);
}

bool JsStackSource::WalkFrom(uint64_t exit_fp, IsolateState& state, NativeWalk* native, StackWalk& walk) {
  uint64_t epoch = state.epoch.load(std::memory_order_relaxed);
  // Of a stack that is not the thread's own (a fiber's) nobody knows where it ends.
  bool on_own_stack = state.Owns(reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  bool no_js = handlers_offset_ != 0 && exit_fp == 0 &&
               WordAt(reinterpret_cast<uint64_t>(state.isolate) + handlers_offset_) == 0;
  if ((!on_own_stack && exit_fp == 0) || (no_js && native == nullptr)) {
    walk.SetEmpty(epoch);
    return false;
  }
  bool remember = exit_fp != 0 && !state.collecting && state.remembered.usable();
  RememberedWalks::Key key;
  if (remember) key = KeyAt(exit_fp, state);
  uint32_t modules = native == nullptr ? 0 : Modules::Get().generation();
  NativeChains* chains = native == nullptr ? nullptr : &NativeWalk::Chains();
  uint64_t called = 0;
  uint32_t innermost = 0;
  state.walk.Begin(walk);
  // Where JavaScript was left by no exit frame: called C++ directly, or is being deoptimized and lies in pieces.
  bool direct = on_own_stack && (exit_fp == 0 || !IsV8Code(WordAt(exit_fp + 8), state));
  if (native != nullptr) innermost = WalkNative(*native, *chains, direct ? 0 : exit_fp, state, &called);
  if (direct) {
    if (called == 0 && !no_js) called = FindDirectCall(state);
    exit_fp = called != 0 ? WordAt(called) : 0;
    RawFrame first;
    bool deoptimizing = called != 0 && !IsV8Frame(exit_fp, called, state);
    if (deoptimizing) {
      exit_fp = FirstFrameAbove(called + 16, state);
      if (exit_fp != 0) state.walk.AddFrame(FrameAt(exit_fp, state));
    } else if (exit_fp != 0 && FirstOfDirectCall(called, exit_fp, state, &first)) {
      state.walk.AddFrame(first);
    }
  }
  bool continues = exit_fp != 0 && Follow(exit_fp, state, native);
  state.walk.End(continues, walk, epoch);
  walk.SetInnermost(chains, innermost);
  if (remember && !direct) state.remembered.Learn(key, state.walk, modules, walk);
  return exit_fp != 0 && !direct && !state.collecting;
}

RememberedWalks::Key JsStackSource::KeyAt(uint64_t exit_fp, const IsolateState& state) {
  RememberedWalks::Key key{exit_fp, WordAt(exit_fp), WordAt(exit_fp + 8), 0};
  if (IsOnStack(key.fp, exit_fp, state)) key.caller_pc = WordAt(key.fp + 8);
  return key;
}

uint32_t JsStackSource::WalkNative(NativeWalk& native, NativeChains& chains, uint64_t exit_fp, IsolateState& state,
                                   uint64_t* called) {
  NativeCursor cursor = native.Caller();
  if (!state.Owns(cursor.sp)) return 0;
  uint32_t innermost = 0;
  auto is_v8 = [&](uint64_t pc) { return IsV8Code(pc, state); };
  NativeCursor start = cursor;
  NativeChains::End end = native.WalkInnermost(chains, cursor, exit_fp, state.stack_end, is_v8, &innermost);
  if (exit_fp != 0 && innermost != 0 && end != NativeChains::End::kOutermost) {
    chains.Remember(start, exit_fp, state.stack_end, innermost);
    return innermost;
  }
  // The return address into V8's code lies right below the stack pointer that it finds.
  bool direct = exit_fp == 0 && end == NativeChains::End::kRuntimeCode && cursor.fp == WordAt(cursor.sp - 16);
  if (direct) *called = cursor.sp - 16;
  return innermost;
}

// Whether no function of V8's heap is at work between here and the JavaScript frame that `exit_fp` belongs to.
bool JsStackSource::IsOutsideOfCollections(uint64_t exit_fp) const {
  if (heap_code_.empty()) return false;
  auto fp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  for (size_t i = 0; i < kMostNativeFrames && fp < exit_fp && (fp & 7) == 0; i++) {
    uint64_t pc = WordAt(fp + 8);
    for (const auto& [begin, end] : heap_code_) {
      if (pc >= begin && pc < end) return false;
    }
    uint64_t caller = WordAt(fp);
    if (caller == exit_fp) return true;
    if (caller <= fp) return false;
    fp = caller;
  }
  return false;
}

// Compiled code calls some C++ functions (write barriers, fast calls) without leaving a trace: then the native frames
// between here and there lead the way (node is built with frame pointers). Returns the frame pointer of the C++
// function that V8's code called, or 0.
uint64_t JsStackSource::FindDirectCall(const IsolateState& state) const {
  auto fp = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  for (size_t i = 0; i < kMostNativeFrames; i++) {
    uint64_t pc = WordAt(fp + 8);
    if (IsV8Code(pc, state)) return fp;
    uint64_t next = WordAt(fp);
    if (!IsOnStack(next, fp, state)) return 0;
    fp = next;
  }
  return 0;
}

// The JavaScript frame at `fp`, whose code called the C++ function with the frame pointer `called`, maybe by way of a
// built-in that has no frame of its own: then the compiled code's return address lies between the two.
bool JsStackSource::FirstOfDirectCall(uint64_t called, uint64_t fp, const IsolateState& state, RawFrame* frame) {
  if ((WordAt(fp - 8) & 1) == 0) return false;
  Link link{};
  link.fp = fp;
  for (uint64_t slot = called + 8; slot < fp - 16 && link.pc == 0; slot += 8) {
    if (IsCompiledCode(WordAt(slot), state)) link.pc = WordAt(slot);
  }
  link.kind = Kind::kCompiled;
  if (link.pc == 0) {
    if (FunctionAt(fp, state) == 0) return false;
    link.pc = WordAt(called + 8);
    link.kind = IsInterpreted(fp, state) ? Kind::kInterpreted : Kind::kBuiltin;
  }
  *frame = FrameOf(link, state);
  return true;
}

// Whether a frame of V8's may be at `fp`, whose code called the C++ function with the frame pointer `called`.
bool JsStackSource::IsV8Frame(uint64_t fp, uint64_t called, const IsolateState& state) const {
  if (!IsOnStack(fp, called, state)) return false;
  // Its own kinds are marked by small, even numbers.
  uint64_t marker = WordAt(fp - 8);
  return ((marker & 1) == 0 && marker < kMostFrameKinds) || FunctionAt(fp, state) != 0;
}

// Deoptimizing takes the function's frame off the stack before it calls C++, and with it the return address: what is
// left begins with the caller's frame, somewhere above.
uint64_t JsStackSource::FirstFrameAbove(uint64_t address, const IsolateState& state) const {
  for (uint64_t fp = address + 16; fp + 16 <= state.stack_end; fp += 8) {
    if (!IsOnStack(WordAt(fp), fp, state) || !IsV8Code(WordAt(fp + 8), state)) continue;
    if (FunctionAt(fp, state) != 0) return fp;
  }
  return 0;
}

// The frame at `fp`, where nothing tells the place that it executes, unless it is interpreted.
RawFrame JsStackSource::FrameAt(uint64_t fp, const IsolateState& state) const {
  Link link{};
  link.fp = fp;
  link.pc = builtins_begin_;
  link.kind = IsInterpreted(fp, state) ? Kind::kInterpreted : Kind::kBuiltin;
  return FrameOf(link, state);
}

bool JsStackSource::Follow(uint64_t address, IsolateState& state, NativeWalk* native) {
  WalkMemory& memory = state.walk;
  while (!memory.full()) {
    if (memory.ContinuesAsBefore(address)) return true;
    Link link{};
    link.address = address;
    link.fp = WordAt(address);
    link.pc = WordAt(address + 8);
    if (!IsOnStack(link.fp, address, state)) {
      memory.AddLink(link);
      return false;
    }
    link.kind = KindOf(link.pc, link.fp, state);
    address = link.fp;
    if (link.kind == Kind::kEntry) {
      // C++ entered here: go on with the JavaScript that called that C++.
      link.second = link.fp - entry_saved_exit_;
      link.first = WordAt(link.second);
      bool returns_to_js = IsOnStack(link.first, link.fp, state);
      if (native != nullptr && link.fp + 16 < state.stack_end) {
        memory.AddLink(link);
        NativeCursor cursor{WordAt(link.fp + 8), link.fp + 16, WordAt(link.fp)};
        auto is_v8 = [&](uint64_t pc) { return IsV8Code(pc, state); };
        uint64_t limit = returns_to_js ? link.first : 0;
        if (native->FollowOuter(cursor, limit, state.stack_end, memory, is_v8)) return true;
        if (!returns_to_js) return false;
        address = link.first;
        continue;
      }
      if (!returns_to_js) {
        memory.AddLink(link);
        return false;
      }
      address = link.first;
    } else if (link.kind >= Kind::kFirstReported) {
      memory.AddFrame(FrameOf(link, state));
    }
    memory.AddLink(link);
  }
  return false;
}

// Fills in what the link's key is made from.
RawFrame JsStackSource::FrameOf(Link& link, const IsolateState& state) const {
  switch (link.kind) {
    case Kind::kInterpreted:
      link.first = WordAt(link.fp - 32);
      link.second = WordAt(link.fp - 40);
      return {KeyOf(link.first, link.second >> 32), link.fp, link.pc};
    case Kind::kBuiltin:
      link.first = WordAt(link.fp - 16);
      if (state.collecting) return {KeyOf(link.first, link.pc), link.fp, link.pc};
      return {KeyOf(WordAt((link.first & ~uint64_t{3}) + static_cast<uint64_t>(layout_.js_function_shared)), link.pc),
              link.fp, link.pc};
    default: return {link.pc, link.fp, link.pc};
  }
}

WalkMemory::Kind JsStackSource::KindOf(uint64_t pc, uint64_t fp, const IsolateState& state) {
  uint64_t offset = BuiltinOffset(pc, state);
  if (offset >= builtins_bytes_) {
    // Small, even numbers mark frames of V8's own.
    return (WordAt(fp - 8) & 1) != 0 ? Kind::kCompiled : Kind::kStub;
  }
  uint8_t known = builtin_kinds_[offset].load(std::memory_order_relaxed);
  if (known != 0) [[likely]]
    return static_cast<Kind>(known - 1);

  // What kind of frame belongs to a place in built-in code never changes: looked at once, carefully.
  Kind found = Kind::kStub;
  const FrameSlots& slots = Slots(state);
  uint64_t marker = WordAt(fp - 8);
  if (marker == layout_.entry_marker || marker == layout_.construct_entry_marker) {
    found = Kind::kEntry;
  } else if ((marker & 1) != 0 && slots.FunctionAt(fp) != 0) {
    if (slots.IsInterpreted(fp)) {
      found = Kind::kInterpreted;
    } else if (slots.IsBuiltin(slots.FunctionAt(fp))) {
      found = Kind::kBuiltin;
    }
  }
  builtin_kinds_[offset].store(static_cast<uint8_t>(found + 1), std::memory_order_relaxed);
  return found;
}

void JsStackSource::Describe(const RawFrame& frame, FrameSink& sink) {
  IsolateState* state = Isolates::Current();
  if (state == nullptr) return;
  V8Frames::Owner owner{state->ordinal, state->watched ? state->epoch.load() : 0,
                        reinterpret_cast<uint64_t>(state->isolate), builtins_begin_, state->builtins_copy};
  // A walk may have been led astray (by a frame of a kind that V8 has added since): look before believing.
  if (FunctionAt(frame.fp, *state) == 0) return;
  V8Frames& frames = state->collecting ? frames_in_collections_ : frames_;
  if (BuiltinOffset(frame.pc, *state) >= builtins_bytes_) {
    frames.DescribeCompiled(frame.pc, frame.fp, owner, sink);
  } else if (IsInterpreted(frame.fp, *state)) {
    frames.DescribeInterpreted(frame.fp, owner, sink);
  } else {
    frames.DescribeBuiltin(frame.fp, owner, sink);
  }
}

void JsStackSource::SetNative(bool native) {
  static NativeWalk* walk = nullptr;
  if (native && walk == nullptr) walk = new NativeWalk;
  native_.store(native ? walk : nullptr, std::memory_order_release);
}

std::string JsStackSource::Calibrate(v8::Isolate* isolate) {
  if (tried_) return failure_;
  tried_ = true;
  if (const char* missing = layout_.Load()) {
    failure_ = std::string("it does not describe itself (no ") + missing + ")";
    return failure_;
  }
  const void* begin = nullptr;
  isolate->GetEmbeddedCodeRange(&begin, &builtins_bytes_);
  builtins_begin_ = reinterpret_cast<uint64_t>(begin);
  void* kinds = mmap(nullptr, builtins_bytes_ == 0 ? 1 : builtins_bytes_, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (kinds == MAP_FAILED) {
    failure_ = "out of memory";
    return failure_;
  }
  OwnMemory::Add(kinds, builtins_bytes_);
  builtin_kinds_ = static_cast<std::atomic<uint8_t>*>(kinds);

  ForEachExecutableSymbol([this](std::string_view name, uint64_t address, uint64_t bytes) {
    if (name == "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE") {
      for (V8Frames* frames : {&frames_, &frames_in_collections_}) {
        frames->set_bytecode_sizes(reinterpret_cast<const uint8_t*>(address), static_cast<int>(bytes / 3));
      }
    }
    if (name.starts_with("Builtins_Allocate") && name.ends_with("Generation")) {
      for (V8Frames* frames : {&frames_, &frames_in_collections_})
        frames->add_allocating_builtin(address - builtins_begin_);
    }
    if (name.starts_with("_ZN2v88internal4Heap") && name.find("arbage") != name.npos) {
      heap_code_.emplace_back(address, address + bytes);
    }
  });
  Isolates::LearnCurrent(isolate);
  failure_ = Probe(*this, isolate).Run();
  usable_ = failure_.empty();
  return failure_;
}

}  // namespace heapray
