#include "node/node_runtime.h"

#include <algorithm>

#include "node/elf_symbols.h"
#include "node/isolates.h"
#include "process/stack_bounds.h"

namespace heapray {
namespace {

constexpr size_t kMostFrames = 128;
constexpr size_t kHeapPageBytes = 256u << 10;

uint64_t At(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

// Follows saved frame pointers from `fp` on, as long as `visit(pc)` says so and they stay on the stack.
template <typename Visit>
void ForEachReturnAddress(uint64_t fp, uint64_t stack_end, Visit visit) {
  for (size_t i = 0; i < kMostFrames; i++) {
    if (!visit(At(fp + 8))) return;
    uint64_t caller = At(fp);
    if (caller <= fp || caller + 16 > stack_end || (caller & 7) != 0) return;
    fp = caller;
  }
}

}  // namespace

// Mangled names. Whose mappings hold objects of the heap, and whose hold other things though a function of the heap may
// be further up the stack; and where threads begin.
const NodeRuntime::Known NodeRuntime::kKnown[] = {
    {"_ZN2v88internal15MemoryAllocator", false, Meaning::kHeapPages},
    {"_ZN2v88internal9CodeRange", false, Meaning::kHeapPages},
    {"_ZN2v88internal9SemiSpace", false, Meaning::kHeapPages},
    {"_ZN2v88internal10PagedSpace", false, Meaning::kHeapPages},
    {"_ZN2v88internal13ReadOnlySpace", false, Meaning::kHeapPages},
    {"_ZN2v88internal12BackingStore", false, Meaning::kOtherPages},
    {"_ZN2v88internal4wasm", false, Meaning::kOtherPages},
    {"worker", true, Meaning::kPoolThread},
    {"_ZN4node12_GLOBAL__N_1L20PlatformWorkerThreadEPv", false, Meaning::kPlatformThread},
    {"_ZN4node12_GLOBAL__N_120PlatformWorkerThreadEPv", false, Meaning::kPlatformThread},
    {"_ZZN4node6worker6Worker11StartThread", false, Meaning::kWorkerThread},
};

void NodeRuntime::Load() {
  if (loaded_) return;
  loaded_ = true;
  ForEachExecutableSymbol([this](std::string_view name, uint64_t address, uint64_t bytes) {
    for (const Known& known : kKnown) {
      bool matches = known.whole_name ? name == known.prefix : name.starts_with(known.prefix);
      if (matches) ranges_.push_back({address, address + bytes, known.meaning});
    }
  });
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
}

const NodeRuntime::Range* NodeRuntime::RangeOf(uint64_t pc) const {
  auto next = std::upper_bound(ranges_.begin(), ranges_.end(), pc,
                               [](uint64_t value, const Range& range) { return value < range.begin; });
  if (next == ranges_.begin() || pc >= std::prev(next)->end) return nullptr;
  return &*std::prev(next);
}

bool NodeRuntime::IsHeapPages(uint64_t frame, size_t bytes) {
  IsolateState* state = Isolates::Current();
  if (ranges_.empty()) return state != nullptr && bytes % kHeapPageBytes == 0;
  // The heap's own threads have no isolate.
  uint64_t stack_end = state != nullptr ? state->stack_end : ThisThreadsStackEnd();
  bool is_heap = false;
  ForEachReturnAddress(frame, stack_end, [&](uint64_t pc) {
    const Range* range = RangeOf(pc);
    if (range == nullptr || range->meaning > Meaning::kOtherPages) return true;
    is_heap = range->meaning == Meaning::kHeapPages;
    return false;
  });
  return is_heap;
}

// The names that Node itself gives its threads, from version 24 on.
const char* NodeRuntime::RoleOf(uint64_t pc) {
  const Range* range = RangeOf(pc);
  if (range == nullptr) return "";
  switch (range->meaning) {
    case Meaning::kPoolThread: return "libuv-worker";
    case Meaning::kPlatformThread: return "V8Worker";
    case Meaning::kWorkerThread: return "WorkerThread";
    default: return "";
  }
}

const char* NodeRuntime::ThreadRole() {
  const char* role = "";
  ForEachReturnAddress(reinterpret_cast<uint64_t>(__builtin_frame_address(0)), ThisThreadsStackEnd(), [&](uint64_t pc) {
    role = RoleOf(pc);
    return role[0] == 0;
  });
  return role;
}

}  // namespace heapray
