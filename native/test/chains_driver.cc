// Holds walks by what is remembered of native frames against walks that remember nothing:
//   chains_driver calls <walks>      from functions that call each other at random, with and without frame pointers,
//                                    with frames of any size: prints "<frames walked> <different stacks since numbers
//                                    last began anew> <how often they did> <walks to a limit that were remembered>"
//   chains_driver reload <library>...    through `void through(void (*call)())` of libraries that are loaded one after
//                                    the other: prints how many of them lay where the one before had been
#include <alloca.h>
#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "process/stack_bounds.h"
#include "stacks/native_chains.h"

namespace heapray {
namespace {

using End = NativeChains::End;
using Pcs = std::vector<uint64_t>;

constexpr size_t kDeepest = 12;

uint64_t WordAt(uint64_t address) { return *reinterpret_cast<const uint64_t*>(address); }

uint32_t Random(uint32_t below) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<uint32_t>(state >> 20) % below;
}

[[noreturn]] void Fail(const char* what) {
  printf("%s\n", what);
  exit(1);
}

struct Walks {
  Unwinder unwinder;
  NativeChains chains;
  uint64_t stack_end = ThisThreadsStackEnd();
  std::map<Pcs, uint32_t> known;
  uint32_t highest = 0;
  size_t frames = 0;
  size_t forgotten = 0;
  size_t remembered = 0;
  Pcs last;

  // The frames up to the limit, innermost first, and whether they end there.
  bool Reference(NativeCursor cursor, uint64_t limit, Pcs* pcs) {
    do {
      if (cursor.sp - 16 >= limit) return true;
      PackedRule rule = unwinder.RuleAt(cursor, stack_end);
      if (!rule.known()) return false;
      pcs->push_back(cursor.pc);
      if (!Unwinder::Step(cursor, rule, stack_end)) return false;
    } while (true);
  }

  uint32_t Compare(NativeCursor start, uint64_t limit) {
    Pcs expected;
    bool at_limit = Reference(start, limit == 0 ? UINT64_MAX : limit, &expected);
    NativeCursor cursor = start;
    uint32_t chain = 0;
    uint32_t before = limit == 0 ? 0 : chains.FindWalk(start, limit);
    auto never = [](uint64_t) { return false; };
    End end = chains.Walk(unwinder, cursor, limit, stack_end, never, never, &chain);
    if (end != (at_limit ? End::kLimit : End::kOutermost)) Fail("ends elsewhere");
    Pcs found;
    for (uint32_t at = chain; at != 0; at = chains[at].inner) found.insert(found.begin(), chains[at].pc);
    if (found != expected) Fail("finds other frames");
    frames += found.size();
    if (before != 0) remembered++;
    if (before != 0 && before != chain) Fail("remembers another walk");
    if (at_limit && chain != 0) chains.Remember(start, limit, stack_end, chain);
    return chain;
  }

  // `start` is the cursor in the caller of the frame at `fp`.
  void Check(uint64_t fp) {
    NativeCursor start{WordAt(fp + 8), fp + 16, WordAt(fp)};
    uint32_t chain = Compare(start, 0);
    Pcs pcs;
    Reference(start, UINT64_MAX, &pcs);
    last = pcs;
    auto [entry, added] = known.try_emplace(pcs, chain);
    // A stack that is new has a number that is new, unless they begin anew.
    if (added ? chain <= highest : chain != entry->second) {
      forgotten++;
      known = {{pcs, chain}};
      highest = 0;
    }
    highest = std::max(highest, chain);
    Compare(start, fp + 8 * Random(64));
    // Few of these: what was remembered is asked for again, with other frames on the way there. Often, or it would be
    // given up.
    for (int i = 0; i < 16; i++) Compare(start, fp + 256);
  }
};

Walks* g_walks = nullptr;

[[gnu::noinline]] void CheckHere() {
  g_walks->Check(reinterpret_cast<uint64_t>(__builtin_frame_address(0)));
  asm volatile("");
}

void CallAny(size_t depth);

// Their calls must not be the last thing that they do.
[[gnu::noinline]] void WithFramePointer(size_t depth) {
  CallAny(depth);
  asm volatile("");
}
[[gnu::noinline, gnu::optimize("omit-frame-pointer")]] void WithoutFramePointer(size_t depth) {
  volatile uint64_t room[5];
  room[0] = depth;
  CallAny(depth);
  room[1] = room[0];
}
[[gnu::noinline]] void WithRoomOfAnySize(size_t depth) {
  size_t bytes = 16 * Random(16);
  // What lies there is not cleared: old return addresses among it.
  auto* room = static_cast<volatile char*>(alloca(bytes + 16));
  room[0] = 1;
  CallAny(depth);
  room[1] = 2;
}
[[gnu::noinline, gnu::optimize("omit-frame-pointer")]] void FromTwoPlaces(size_t depth) {
  if (Random(2) == 0) {
    CallAny(depth);
    asm volatile("");
  } else {
    CallAny(depth);
    asm volatile("nop");
  }
}

[[gnu::noinline]] void CallAny(size_t depth) {
  if (depth == 0) {
    CheckHere();
  } else {
    switch (Random(5)) {
      case 0: WithFramePointer(depth - 1); break;
      case 1: WithoutFramePointer(depth - 1); break;
      case 2: WithRoomOfAnySize(depth - 1); break;
      case 3: FromTwoPlaces(depth - 1); break;
      default:
        FromTwoPlaces(depth - 1);
        asm volatile("nop");
        break;
    }
  }
  asm volatile("");
}

int Calls(int walks) {
  Modules::Get().Refresh();
  for (int i = 0; i < walks; i++) CallAny(Random(kDeepest));
  printf("%zu %zu %zu %zu\n", g_walks->frames, g_walks->known.size(), g_walks->forgotten, g_walks->remembered);
  return 0;
}

int Reload(char** libraries, int count) {
  uint64_t before = 0;
  int same_place = 0;
  Modules::Get().Refresh();
  CheckHere();
  const Pcs callers(g_walks->last.begin() + 1, g_walks->last.end());
  for (int i = 0; i < count; i++) {
    void* library = dlopen(libraries[i], RTLD_NOW);
    if (library == nullptr) Fail(dlerror());
    Modules::Get().Refresh();
    auto* through = reinterpret_cast<void (*)(void (*)())>(dlsym(library, "through"));
    if (reinterpret_cast<uint64_t>(through) == before) same_place++;
    before = reinterpret_cast<uint64_t>(through);
    // Numbers of chains are good as long as the code is.
    g_walks->known.clear();
    through(CheckHere);
    through(CheckHere);
    const Pcs& found = g_walks->last;
    if (found.size() != callers.size() + 2 || !std::equal(callers.begin(), callers.end(), found.begin() + 2)) {
      Fail("does not lead out of the library");
    }
    Modules::Get().BeginUnload();
    dlclose(library);
    Modules::Get().EndUnload();
  }
  printf("%d\n", same_place);
  return 0;
}

int Main(int argc, char** argv) {
  g_walks = new Walks;
  if (argc == 3 && strcmp(argv[1], "calls") == 0) return Calls(atoi(argv[2]));
  if (argc >= 3 && strcmp(argv[1], "reload") == 0) return Reload(argv + 2, argc - 2);
  return 2;
}

}  // namespace
}  // namespace heapray

int main(int argc, char** argv) { return heapray::Main(argc, argv); }
