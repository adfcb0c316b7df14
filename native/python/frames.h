// The frames that a thread's interpreter is executing, read while they lie still: inside an allocation made by that
// thread. What differs between versions of CPython is here.
#pragma once

#include <cstdint>

#include "python/cpython.h"

namespace heapray::frames {

#if PY_VERSION_HEX >= 0x030B0000
using Frame = _PyInterpreterFrame;
#else
using Frame = PyFrameObject;
#endif

// The calling thread's interpreter state, or nullptr when it has none. Whether it holds the GIL does not matter: a
// thread that gave it up does not change its frames.
inline PyThreadState* ThisThread() {
#if PY_VERSION_HEX >= 0x030D0000
  // The one that runs now, which may be a subinterpreter's.
  if (PyThreadState* running = PyThreadState_GetUnchecked()) return running;
#elif PY_VERSION_HEX >= 0x030C0000
  if (PyThreadState* running = _PyThreadState_UncheckedGet()) return running;
#endif
  return PyGILState_GetThisThreadState();
}

inline const Frame* Innermost(const PyThreadState* thread) {
#if PY_VERSION_HEX >= 0x030D0000
  return thread->current_frame;
#elif PY_VERSION_HEX >= 0x030B0000
  return thread->cframe->current_frame;
#else
  return thread->frame;
#endif
}

inline const Frame* Caller(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030B0000
  return frame->previous;
#else
  return frame->f_back;
#endif
}

// Whether it stands for the place where C entered the interpreter, not for a function.
inline bool IsEntry(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030E0000
  return frame->owner >= FRAME_OWNED_BY_INTERPRETER;
#elif PY_VERSION_HEX >= 0x030C0000
  return frame->owner == FRAME_OWNED_BY_CSTACK;
#else
  (void)frame;
  return false;
#endif
}

// Whether it is the outermost of those that one call of the interpreter executes. (Where entries have frames of their
// own, those are.)
inline bool EndsRun(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030C0000
  return IsEntry(frame);
#elif PY_VERSION_HEX >= 0x030B0000
  return frame->is_entry;
#else
  (void)frame;
  return true;
#endif
}

// What identifies the code: its code object. Not of entries.
inline PyCodeObject* Code(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030D0000
  return _PyFrame_GetCode(const_cast<Frame*>(frame));
#else
  return frame->f_code;
#endif
}

// Whether the function's own code has begun: until then, CPython does not count the frame among the callers either.
inline bool IsShown(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030B0000
  return !IsEntry(frame) && !_PyFrame_IsIncomplete(const_cast<Frame*>(frame));
#else
  (void)frame;
  return true;
#endif
}

// Words that say what is being executed, to be compared with what they were.
inline uint64_t CodeWord(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030E0000
  return frame->f_executable.bits;
#elif PY_VERSION_HEX >= 0x030D0000
  return reinterpret_cast<uint64_t>(frame->f_executable);
#else
  return reinterpret_cast<uint64_t>(frame->f_code);
#endif
}
inline uint64_t PlaceWord(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030D0000
  return reinterpret_cast<uint64_t>(frame->instr_ptr);
#elif PY_VERSION_HEX >= 0x030B0000
  return reinterpret_cast<uint64_t>(frame->prev_instr);
#else
  return static_cast<uint64_t>(static_cast<int64_t>(frame->f_lasti));
#endif
}

// The offset in its code of the instruction being executed, in bytes.
inline int Offset(const Frame* frame) {
#if PY_VERSION_HEX >= 0x030B0000
  return _PyInterpreterFrame_LASTI(const_cast<Frame*>(frame)) * static_cast<int>(sizeof(_Py_CODEUNIT));
#elif PY_VERSION_HEX >= 0x030A0000
  return frame->f_lasti * static_cast<int>(sizeof(_Py_CODEUNIT));
#else
  return frame->f_lasti;
#endif
}

}  // namespace heapray::frames
