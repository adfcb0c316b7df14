#include "stacks/native_chains.h"

#include <cstring>

namespace heapray {

uint32_t NativeChains::Find(uint32_t inner, uint64_t pc) {
  uint32_t& first = buckets_[BucketOf(inner, pc)];
  uint32_t* link = &first;
  while (*link != 0 && (chains_[*link].pc != pc || chains_[*link].inner != inner)) link = &chains_[*link].same_bucket;
  uint32_t chain = *link;
  if (chain == 0) return 0;
  // It may be back soon.
  *link = chains_[chain].same_bucket;
  chains_[chain].same_bucket = first;
  first = chain;
  Expect(inner, chain);
  return chain;
}

uint32_t NativeChains::Add(uint32_t inner, uint64_t pc, PackedRule rule, bool shown) {
  if (!rule.known() || used_ == kMost) return 0;
  if (rule.guessed()) rule = PackedRule();
  uint32_t made = used_++;
  uint32_t& bucket = buckets_[BucketOf(inner, pc)];
  chains_[made] = {.pc = pc, .rule = rule, .shown = shown, .inner = inner, .outer = {}, .same_bucket = bucket};
  nodes_[made] = ChainNode();
  bucket = made;
  Expect(inner, made);
  return made;
}

// Has `outer` be looked at first when `inner` is met again.
void NativeChains::Expect(uint32_t inner, uint32_t outer) {
  if (inner == 0) return;
  chains_[inner].outer[1] = chains_[inner].outer[0];
  chains_[inner].outer[0] = outer;
}

void NativeChains::Forget() {
  if (used_ > 1) memset(buckets_.data(), 0, kBuckets * sizeof(uint32_t));
  used_ = 1;
  remembered_.Forget();
  generation_ = Modules::Get().generation();
}

}  // namespace heapray
