// A large array of which little is touched: mapped, so that it costs only the pages in use.
#pragma once

#include <sys/mman.h>

#include <cstddef>

namespace heapray {

template <typename T>
class MappedArray {
 public:
  explicit MappedArray(size_t count) : count_(count) {
    void* room =
        mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    data_ = room == MAP_FAILED ? nullptr : static_cast<T*>(room);
  }
  ~MappedArray() {
    if (data_ != nullptr) munmap(data_, count_ * sizeof(T));
  }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;

  // Whether there was memory for it; otherwise it must not be touched.
  bool usable() const { return data_ != nullptr; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* data() { return data_; }
  const T* data() const { return data_; }

 private:
  T* data_;
  size_t count_;
};

}  // namespace heapray
