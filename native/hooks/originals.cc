#include "hooks/originals.h"

#include <link.h>

namespace heapray {
namespace {

// (dladdr() searches all symbols of the object for the nearest one; that would be most of what loading heapray takes.)
bool IsWithin(const void* address, const link_map& object) {
  struct Search {
    uintptr_t address;
    uintptr_t base;
  } search{reinterpret_cast<uintptr_t>(address), object.l_addr};
  auto is_its = [](dl_phdr_info* info, size_t, void* data) {
    const auto& search = *static_cast<Search*>(data);
    if (info->dlpi_addr != search.base) return 0;
    for (const ElfW(Phdr)* part = info->dlpi_phdr; part != info->dlpi_phdr + info->dlpi_phnum; part++) {
      if (part->p_type == PT_LOAD && search.address - search.base - part->p_vaddr < part->p_memsz) return 1;
    }
    return 0;
  };
  return dl_iterate_phdr(is_its, &search) != 0;
}

// The first definition of `name` in load order, the executable left out: what it gives for a function that it imports
// can be its own import stub, which goes through the very slot that gets patched.
void* Lookup(const char* name) {
  auto* executable = static_cast<const link_map*>(dlopen(nullptr, RTLD_LAZY));
  if (executable == nullptr) return nullptr;
  for (const link_map* object = executable->l_next; object != nullptr; object = object->l_next) {
    void* handle = dlopen(object->l_name, RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) continue;
    void* found = dlsym(handle, name);
    dlclose(handle);
    // dlsym also looks into what the object depends on; that has its own turn.
    if (found != nullptr && IsWithin(found, *object)) return found;
  }
  return nullptr;
}

template <typename F>
void Find(F& function, const char* name) {
  function = reinterpret_cast<F>(Lookup(name));
}

Originals FindAll() {
  Originals found;
  Find(found.dlopen, "dlopen");
  Find(found.dlclose, "dlclose");
  Find(found.kill, "kill");
  Find(found.execve, "execve");
  Find(found.execv, "execv");
  Find(found.execvp, "execvp");
  Find(found.fexecve, "fexecve");
  Find(found.malloc, "malloc");
  Find(found.calloc, "calloc");
  Find(found.realloc, "realloc");
  Find(found.reallocarray, "reallocarray");
  Find(found.free, "free");
  Find(found.free_sized, "free_sized");
  Find(found.free_aligned_sized, "free_aligned_sized");
  Find(found.posix_memalign, "posix_memalign");
  Find(found.aligned_alloc, "aligned_alloc");
  Find(found.memalign, "memalign");
  Find(found.valloc, "valloc");
  Find(found.pvalloc, "pvalloc");
  Find(found.mmap, "mmap");
  Find(found.munmap, "munmap");
  Find(found.mremap, "mremap");
  Find(found.mprotect, "mprotect");
  Find(found.madvise, "madvise");
  Find(found.prctl, "prctl");
  Find(found.pthread_create, "pthread_create");
  Find(found.pthread_setname_np, "pthread_setname_np");
  Find(found.pthread_getattr_np, "pthread_getattr_np");
  Find(found.sigaction, "sigaction");
  Find(found.signal, "signal");
  Find(found.sysv_signal, "sysv_signal");
  Find(found.sigset, "sigset");
  Find(found.raise, "raise");
  Find(found._exit, "_exit");
  Find(found.epoll_wait, "epoll_wait");
  Find(found.epoll_pwait, "epoll_pwait");
  return found;
}

}  // namespace

const Originals internal::g_originals = FindAll();

}  // namespace heapray
