// Holds what the agent finds out about machine code against what others say of it:
//   unwind_driver instructions <library> <begin> <end>   addresses (hexadecimal, in the file) where instructions begin
//   unwind_driver rules <library>    compares the rules found by code with those of the unwind tables, at every place
//                                    that a call returns to: prints "<places> <first candidate right> <any right>"
#include <dlfcn.h>
#include <link.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "process/modules.h"
#include "stacks/call_frame_info.h"
#include "stacks/epilogue.h"
#include "stacks/x86_instruction.h"

namespace heapray {
namespace {

const Module* Load(const char* library) {
  auto* map = static_cast<link_map*>(dlopen(library, RTLD_LAZY));
  if (map == nullptr) return nullptr;
  Modules::Get().Refresh();
  int number = Modules::Get().Find(reinterpret_cast<uint64_t>(map->l_ld));
  return number < 0 ? nullptr : &Modules::Get()[number];
}

int PrintInstructions(const Module& module, uint64_t begin, uint64_t end) {
  for (uint64_t at = begin; at < end;) {
    Instruction instruction = DecodeInstruction(module.bias + at, module.bias + end);
    printf("%" PRIx64 "\n", at);
    at += instruction.bytes;
  }
  return 0;
}

bool Same(const FrameRule& a, const FrameRule& b) {
  return a.cfa == b.cfa && a.cfa_offset == b.cfa_offset && a.saved == b.saved &&
         (a.saved == FrameRule::Saved::kUnchanged || a.saved_offset == b.saved_offset);
}

// Whether the code's rule leads where the table's does. One may count from the frame pointer where the other counts
// from the stack pointer, and a table may leave out that the frame pointer was saved before it was of use.
bool Agrees(const FrameRule& table, const FrameRule& code) {
  if (Same(table, code)) return true;
  return table.cfa == FrameRule::Cfa::kFramePointer && code.cfa == FrameRule::Cfa::kStackPointer &&
         table.saved == code.saved;
}

int CompareRules(const Module& module) {
  struct Header {
    uint8_t version, frames_encoding, count_encoding, table_encoding;
    int32_t frames;
    uint32_t count;
  };
  const auto* header = reinterpret_cast<const Header*>(module.unwind_index);
  const auto* table = reinterpret_cast<const int32_t*>(header + 1);
  uint64_t places = 0;
  uint64_t first = 0;
  uint64_t any = 0;
  for (uint32_t i = 0; i + 1 < header->count; i++) {
    uint64_t at = module.unwind_index + static_cast<uint64_t>(int64_t{table[2 * i]});
    uint64_t end = module.unwind_index + static_cast<uint64_t>(int64_t{table[2 * (i + 1)]});
    while (at < end && module.ContainsCode(at)) {
      Instruction instruction = DecodeInstruction(at, end);
      const auto* code = reinterpret_cast<const uint8_t*>(at);
      at += instruction.bytes == 0 ? 1 : instruction.bytes;
      bool is_call = code[0] == 0xe8 || (code[0] == 0xff && (code[1] >> 3 & 7) == 2);
      if (!is_call || at >= end) continue;
      FrameRule known = FindFrameRule(at - 1, module.unwind_index, module.begin, module.end);
      if (known.cfa != FrameRule::Cfa::kStackPointer && known.cfa != FrameRule::Cfa::kFramePointer) continue;
      FrameRule candidates[8];
      size_t count = FindRulesByCode(at, module.code_begin, module.code_end, candidates);
      if (count == 0) continue;  // a call that does not come back: nothing says how it would go on
      places++;
      for (size_t c = 0; c < count; c++) {
        if (!Agrees(known, candidates[c])) continue;
        any++;
        if (c == 0) first++;
        break;
      }
    }
  }
  printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", places, first, any);
  return 0;
}

int Main(int argc, char** argv) {
  const Module* module = argc < 3 ? nullptr : Load(argv[2]);
  if (module == nullptr) return 2;
  if (strcmp(argv[1], "rules") == 0) return CompareRules(*module);
  if (argc != 5) return 2;
  return PrintInstructions(*module, strtoull(argv[3], nullptr, 16), strtoull(argv[4], nullptr, 16));
}

}  // namespace
}  // namespace heapray

int main(int argc, char** argv) { return heapray::Main(argc, argv); }
