// A number of this process alone: in a child it reads 0, however the child was forked.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace heapray {

// fork(3) runs handlers in its child, a bare clone(2) or _Fork does not, and such a child would write into the parent's
// capture: it shares the file's mapping. So the number lies on a page that the kernel wipes as it forks (Linux 4.14;
// where it cannot, the handlers are all there is).
class ProcessNumber {
 public:
  ProcessNumber() {
    void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    madvise(page, kPage, MADV_WIPEONFORK);
    value_ = static_cast<std::atomic<uint32_t>*>(page);
  }
  ProcessNumber(const ProcessNumber&) = delete;
  ProcessNumber& operator=(const ProcessNumber&) = delete;

  uint32_t load(std::memory_order order) const { return value_->load(order); }
  void store(uint32_t value, std::memory_order order) { value_->store(value, order); }
  uint32_t exchange(uint32_t value) { return value_->exchange(value); }

 private:
  static constexpr size_t kPage = 4096;

  std::atomic<uint32_t> without_page_{0};
  std::atomic<uint32_t>* value_ = &without_page_;
};

}  // namespace heapray
