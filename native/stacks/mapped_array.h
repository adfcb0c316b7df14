// A large array of which little is touched: mapped, so that it costs only the pages in use.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <utility>

#include "process/own_memory.h"

namespace heapray {

template <typename T>
class MappedArray {
 public:
  explicit MappedArray(size_t count) : count_(count) {
    void* room =
        mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    data_ = room == MAP_FAILED ? nullptr : static_cast<T*>(room);
    if (data_ != nullptr) OwnMemory::Add(data_, count * sizeof(T));
  }
  // None yet: it is not usable.
  MappedArray() = default;
  ~MappedArray() {
    if (data_ == nullptr) return;
    OwnMemory::Remove(data_);
    munmap(data_, count_ * sizeof(T));
  }
  MappedArray(MappedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;

  // Whether there was memory for it; otherwise it must not be touched.
  bool usable() const { return data_ != nullptr; }
  size_t count() const { return count_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* data() { return data_; }
  const T* data() const { return data_; }

  // Makes it larger, without a copy of what is in it. Returns false, and changes nothing, when there is no memory.
  bool Resize(size_t count) {
    if (data_ == nullptr) {
      *this = MappedArray(count);
      return usable();
    }
    void* room = mremap(data_, count_ * sizeof(T), count * sizeof(T), MREMAP_MAYMOVE);
    if (room == MAP_FAILED) return false;
    OwnMemory::Remove(data_);
    OwnMemory::Add(room, count * sizeof(T));
    data_ = static_cast<T*>(room);
    count_ = count;
    return true;
  }

 private:
  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace heapray
