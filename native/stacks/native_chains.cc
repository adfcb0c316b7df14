#include "stacks/native_chains.h"

#include <cstring>

namespace heapray {

NativeChain* NativeChains::Add(NativeChain* inner, uint64_t pc, PackedRule rule, bool shown) {
  NativeChain*& head = HeadOf(inner, pc);
  NativeChain* made = &chains_[used_++];
  *made = {.pc = pc, .rule = rule, .inner = inner, .outer = nullptr, .next = head, .shown = shown};
  head = made;
  return made;
}

void NativeChains::Forget() {
  memset(heads_.data(), 0, kHeads * sizeof(NativeChain*));
  used_ = 0;
  generation_ = Modules::Get().generation();
}

}  // namespace heapray
