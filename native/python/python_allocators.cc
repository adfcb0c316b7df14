#include "python/python_allocators.h"

#include <cerrno>

#include "process/untracked.h"
#include "python/cpython.h"
#include "tracker.h"

namespace heapray {
namespace {

using wire::Allocator;

// The allocators of a domain, as they were before they were hooked. What
// Tracker::OnRealloc() calls takes no context, hence one class for each domain.
template <PyMemAllocatorDomain kDomain>
class Domain {
 public:
  static void Hook() {
    // Still there, maybe under somebody else's.
    if (hooked_) return;
    PyMem_GetAllocator(kDomain, &original_);
    PyMemAllocatorEx ours{nullptr, Malloc, Calloc, Realloc, Free};
    PyMem_SetAllocator(kDomain, &ours);
    hooked_ = true;
  }
  static void Unhook() {
    PyMemAllocatorEx now;
    PyMem_GetAllocator(kDomain, &now);
    if (now.malloc != Malloc) return;
    PyMem_SetAllocator(kDomain, &original_);
    hooked_ = false;
  }

 private:
  static void* Malloc(void*, size_t bytes) {
    return Allocated(Allocator::kPymallocMalloc, bytes, [bytes] { return original_.malloc(original_.ctx, bytes); });
  }
  static void* Calloc(void*, size_t count, size_t bytes) {
    return Allocated(Allocator::kPymallocCalloc, count * bytes,
                     [count, bytes] { return original_.calloc(original_.ctx, count, bytes); });
  }
  static void* Realloc(void*, void* block, size_t bytes) {
    Tracker& tracker = Tracker::Get();
    Untracked untracked;
    if (!tracker.active() || !untracked.entered()) return Reallocate(block, bytes);
    return tracker.OnRealloc(Allocator::kPymallocRealloc, block, bytes, Reallocate);
  }
  static void Free(void*, void* block) {
    Tracker& tracker = Tracker::Get();
    Untracked untracked;
    if (block != nullptr && tracker.active() && untracked.entered()) {
      int error = errno;
      tracker.OnFree(block);
      errno = error;
    }
    original_.free(original_.ctx, block);
  }

  static void* Reallocate(void* block, size_t bytes) { return original_.realloc(original_.ctx, block, bytes); }
  // What `allocate` asks the system for is not recorded: its result is.
  template <typename Allocate>
  static void* Allocated(Allocator allocator, size_t bytes, Allocate allocate) {
    Tracker& tracker = Tracker::Get();
    Untracked untracked;
    void* block = allocate();
    if (block != nullptr && tracker.active() && untracked.entered()) {
      int error = errno;
      tracker.OnAllocation(allocator, block, bytes);
      errno = error;
    }
    return block;
  }

  static inline PyMemAllocatorEx original_;
  static inline bool hooked_ = false;
};

}  // namespace

void HookPythonAllocators() {
  Domain<PYMEM_DOMAIN_RAW>::Hook();
  Domain<PYMEM_DOMAIN_MEM>::Hook();
  Domain<PYMEM_DOMAIN_OBJ>::Hook();
}

void UnhookPythonAllocators() {
  Domain<PYMEM_DOMAIN_RAW>::Unhook();
  Domain<PYMEM_DOMAIN_MEM>::Unhook();
  Domain<PYMEM_DOMAIN_OBJ>::Unhook();
}

}  // namespace heapray
