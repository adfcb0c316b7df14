#include "python/python_allocators.h"

#include <atomic>
#include <cerrno>

#include "process/untracked.h"
#include "python/cpython.h"
#include "tracker.h"

namespace heapray {
namespace {

using wire::Allocator;

// Whether what they give is recorded: our functions may stay in place when it no longer is, under somebody else's.
std::atomic<bool> g_wanted{false};

// The allocators of a domain, as they were before they were hooked. What Tracker::OnRealloc() calls takes no context,
// hence one class for each domain.
template <PyMemAllocatorDomain kDomain>
class Domain {
 public:
  static void Hook() {
    PyMemAllocatorEx now;
    PyMem_GetAllocator(kDomain, &now);
    if (LeadsToOurs(now)) return;
    original_ = now;
    PyMemAllocatorEx ours{nullptr, Malloc, Calloc, Realloc, Free};
    PyMem_SetAllocator(kDomain, &ours);
  }
  static void Unhook() {
    PyMemAllocatorEx now;
    PyMem_GetAllocator(kDomain, &now);
    if (now.malloc == Malloc) PyMem_SetAllocator(kDomain, &original_);
  }

 private:
  // Ours may lie under somebody else's, who may also have put them away (tracemalloc, when it stops, puts back what was
  // there when it started).
  static bool LeadsToOurs(const PyMemAllocatorEx& now) {
    if (now.malloc == Malloc) return true;
    Untracked untracked;
    called_ = false;
    void* block = now.malloc(now.ctx, 1);
    bool called = called_;
    now.free(now.ctx, block);
    return called;
  }
  static bool IsWanted() {
    if (g_wanted.load(std::memory_order_relaxed)) [[likely]]
      return true;
    called_ = true;
    return false;
  }
  static void* Malloc(void*, size_t bytes) {
    return Allocated(Allocator::kPymallocMalloc, bytes, [bytes] { return original_.malloc(original_.ctx, bytes); });
  }
  static void* Calloc(void*, size_t count, size_t bytes) {
    return Allocated(Allocator::kPymallocCalloc, count * bytes,
                     [count, bytes] { return original_.calloc(original_.ctx, count, bytes); });
  }
  static void* Realloc(void*, void* block, size_t bytes) {
    if (!IsWanted()) return Reallocate(block, bytes);
    Tracker& tracker = Tracker::Get();
    Untracked untracked;
    if (!tracker.active() || !untracked.entered()) return Reallocate(block, bytes);
    return tracker.OnRealloc(Allocator::kPymallocRealloc, block, bytes, Reallocate);
  }
  static void Free(void*, void* block) {
    if (!IsWanted()) return original_.free(original_.ctx, block);
    Tracker& tracker = Tracker::Get();
    Untracked untracked;
    if (block != nullptr && tracker.active() && untracked.entered() && !tracker.FreeAtOnce(block)) {
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
    if (!IsWanted()) return allocate();
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
  // Set by a call of ours while nothing is wanted.
  static inline constinit thread_local bool called_ = false;
};

}  // namespace

void HookPythonAllocators() {
  g_wanted.store(false, std::memory_order_relaxed);
  Domain<PYMEM_DOMAIN_RAW>::Hook();
  Domain<PYMEM_DOMAIN_MEM>::Hook();
  Domain<PYMEM_DOMAIN_OBJ>::Hook();
  g_wanted.store(true, std::memory_order_release);
}

void UnhookPythonAllocators() {
  g_wanted.store(false, std::memory_order_release);
  Domain<PYMEM_DOMAIN_RAW>::Unhook();
  Domain<PYMEM_DOMAIN_MEM>::Unhook();
  Domain<PYMEM_DOMAIN_OBJ>::Unhook();
}

}  // namespace heapray
