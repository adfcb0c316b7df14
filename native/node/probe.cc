#include "node/probe.h"

#include "node/isolates.h"
#include "node/js_stack_source.h"
#include "process/modules.h"

namespace heapray {
namespace {

constexpr uint64_t kSearchedOfIsolate = 1024;
constexpr uint64_t kSearchedOfEntryFrame = 160;
constexpr int kMostHandlers = 256;

constexpr char kUrl[] = "heapray:probe";
constexpr char kSource[] =
    "(function heaprayProbe(call) {\n"
    "  return 1 + call();\n"
    "})\n"
    "//# sourceMappingURL=heapray-probe.map\n";
// The call's place in the source, as heapray writes frames.
constexpr char kExpected[] = "heaprayProbe heapray:probe heapray-probe.map 2:14 1:23";

// Writes frames down as text.
class Notes final : public FrameSink {
 public:
  void Add(SourceFunction& function, SourceScript& script, uint32_t line, uint32_t column) override {
    std::string text(function.name);
    text.append(" ").append(script.url).append(" ").append(script.source_map_url);
    text += " " + std::to_string(line) + ":" + std::to_string(column);
    text += " " + std::to_string(function.line) + ":" + std::to_string(function.column);
    lines_.push_back(std::move(text));
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

}  // namespace

Probe* Probe::running_ = nullptr;

std::string Probe::Run() {
  v8::HandleScope handles(isolate_);
  v8::Local<v8::Context> context = isolate_->GetCurrentContext();
  v8::TryCatch errors(isolate_);
  auto text = [&](const char* value) { return v8::String::NewFromUtf8(isolate_, value).ToLocalChecked(); };
  v8::ScriptCompiler::Source source(text(kSource), v8::ScriptOrigin(
#if V8_MAJOR_VERSION < 12
                                                       isolate_,
#endif
                                                       text(kUrl)));
  v8::Local<v8::Script> script;
  v8::Local<v8::Value> function;
  v8::Local<v8::Function> callback;
  if (!v8::ScriptCompiler::Compile(context, &source).ToLocal(&script) || !script->Run(context).ToLocal(&function) ||
      !v8::Function::New(context, OnOuterCall).ToLocal(&callback)) {
    return "the probe does not compile";
  }
  running_ = this;
  probe_ = function.As<v8::Function>();
  v8::Local<v8::Value> arguments[] = {callback};
  (void)probe_->Call(context, v8::Undefined(isolate_), 1, arguments).IsEmpty();
  running_ = nullptr;
  return failure_;
}

void Probe::OnOuterCall(const v8::FunctionCallbackInfo<v8::Value>&) {
  Probe* self = running_;
  IsolateState* state = Isolates::Current();
  if (state == nullptr || state->stack_end == 0) {
    self->failure_ = "the stack's bounds are unknown";
    return;
  }
  // Once through JavaScript alone ...
  bool found = false;
  for (PositionEncoding encoding : {PositionEncoding::kSign, PositionEncoding::kTwoFlags}) {
    SetPositionEncoding(encoding);
    // Another encoding is another answer.
    self->source_.Clear();
    found = found || self->FindExitFramePointer(*state);
    if (found) break;
  }
  if (!found) {
    self->failure_ = "JavaScript frames are not where they are expected";
    return;
  }
  self->FindHandlersAndNote(*state);
  if (self->source_.called_offset_ != 0) self->source_.Mark(*state);
  // ... and once more from C++ in between.
  v8::Local<v8::Context> context = self->isolate_->GetCurrentContext();
  v8::Local<v8::Function> callback;
  if (!v8::Function::New(context, OnInnerCall).ToLocal(&callback)) return;
  v8::Local<v8::Value> arguments[] = {callback};
  (void)self->probe_->Call(context, v8::Undefined(self->isolate_), 1, arguments).IsEmpty();
}

void Probe::OnInnerCall(const v8::FunctionCallbackInfo<v8::Value>&) {
  Probe* self = running_;
  JsStackSource& source = self->source_;
  IsolateState& state = *Isolates::Current();
  // JavaScript was left anew since.
  if (source.called_offset_ != 0 && source.IsMarked(state)) source.called_offset_ = 0;
  self->failure_ = "frames that entered JavaScript from C++ are not where they are expected";
  for (uint64_t below = 24; below <= kSearchedOfEntryFrame; below += 8) {
    source.entry_saved_exit_ = below;
    if (self->SeesProbes(state, {kExpected, kExpected})) {
      self->failure_.clear();
      return;
    }
  }
}

// The frame pointer that leads to the probe's frame lies somewhere at the isolate's beginning.
bool Probe::FindExitFramePointer(IsolateState& state) {
  auto stack_begin = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  for (uint64_t offset = 0; offset < kSearchedOfIsolate; offset += 8) {
    uint64_t value = 0;
    V8Heap::CarefulCopy(reinterpret_cast<uint64_t>(isolate_) + offset, &value, sizeof value);
    if (value <= stack_begin || value + 16 > state.stack_end || (value & 7) != 0) continue;
    source_.exit_fp_offset_ = offset;
    if (SeesProbes(state, {kExpected})) return true;
  }
  return false;
}

// V8 keeps the innermost handler near the frame pointer; each has a pointer to the one before, the outermost none.
bool Probe::IsHandlers(uint64_t offset, IsolateState& state) const {
  uint64_t at = 0;
  V8Heap::CarefulCopy(reinterpret_cast<uint64_t>(isolate_) + source_.exit_fp_offset_, &at, sizeof at);
  uint64_t next = 0;
  V8Heap::CarefulCopy(reinterpret_cast<uint64_t>(isolate_) + offset, &next, sizeof next);
  if (next == 0) return false;
  for (int i = 0; i < kMostHandlers && next != 0; i++) {
    if (next <= at || !state.Owns(next) || (next & 7) != 0) return false;
    at = next;
    next = WordAt(at);
  }
  return next == 0;
}

// Since V8 12 the words that change as JavaScript is left lie together, and handlers apart.
void Probe::FindHandlersAndNote(IsolateState& state) {
  struct Layout {
    uint64_t handlers;
    uint64_t called;
  };
  for (Layout layout : {Layout{8, 16}, Layout{136, 8}}) {
    uint64_t at = source_.exit_fp_offset_;
    if (!IsHandlers(at + layout.handlers, state)) continue;
    source_.handlers_offset_ = at + layout.handlers;
    uint64_t called = WordAt(reinterpret_cast<uint64_t>(isolate_) + at + layout.called);
    Modules& modules = Modules::Get();
    modules.Refresh();
    int module = modules.Find(called);
    if (module >= 0 && modules[module].ContainsCode(called)) source_.called_offset_ = at + layout.called;
    return;
  }
}

bool Probe::SeesProbes(IsolateState& state, const std::vector<std::string>& expected) {
  uint64_t exit_fp = 0;
  V8Heap::CarefulCopy(reinterpret_cast<uint64_t>(isolate_) + source_.exit_fp_offset_, &exit_fp, sizeof exit_fp);
  StackWalk walk;
  if (!state.walk.usable() || !walk.usable()) return false;
  // Every try is a walk of its own: nothing of the last one's is to be believed.
  state.walk.Forget();
  state.walk.Begin(walk);
  state.walk.End(source_.Follow(exit_fp, state, nullptr), walk, 0);
  Notes notes;
  for (size_t level = walk.depth(); level-- > 0 && notes.lines().size() < expected.size();) {
    source_.heap_.set_reads(V8Heap::Reads::kCopied);
    source_.Describe(walk.FromOutermost(level), notes);
    source_.heap_.set_reads(V8Heap::Reads::kTrusting);
  }
  return notes.lines() == expected;
}

}  // namespace heapray
