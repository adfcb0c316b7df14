// A flag of this process alone: in a child it reads false, however the child was forked.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>

namespace heapray {

// fork(3) runs handlers in its child, a bare clone(2) or _Fork does not, and such a child would write into the parent's
// capture: it shares the file's mapping. So the flag lies on a page that the kernel wipes as it forks (Linux 4.14;
// where it cannot, the handlers are all there is).
class ProcessFlag {
 public:
  ProcessFlag() {
    void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    madvise(page, kPage, MADV_WIPEONFORK);
    // Zeros are false already.
    value_ = static_cast<std::atomic<bool>*>(page);
  }
  ProcessFlag(const ProcessFlag&) = delete;
  ProcessFlag& operator=(const ProcessFlag&) = delete;

  bool load(std::memory_order order) const { return value_->load(order); }
  void store(bool value, std::memory_order order) { value_->store(value, order); }
  bool exchange(bool value) { return value_->exchange(value); }

 private:
  static constexpr size_t kPage = 4096;

  std::atomic<bool> without_page_{false};
  std::atomic<bool>* value_ = &without_page_;
};

}  // namespace heapray
