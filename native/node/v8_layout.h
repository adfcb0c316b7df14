// Where V8 keeps what we read: taken at run time from the postmortem metadata (the `v8dbg_*` symbols) that every Node
// binary exports for debuggers, so that each build describes itself.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapray {

struct V8Layout {
  // Instance types.
  int first_nonstring_type, code_type, instruction_stream_type, bytecode_array_type, shared_function_info_type;
  int scope_info_type, script_type, debug_info_type, sfi_wrapper_type;
  int first_js_function_type, last_js_function_type;
  // Field offsets, relative to an object's untagged address.
  int map_instance_type;
  int js_function_shared;
  int sfi_name_or_scope_info, sfi_script, sfi_function_literal_id;
  int sfi_wrapper_sfi;
  int script_source, script_name, script_line_offset, script_column_offset, script_id;
  int script_eval_from_shared, script_eval_from_position, script_source_url, script_source_mapping_url;
  int bytecode_array_data, bytecode_array_source_positions;
  int code_deoptimization_data, code_position_table, code_instruction_start, code_flags;
  int code_instruction_size;
  int code_kind_mask, code_kind_baseline;
  int instruction_stream_code, instruction_stream_header;
  int string_length, string_first, string_second_or_offset;
  // Indices.
  int deopt_literal_array, deopt_sfi, deopt_inlining_positions;
  // Function kinds of class bodies' initializers: [members, statics) and [statics, end).
  int members_initializer, static_initializer, initializers_end;
  int scope_info_first_variable, scope_info_position;  // position: 0 when it lies behind the variables
  // Frame markers, as they stand in a frame's marker slot.
  uint64_t entry_marker, construct_entry_marker;

  // Reads the running binary's metadata. Returns nullptr on success, else the name of what is missing.
  const char* Load();
};

}  // namespace heapray
