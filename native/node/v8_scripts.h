// What V8 knows of source files and functions, read once per script and function and kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/line_table.h"
#include "node/v8_heap.h"
#include "stacks/stack_source.h"

namespace heapray {

// A line and a column, 1-based; 0: unknown.
struct LineColumn {
  uint32_t line = 0;
  uint32_t column = 0;
};

class V8Script {
 public:
  V8Script(const V8Heap& heap, V8Heap::Object source, std::string url, std::string source_map_url, int32_t line_offset,
           int32_t column_offset);

  LineColumn At(int32_t offset) const;
  // The length of its source, in UTF-16 units.
  uint32_t length() const { return length_; }
  SourceScript& name() { return name_; }

 private:
  std::string url_;
  std::string source_map_url_;
  SourceScript name_;
  int32_t line_offset_;
  int32_t column_offset_;
  uint32_t length_ = 0;
  LineTable lines_;
};

struct V8Function {
  std::string name;
  std::shared_ptr<V8Script> script;
  SourceFunction source;  // what it is called and where it starts
};

class V8Scripts {
 public:
  V8Scripts(const V8Heap& heap, const V8Layout& layout) : heap_(heap), layout_(layout) {}

  // The function that a SharedFunctionInfo describes. `isolate` tells isolates apart, `epoch` is the thread's:
  // an address is good for one function as long as it lasts.
  V8Function& FunctionOf(V8Heap::Object shared, uint32_t isolate, uint64_t epoch);

  // The bytecodes of a function that is not being interpreted just now, or 0.
  V8Heap::Object BytecodeOf(V8Heap::Object shared) const;

  void Clear();

 private:
  struct Known {
    uint64_t epoch = 0;
    V8Function function;
  };

  void ReadScopeInfo(V8Heap::Object scope_info, std::string* name, int32_t* start, int32_t* end) const;
  // The Script that a function's SharedFunctionInfo belongs to, or 0 for one of V8's own.
  V8Heap::Object ScriptObjectOf(V8Heap::Object shared) const;
  std::shared_ptr<V8Script> ScriptOf(V8Heap::Object shared, uint32_t isolate);
  std::string UrlOf(V8Heap::Object script, uint32_t isolate);
  std::string EvalOrigin(V8Heap::Object script, uint32_t isolate);

  const V8Heap& heap_;
  const V8Layout& layout_;
  std::unordered_map<uint64_t, std::shared_ptr<V8Script>> scripts_;
  std::unordered_map<uint64_t, Known> functions_;
};

}  // namespace heapray
