#include "process/careful_copy.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>

#include "process/held_fd.h"
#include "process/lock.h"

namespace heapray {
namespace {

std::atomic<bool> g_vm_read_forbidden{false};

// Where a sandbox forbids process_vm_readv: a write from a wrong address fails just as politely.
size_t CopyThroughFile(uint64_t address, void* to, size_t bytes) {
  static SpinLock lock;
  // Never taken apart: threads may read to the very end of the process.
  alignas(HeldFd) static char place[sizeof(HeldFd)];
  static HeldFd& held = *new (place) HeldFd;
  SpinLock::Guard guard(lock);
  if (held.get() < 0) held = HeldFd(OwnedFd(memfd_create("heapray", MFD_CLOEXEC)));
  int file = held.get();
  ssize_t written = pwrite(file, reinterpret_cast<const void*>(address), bytes, 0);
  if (written <= 0) return 0;
  ssize_t copied = pread(file, to, static_cast<size_t>(written), 0);
  return copied < 0 ? 0 : static_cast<size_t>(copied);
}

// A signal mask is read before the kernel finds that there is no such change to make to it. (Emulators may find it
// before.)
bool TakesAsMask(uint64_t address) {
  constexpr int kNoSuchChange = -1;
  // No address stands for no mask, which is not read.
  if (address == 0) return false;
  return syscall(SYS_rt_sigprocmask, kNoSuchChange, address, nullptr, sizeof(uint64_t)) == 0 || errno != EFAULT;
}

}  // namespace

size_t CopyIfReadable(uint64_t address, void* to, size_t bytes) {
  if (!g_vm_read_forbidden.load(std::memory_order_relaxed)) {
    iovec local{to, bytes};
    iovec remote{reinterpret_cast<void*>(address), bytes};
    ssize_t copied = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (copied >= 0) return static_cast<size_t>(copied);
    if (errno == EFAULT) return 0;
    g_vm_read_forbidden.store(true, std::memory_order_relaxed);
  }
  return CopyThroughFile(address, to, bytes);
}

bool IsReadable(uint64_t address) {
  constexpr uint64_t kNowhere = 8;
  static const uint64_t somewhere = 0;
  static const bool faults_are_told = TakesAsMask(reinterpret_cast<uint64_t>(&somewhere)) && !TakesAsMask(kNowhere);
  if (faults_are_told) [[likely]]
    return TakesAsMask(address);
  uint64_t ignored;
  return CopyIfReadable(address, &ignored, sizeof ignored) == sizeof ignored;
}

}  // namespace heapray
