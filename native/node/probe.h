// Proves at start-up, on the running process, that frames are where we believe and say what we know they say.
#pragma once

#include <v8.h>

#include <string>
#include <vector>

namespace heapray {

class JsStackSource;
struct IsolateState;

class Probe {
 public:
  Probe(JsStackSource& source, v8::Isolate* isolate) : source_(source), isolate_(isolate) {}

  // Runs known functions and finds them on the stack. Returns an empty string, or what disagreed.
  std::string Run();

 private:
  static void OnOuterCall(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void OnInnerCall(const v8::FunctionCallbackInfo<v8::Value>& info);

  bool FindExitFramePointer(IsolateState& state);
  bool IsHandlers(uint64_t offset, IsolateState& state) const;
  void FindHandlersAndNote(IsolateState& state);
  bool SeesProbes(IsolateState& state, const std::vector<std::string>& expected);

  static Probe* running_;

  JsStackSource& source_;
  v8::Isolate* isolate_;
  v8::Local<v8::Function> probe_;
  std::string failure_ = "the probe did not run";
};

}  // namespace heapray
