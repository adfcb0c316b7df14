#include "hooks/hooks.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstdarg>
#include <mutex>
#include <new>
#include <string>

#include "hooks/block_notes.h"
#include "hooks/import_table.h"
#include "hooks/library_search.h"
#include "hooks/originals.h"
#include "hooks/signal_hooks.h"
#include "process/modules.h"
#include "process/stack_bounds.h"
#include "tracker.h"

namespace heapray {
namespace {

using wire::Allocator;

constexpr size_t kSmallestCodeRange = 32u << 20;

std::mutex g_imports_mutex;
ImportTable& Imports();

inline uint64_t FrameAddress() { return reinterpret_cast<uint64_t>(__builtin_frame_address(0)); }

// Of heapray's own blocks. Here and below the block is returned, so that callers need not keep it.
[[gnu::cold, gnu::noinline]] void* Noted(void* block, size_t size) {
  if (BlockNotes* notes = BlockNotes::Current()) notes->Allocated(block, size);
  return block;
}

[[gnu::cold, gnu::noinline]] void* NotedFree(void* block) {
  if (BlockNotes* notes = BlockNotes::Current()) notes->Freed(block);
  return block;
}

[[gnu::always_inline]] inline void* AllocatedHere(Allocator allocator, void* block, size_t size) {
  Tracker& tracker = Tracker::Get();
  if (block == nullptr || !tracker.active()) [[unlikely]]
    return block;
  Untracked untracked;
  if (!untracked.entered()) [[unlikely]]
    return Noted(block, size);
  return tracker.AllocationAtOnce(allocator, block, size) ? block : tracker.OnAllocation(allocator, block, size);
}

[[gnu::always_inline]] inline void* FreeingHere(void* block) {
  Tracker& tracker = Tracker::Get();
  if (block == nullptr || !tracker.active()) return block;
  Untracked untracked;
  if (!untracked.entered()) [[unlikely]]
    return NotedFree(block);
  return tracker.FreeAtOnce(block) ? block : tracker.OnFree(block);
}

// Where it matters less.
[[gnu::noinline]] void* Allocated(Allocator allocator, void* block, size_t size) {
  return AllocatedHere(allocator, block, size);
}
[[gnu::noinline]] void Freeing(void* block) { FreeingHere(block); }

[[gnu::hot]] void* Malloc(size_t size) {
  return AllocatedHere(Allocator::kMalloc, Originals::Get().malloc(size), size);
}

[[gnu::hot]] void* Calloc(size_t count, size_t size) {
  return AllocatedHere(Allocator::kCalloc, Originals::Get().calloc(count, size), count * size);
}

void* Realloc(void* block, size_t size) {
  Tracker& tracker = Tracker::Get();
  Untracked untracked;
  if (!tracker.active() || !untracked.entered()) return Originals::Get().realloc(block, size);
  return tracker.OnRealloc(Allocator::kRealloc, block, size, Originals::Get().realloc);
}

void* Reallocarray(void* block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return Realloc(block, bytes);
}

[[gnu::hot]] void Free(void* block) {
  block = FreeingHere(block);
  Originals::Get().free(block);
}

void FreeSized(void* block, size_t size) {
  Freeing(block);
  Originals::Get().free_sized(block, size);
}

void FreeAlignedSized(void* block, size_t alignment, size_t size) {
  Freeing(block);
  Originals::Get().free_aligned_sized(block, alignment, size);
}

int PosixMemalign(void** block, size_t alignment, size_t size) {
  int result = Originals::Get().posix_memalign(block, alignment, size);
  if (result == 0) Allocated(Allocator::kPosixMemalign, *block, size);
  return result;
}

void* AlignedAlloc(size_t alignment, size_t size) {
  return Allocated(Allocator::kAlignedAlloc, Originals::Get().aligned_alloc(alignment, size), size);
}

void* Memalign(size_t alignment, size_t size) {
  return Allocated(Allocator::kMemalign, Originals::Get().memalign(alignment, size), size);
}

void* Valloc(size_t size) { return Allocated(Allocator::kValloc, Originals::Get().valloc(size), size); }

void* Pvalloc(size_t size) { return Allocated(Allocator::kPvalloc, Originals::Get().pvalloc(size), size); }

// Runs `call` itself, or under the tracker with the address space and its report. `call(space, report)` gets nullptrs
// when there is nothing to record.
template <typename Call>
auto Mapping(uint64_t frame, Call call) {
  Tracker& tracker = Tracker::Get();
  Untracked untracked;
  if (!tracker.active() || !untracked.entered()) return call(nullptr, AddressSpace::Report());
  return tracker.WithAddressSpace(frame, [&](AddressSpace& space, const AddressSpace::Report& report) {
    auto result = call(&space, report);
    return result;
  });
}

uintptr_t Number(const void* address) { return reinterpret_cast<uintptr_t>(address); }

void* Mmap(void* address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  return Mapping(FrameAddress(), [=](AddressSpace* space, const AddressSpace::Report& report) {
    void* mapped = Originals::Get().mmap(address, bytes, protection, flags, fd, offset);
    int error = errno;
    if (space != nullptr && mapped != MAP_FAILED) {
      space->Mapped(Number(mapped), bytes, protection != PROT_NONE, report);
    }
    errno = error;
    return mapped;
  });
}

int Munmap(void* address, size_t bytes) {
  return Mapping(FrameAddress(), [=](AddressSpace* space, const AddressSpace::Report& report) {
    int result = Originals::Get().munmap(address, bytes);
    int error = errno;
    if (space != nullptr && result == 0) space->Unmapped(Number(address), bytes, report);
    errno = error;
    return result;
  });
}

void* Mremap(void* address, size_t old_bytes, size_t new_bytes, int flags, void* new_address) {
  return Mapping(FrameAddress(), [=](AddressSpace* space, const AddressSpace::Report& report) {
    void* moved = Originals::Get().mremap(address, old_bytes, new_bytes, flags, new_address);
    int error = errno;
    if (space != nullptr && moved != MAP_FAILED) {
      space->Moved(Number(address), old_bytes, Number(moved), new_bytes, report);
    }
    errno = error;
    return moved;
  });
}

int Mprotect(void* address, size_t bytes, int protection) {
  return Mapping(FrameAddress(), [=](AddressSpace* space, const AddressSpace::Report& report) {
    int result = Originals::Get().mprotect(address, bytes, protection);
    int error = errno;
    // V8 opens its whole code range (half a gigabyte) at once and gives it back in its next call: still a reservation.
    bool is_code_range = (protection & PROT_EXEC) != 0 && (protection & PROT_WRITE) != 0 && bytes >= kSmallestCodeRange;
    if (space != nullptr && result == 0 && !is_code_range) {
      space->Protected(Number(address), bytes, protection != PROT_NONE, report);
    }
    errno = error;
    return result;
  });
}

int Madvise(void* address, size_t bytes, int advice) {
  if (advice != MADV_DONTNEED) return Originals::Get().madvise(address, bytes, advice);
  return Mapping(FrameAddress(), [=](AddressSpace* space, const AddressSpace::Report& report) {
    int result = Originals::Get().madvise(address, bytes, advice);
    int error = errno;
    if (space != nullptr && result == 0) space->Discarded(Number(address), bytes, report);
    errno = error;
    return result;
  });
}

void* Dlopen(const char* file, int mode) {
  if (file == nullptr || !Tracker::Get().active()) return Originals::Get().dlopen(file, mode);
  const void* caller = __builtin_return_address(0);
  std::string path;
  {
    Untracked untracked;
    path = FindLibrary(file, mode, caller);
  }
  void* handle = Originals::Get().dlopen(path.c_str(), mode);
  Untracked untracked;
  if (handle != nullptr && Tracker::Get().active()) {
    std::lock_guard lock(g_imports_mutex);
    Imports().Patch(ImportTable::Objects::kFinished);
    Modules::Get().Refresh();
  }
  std::string().swap(path);
  return handle;
}

int Dlclose(void* handle) {
  if (!Tracker::Get().active()) return Originals::Get().dlclose(handle);
  Modules::Get().BeginUnload();
  int result = Originals::Get().dlclose(handle);
  Untracked untracked;
  Modules::Get().EndUnload();
  return result;
}

int Prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  int result = Originals::Get().prctl(option, a, b, c, d);
  if (option == PR_SET_NAME) Tracker::Get().OnThreadName();
  return result;
}

int PthreadSetname(pthread_t thread, const char* name) {
  int result = Originals::Get().pthread_setname_np(thread, name);
  if (pthread_equal(thread, pthread_self())) Tracker::Get().OnThreadName();
  return result;
}

// It allocates under the thread's lock, which heapray's own look at a thread's stack would wait for.
int PthreadGetattr(pthread_t thread, pthread_attr_t* attributes) {
  Untracked untracked;
  return Originals::Get().pthread_getattr_np(thread, attributes);
}

// A thread that somebody's work starts works for the same line. (Not one that JavaScript starts: Node's own pool starts
// with whoever comes first, and serves all.)
struct ThreadStart {
  void* (*routine)(void*);
  void* argument;
  WorkContext context;
  const char* role;
};

void* RunThread(void* argument) {
  ThreadStart start = *static_cast<ThreadStart*>(argument);
  {
    Untracked untracked;
    delete static_cast<ThreadStart*>(argument);
    LearnThisThreadsStack();
    if (start.context.node != 0) Tracker::Get().SetContext(start.context);
    if (start.role[0] != 0) Tracker::Get().SetThreadRole(start.role);
  }
  return start.routine(start.argument);
}

int PthreadCreate(pthread_t* thread, const pthread_attr_t* attributes, void* (*routine)(void*), void* argument) {
  Tracker& tracker = Tracker::Get();
  if (!tracker.active()) return Originals::Get().pthread_create(thread, attributes, routine, argument);
  ThreadStart* start;
  {
    Untracked untracked;
    start = new ThreadStart{routine, argument, tracker.context(), tracker.RoleOf(reinterpret_cast<uint64_t>(routine))};
  }
  int error = Originals::Get().pthread_create(thread, attributes, RunThread, start);
  if (error != 0) {
    Untracked untracked;
    delete start;
  }
  return error;
}

template <typename F>
void* Pointer(F* function) {
  return reinterpret_cast<void*>(function);
}

const Hook kHooks[] = {
    {"malloc", Pointer(Malloc), false},
    {"calloc", Pointer(Calloc), false},
    {"realloc", Pointer(Realloc), false},
    {"reallocarray", Pointer(Reallocarray), false},
    {"free", Pointer(Free), false},
    {"cfree", Pointer(Free), false},
    {"free_sized", Pointer(FreeSized), false},
    {"free_aligned_sized", Pointer(FreeAlignedSized), false},
    {"posix_memalign", Pointer(PosixMemalign), false},
    {"aligned_alloc", Pointer(AlignedAlloc), false},
    {"memalign", Pointer(Memalign), false},
    {"valloc", Pointer(Valloc), false},
    {"pvalloc", Pointer(Pvalloc), false},
    {"mmap", Pointer(Mmap), true},
    {"mmap64", Pointer(Mmap), true},
    {"munmap", Pointer(Munmap), true},
    {"mremap", Pointer(Mremap), true},
    {"mprotect", Pointer(Mprotect), true},
    {"madvise", Pointer(Madvise), true},
    {"dlopen", Pointer(Dlopen), false},
    {"dlclose", Pointer(Dlclose), false},
    {"prctl", Pointer(Prctl), false},
    {"pthread_create", Pointer(PthreadCreate), false},
    {"pthread_setname_np", Pointer(PthreadSetname), false},
    {"pthread_getattr_np", Pointer(PthreadGetattr), false},
};

ImportTable& Imports() {
  static ImportTable* table = [] {
    auto* made = new ImportTable;
    made->Add(kHooks);
    made->Add(SignalHooks());
    return made;
  }();
  return *table;
}

}  // namespace

void AddHooks(std::span<const Hook> hooks) {
  std::lock_guard lock(g_imports_mutex);
  Imports().Add(hooks);
}

void InstallHooks() {
  Untracked untracked;
  std::lock_guard lock(g_imports_mutex);
  Imports().Patch(ImportTable::Objects::kAll);
}

void ForgetHooking() { new (&g_imports_mutex) std::mutex; }

void RemoveHooks() {
  Untracked untracked;
  std::lock_guard lock(g_imports_mutex);
  Imports().Restore([](const Hook& hook) { return !hook.is_of_end; });
}

void RemoveEndHooks() {
  Untracked untracked;
  std::lock_guard lock(g_imports_mutex);
  Imports().Restore([](const Hook& hook) { return hook.is_of_end; });
}

}  // namespace heapray
