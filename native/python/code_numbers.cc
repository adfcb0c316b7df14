#include "python/code_numbers.h"

#include <new>

namespace heapray {

alignas(CodeNumbers) static char g_numbers[sizeof(CodeNumbers)];
CodeNumbers& CodeNumbers::instance_ = *new (g_numbers) CodeNumbers;
destructor CodeNumbers::deallocate_ = nullptr;

void CodeNumbers::Watch() {
  if (deallocate_ != nullptr) return;
  deallocate_ = PyCode_Type.tp_dealloc;
  PyCode_Type.tp_dealloc = Deallocate;
}

void CodeNumbers::Deallocate(PyObject* code) {
  instance_.Died(code);
  deallocate_(code);
}

void CodeNumbers::Forget() {
  new (&lock_) SpinLock;
  new (&numbers_) FlatMap<uint64_t>;
  deaths_.fetch_add(1, std::memory_order_release);
}

uint64_t CodeNumbers::Of(const PyCodeObject* code) {
  SpinLock::Guard guard(lock_);
  uint64_t& number = numbers_[reinterpret_cast<uint64_t>(code)];
  if (number == 0) number = ++last_;
  return number;
}

void CodeNumbers::Died(const PyObject* code) {
  SpinLock::Guard guard(lock_);
  uint64_t* number = numbers_.Find(reinterpret_cast<uint64_t>(code));
  if (number == nullptr || *number == 0) return;
  *number = 0;
  deaths_.fetch_add(1, std::memory_order_release);
}

}  // namespace heapray
