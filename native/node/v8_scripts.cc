#include "node/v8_scripts.h"

#include <algorithm>

#include "node/source_positions.h"

namespace heapray {
namespace {

constexpr uint32_t kLongestName = 512;
constexpr uint32_t kLongestUrl = 4096;
constexpr uint32_t kLongestSourceMapUrl = 16u << 20;
// Programs may make scripts without end (eval in a loop): what is kept of them is dropped and read anew.
constexpr size_t kMostScripts = 8192;
constexpr size_t kMostFunctions = 1u << 18;

// ScopeInfo's flags.
constexpr uint32_t kScopeTypeMask = 15;
constexpr uint32_t kHasSavedClassVariable = 1u << 10;
constexpr uint32_t kFunctionVariableMask = 3u << 12;
constexpr uint32_t kHasInferredName = 1u << 14;
constexpr int kFunctionKindShift = 17;
constexpr uint32_t kFunctionKindMask = 31;
// Beyond so many variables a scope keeps their names in one hash table.
constexpr int64_t kMostInlinedNames = 75;

}  // namespace

V8Script::V8Script(const V8Heap& heap, V8Heap::Object source, std::string url, std::string source_map_url,
                   int32_t line_offset, int32_t column_offset)
    : url_(std::move(url)),
      source_map_url_(std::move(source_map_url)),
      name_{url_, source_map_url_, 0},
      line_offset_(line_offset),
      column_offset_(column_offset) {
  std::optional<V8Heap::Characters> characters = heap.Flat(source);
  if (!characters) return;
  std::string copy;
  if (heap.copies()) {
    copy.resize(characters->one_byte ? characters->length : characters->length * 2ull);
    if (V8Heap::CarefulCopy(reinterpret_cast<uint64_t>(characters->data), copy.data(), copy.size()) != copy.size()) {
      return;
    }
    characters->data = copy.data();
  }
  length_ = characters->length;
  lines_ = LineTable(*characters);
}

LineColumn V8Script::At(int32_t offset) const {
  if (offset < 0 || static_cast<uint32_t>(offset) > length_ || lines_.empty()) return {};
  uint32_t at = lines_.LineOf(static_cast<uint32_t>(offset));
  auto line = static_cast<int32_t>(at);
  auto column = offset - static_cast<int32_t>(lines_.StartOf(at));
  if (line == 0) column += column_offset_;
  return {static_cast<uint32_t>(line + line_offset_ + 1), static_cast<uint32_t>(column + 1)};
}

void V8Scripts::Clear() {
  scripts_.clear();
  functions_.clear();
}

V8Function& V8Scripts::FunctionOf(V8Heap::Object shared, uint32_t isolate, uint64_t epoch) {
  if (functions_.size() > kMostFunctions) functions_.clear();
  Known& known = functions_[shared];
  if (known.epoch == epoch && epoch != 0) return known.function;

  V8Function& function = known.function;
  function = V8Function();
  int32_t start = -1;
  int32_t end = -1;
  V8Heap::Object name_or_scope = heap_.Field(shared, layout_.sfi_name_or_scope_info);
  if (heap_.IsType(name_or_scope, layout_.scope_info_type)) {
    ReadScopeInfo(name_or_scope, &function.name, &start, &end);
  } else if (heap_.IsString(name_or_scope)) {
    function.name = heap_.ToUtf8(name_or_scope, kLongestName);
  }
  function.script = ScriptOf(shared, isolate);
  if (function.script != nullptr) {
    LineColumn at = function.script->At(start);
    function.source.line = at.line;
    function.source.column = at.column;
    int32_t literal = heap_.Read<int32_t>(shared + static_cast<uint64_t>(layout_.sfi_function_literal_id));
    bool whole_script = start == 0 && end >= 0 && static_cast<uint32_t>(end) == function.script->length();
    // Node wraps a CommonJS module in a function that spans the script.
    if (function.name.empty() && (literal == 0 || whole_script)) function.name = "<module>";
  }
  if (function.name.empty()) function.name = "<anonymous>";
  function.source.name = function.name;
  known.epoch = epoch;
  return function;
}

void V8Scripts::ReadScopeInfo(V8Heap::Object scope_info, std::string* name, int32_t* start, int32_t* end) const {
  // Words behind the map: flags, parameter count, number of context variables, ..., see V8's scope-info.tq.
  auto slot = [&](int64_t index) { return heap_.Word(scope_info + 8 + static_cast<uint64_t>(index) * 8); };
  // The flags were a Smi once, and are a plain number since.
  uint32_t flags = static_cast<uint32_t>(slot(0));
  if (flags == 0) flags = static_cast<uint32_t>(V8Heap::SmiValue(slot(0)));
  int64_t variables = V8Heap::SmiValue(slot(2));
  if (layout_.scope_info_position != 0) {
    *start = V8Heap::SmiValue(slot(layout_.scope_info_position));
    *end = V8Heap::SmiValue(slot(layout_.scope_info_position + 1));
  }
  int64_t index = layout_.scope_info_first_variable;
  if (variables < 0 || variables > (1 << 20)) return;
  index += (variables < kMostInlinedNames ? variables : 1) + variables;
  if ((flags & kHasSavedClassVariable) != 0) index++;
  if ((flags & kFunctionVariableMask) != 0) {
    *name = heap_.ToUtf8(heap_.Untag(slot(index)), kLongestName);
    index += 2;
  }
  if ((flags & kHasInferredName) != 0) {
    if (name->empty()) *name = heap_.ToUtf8(heap_.Untag(slot(index)), kLongestName);
    index++;
  }
  // The parts of class bodies that run have no names of their own in newer V8s.
  auto kind = static_cast<int>(flags >> kFunctionKindShift & kFunctionKindMask);
  if (kind >= layout_.members_initializer && kind < layout_.initializers_end) {
    *name = kind < layout_.static_initializer ? "<instance_members_initializer>" : "<static_initializer>";
  }
  if (layout_.scope_info_position == 0) {
    uint64_t first = slot(index);
    uint64_t second = slot(index + 1);
    // A module's scope has one more word before its variables; its function spans the script.
    bool plausible =
        V8Heap::IsSmi(first) && V8Heap::IsSmi(second) && V8Heap::SmiValue(first) <= V8Heap::SmiValue(second);
    *start = plausible ? V8Heap::SmiValue(first) : 0;
    *end = plausible ? V8Heap::SmiValue(second) : -1;
  }
}

V8Heap::Object V8Scripts::BytecodeOf(V8Heap::Object shared) const {
  V8Heap::Object data = heap_.Field(shared, 8);
  if (heap_.IsType(data, layout_.code_type)) data = heap_.Field(data, layout_.code_deoptimization_data);
  return heap_.IsType(data, layout_.bytecode_array_type) ? data : 0;
}

V8Heap::Object V8Scripts::ScriptObjectOf(V8Heap::Object shared) const {
  V8Heap::Object script = heap_.Field(shared, layout_.sfi_script);
  if (heap_.IsType(script, layout_.debug_info_type)) {
    // While a debugger looks at the function, the script hides behind its debug info.
    V8Heap::Object debug_info = script;
    for (int offset = 8; offset <= 96 && !heap_.IsType(script, layout_.script_type); offset += 8) {
      script = heap_.Field(debug_info, offset);
    }
  }
  return heap_.IsType(script, layout_.script_type) ? script : 0;
}

std::shared_ptr<V8Script> V8Scripts::ScriptOf(V8Heap::Object shared, uint32_t isolate) {
  V8Heap::Object script = ScriptObjectOf(shared);
  if (script == 0) return nullptr;
  auto id = static_cast<uint32_t>(V8Heap::SmiValue(heap_.Word(script + static_cast<uint64_t>(layout_.script_id))));
  uint64_t key = static_cast<uint64_t>(isolate) << 32 | id;
  if (auto known = scripts_.find(key); known != scripts_.end()) return known->second;

  auto smi = [&](int offset) { return V8Heap::SmiValue(heap_.Word(script + static_cast<uint64_t>(offset))); };
  std::string map_url = heap_.ToUtf8(heap_.Field(script, layout_.script_source_mapping_url), kLongestSourceMapUrl);
  auto made = std::make_shared<V8Script>(heap_, heap_.Field(script, layout_.script_source), UrlOf(script, isolate),
                                         std::move(map_url), smi(layout_.script_line_offset),
                                         smi(layout_.script_column_offset));
  if (scripts_.size() > kMostScripts) scripts_.clear();
  scripts_[key] = made;
  return made;
}

std::string V8Scripts::UrlOf(V8Heap::Object script, uint32_t isolate) {
  std::string url = heap_.ToUtf8(heap_.Field(script, layout_.script_name), kLongestUrl);
  if (url.empty()) url = heap_.ToUtf8(heap_.Field(script, layout_.script_source_url), kLongestUrl);
  if (url.empty()) url = EvalOrigin(script, isolate);
  return url;
}

std::string V8Scripts::EvalOrigin(V8Heap::Object script, uint32_t isolate) {
  V8Heap::Object caller = heap_.Field(script, layout_.script_eval_from_shared);
  if (!heap_.IsType(caller, layout_.shared_function_info_type)) return "<unknown>";
  // An eval may come from an eval; names stay short by telling the nearest file only.
  V8Heap::Object origin_script = ScriptObjectOf(caller);
  if (origin_script == 0) return "eval";
  if (heap_.ToUtf8(heap_.Field(origin_script, layout_.script_name), 1).empty()) return "eval";
  std::shared_ptr<V8Script> origin = ScriptOf(caller, isolate);

  int32_t position = -1;
  uint64_t word = heap_.Word(script + static_cast<uint64_t>(layout_.script_eval_from_position));
  if (V8Heap::IsSmi(word)) position = V8Heap::SmiValue(word);
  if (position < 0) {
    // Not looked up yet: minus the caller's bytecode offset.
    V8Heap::Object bytecode = BytecodeOf(caller);
    if (bytecode != 0) {
      V8Heap::Object table = heap_.Field(bytecode, layout_.bytecode_array_source_positions);
      position = PositionAt(DecodePositions(heap_, table), -position).script_offset;
    }
  }
  LineColumn at = origin->At(position);
  std::string name;
  int32_t start = -1;
  int32_t end = -1;
  V8Heap::Object scope = heap_.Field(caller, layout_.sfi_name_or_scope_info);
  if (heap_.IsType(scope, layout_.scope_info_type)) ReadScopeInfo(scope, &name, &start, &end);
  std::string text = "eval at " + (name.empty() ? "<anonymous>" : name) + " (" + std::string(origin->name().url);
  if (at.line != 0) text += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  return text + ")";
}

}  // namespace heapray
