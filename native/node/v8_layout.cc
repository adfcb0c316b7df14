#include "node/v8_layout.h"

#include <dlfcn.h>
#include <v8-version.h>

#include <cstdio>

namespace heapray {
namespace {

constexpr int kWord = 8;

class Metadata {
 public:
  // The value of the first of `names` that the binary exports.
  template <typename... Names>
  int Get(const char* name, Names... others) {
    int value = 0;
    if (Find(name, &value)) return value;
    if constexpr (sizeof...(others) > 0) {
      return Get(others...);
    } else {
      if (missing_ == nullptr) missing_ = name;
      return 0;
    }
  }

  int GetOr(const char* name, int otherwise) {
    int value = otherwise;
    Find(name, &value);
    return value;
  }

  bool Has(const char* name) {
    int ignored;
    return Find(name, &ignored);
  }

  const char* missing() const { return missing_; }

 private:
  bool Find(const char* name, int* value) {
    char symbol[160];
    snprintf(symbol, sizeof symbol, "v8dbg_%s", name);
    const void* address = dlsym(RTLD_DEFAULT, symbol);
    if (address == nullptr) return false;
    *value = *static_cast<const int*>(address);
    return true;
  }

  const char* missing_ = nullptr;
};

}  // namespace

// Where the metadata leaves a field out, its place follows from a neighbour's: fields keep their order within a major
// version of V8, and the tracker checks the outcome on the running process before it relies on it.
const char* V8Layout::Load() {
  Metadata m;

  first_nonstring_type = m.Get("FirstNonstringType");
  code_type = m.Get("type_Code__CODE_TYPE");
  instruction_stream_type = m.Get("type_InstructionStream__INSTRUCTION_STREAM_TYPE");
  bytecode_array_type = m.Get("type_BytecodeArray__BYTECODE_ARRAY_TYPE");
  shared_function_info_type = m.Get("type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE");
  scope_info_type = m.Get("type_ScopeInfo__SCOPE_INFO_TYPE");
  script_type = m.Get("type_Script__SCRIPT_TYPE");
  debug_info_type = m.GetOr("type_DebugInfo__DEBUG_INFO_TYPE", -1);
  sfi_wrapper_type = m.GetOr("type_SharedFunctionInfoWrapper__SHARED_FUNCTION_INFO_WRAPPER_TYPE", -1);
  // Constructors of typed arrays, promises etc. have types of their own, right behind the plain function's.
  first_js_function_type = m.GetOr("FirstJSFunctionType", m.Get("type_JSFunction__JS_FUNCTION_TYPE"));
  last_js_function_type = m.GetOr("LastJSFunctionType", first_js_function_type + 15);

  map_instance_type = m.Get("class_Map__instance_type__uint16_t");
  js_function_shared = m.Get("class_JSFunction__shared__SharedFunctionInfo");
  sfi_name_or_scope_info = m.Get("class_SharedFunctionInfo__name_or_scope_info__Object",
                                 "class_SharedFunctionInfo__name_or_scope_info__Tagged_Object_",
                                 "class_SharedFunctionInfo__name_or_scope_info__Tagged_NameOrScopeInfoT_");
  sfi_script = m.Get("class_SharedFunctionInfo__script__Tagged_HeapObject_",
                     "class_SharedFunctionInfo__script_or_debug_info__HeapObject");
  sfi_function_literal_id = m.Get("class_SharedFunctionInfo__flags__int") + 4;
  sfi_wrapper_sfi = m.GetOr("class_SharedFunctionInfoWrapper__shared_info__Tagged_SharedFunctionInfo_", kWord);

  script_source = m.Get("class_Script__source__Object");
  script_name = m.Get("class_Script__name__Object");
  script_line_offset = script_name + kWord;
  script_column_offset = script_name + 2 * kWord;
  script_id = m.Get("class_Script__line_ends__Object") + kWord;
  script_eval_from_shared = m.Get("class_Script__eval_from_shared_or_wrapped_arguments__Object",
                                  "class_Script__eval_from_shared_or_wrapped_arguments__Tagged_Object_");
  script_eval_from_position = m.Get("class_Script__eval_from_position__SMI");
  int lazy_positions = m.Get("class_Script__compiled_lazy_function_positions__Object",
                             "class_Script__compiled_lazy_function_positions__Tagged_Object_");
  script_source_url = lazy_positions + 2 * kWord;
  script_source_mapping_url = lazy_positions + 3 * kWord;

  bytecode_array_data = m.Get("class_BytecodeArray__data__uintptr_t");
  bool has_wrapper = m.Has("class_BytecodeArray__wrapper__Tagged_BytecodeWrapper_");
  bytecode_array_source_positions =
      has_wrapper ? m.Get("class_BytecodeArray__wrapper__Tagged_BytecodeWrapper_") + kWord : 4 * kWord;

  bool has_code_start = m.Has("class_Code__instruction_start__Address");
  if (has_code_start) {
    code_instruction_start = m.Get("class_Code__instruction_start__Address");
    code_position_table = code_instruction_start - 3 * kWord;
    code_flags = m.Get("class_Code__flags__uint32_t");
    code_instruction_size = m.Get("class_Code__instruction_size__int");
  } else {
    code_position_table = m.Get("class_Code__source_position_table__ByteArray");
    code_instruction_start = code_position_table + 2 * kWord;
    code_flags = code_instruction_start + kWord;
    code_instruction_size = code_flags + kWord;
  }
  code_deoptimization_data = code_position_table - kWord;
  code_kind_mask = m.Get("CodeKindFieldMask");
  code_kind_baseline = m.Get("CodeKindBaseline");
  instruction_stream_code = kWord;
  instruction_stream_header = m.Get("class_InstructionStream__instruction_start__uintptr_t");

  string_length = m.Get("class_String__length__int32_t");
  string_first = m.Get("class_ConsString__first__String");
  string_second_or_offset = m.Get("class_ConsString__second__String");

  deopt_sfi = m.Get("DeoptimizationDataSharedFunctionInfoIndex", "DeoptimizationDataSharedFunctionInfoWrapperIndex",
                    "DeoptimizationDataWrappedSharedFunctionInfoIndex");
  deopt_literal_array = m.Get("DeoptimizationDataLiteralArrayIndex");
  deopt_inlining_positions = m.GetOr("DeoptimizationDataInliningPositionsIndex", deopt_sfi + 1);
  members_initializer = 24;
  // V8 14 tells apart which of them comes first.
  static_initializer = V8_MAJOR_VERSION >= 14 ? 26 : 25;
  initializers_end = V8_MAJOR_VERSION >= 14 ? 28 : 26;
  scope_info_first_variable = m.Get("scopeinfo_idx_first_vars");
  scope_info_position = scope_info_first_variable >= 5 ? 3 : 0;

  // A frame type stands in its slot as a small integer with the tag bit clear.
  entry_marker = static_cast<uint64_t>(m.Get("frametype_EntryFrame")) << 1;
  construct_entry_marker = static_cast<uint64_t>(m.Get("frametype_ConstructEntryFrame")) << 1;
  return m.missing();
}

}  // namespace heapray
