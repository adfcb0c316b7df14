// Reads V8's heap objects in place, without V8's help: good inside malloc, in every state of the virtual machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "node/v8_layout.h"
#include "process/careful_copy.h"

namespace heapray {

class V8Heap {
 public:
  // An untagged object, and 0 when there is none.
  using Object = uint64_t;

  static bool IsSmi(uint64_t word) { return (word & 1) == 0; }
  static int32_t SmiValue(uint64_t word) { return static_cast<int32_t>(static_cast<int64_t>(word) >> 32); }

  // How an address is read. A wrong one gives zeros, unless it is trusted.
  enum class Reads : uint8_t {
    kTrusting,
    kChecked,  // the kernel is asked first: for words that need not be pointers
    kCopied,   // the kernel does it: for memory that may go meanwhile, and at start-up, when nothing is proven yet
  };
  explicit V8Heap(const V8Layout& layout, Reads reads = Reads::kTrusting) : layout_(layout), reads_(reads) {}
  void set_reads(Reads reads) { reads_ = reads; }
  bool copies() const { return reads_ == Reads::kCopied; }

  uint64_t Word(uint64_t address) const { return Read<uint64_t>(address); }
  template <typename T>
  T Read(uint64_t address) const {
    T value{};
    static_assert(sizeof value <= sizeof(uint64_t));
    if (reads_ == Reads::kCopied) [[unlikely]] {
      CarefulCopy(address, &value, sizeof value);
    } else if (reads_ == Reads::kTrusting || IsReadable(address)) {
      memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
    }
    return value;
  }
  // Copies what can be read of [address, address + bytes) and returns how much that was; never faults.
  static size_t CarefulCopy(uint64_t address, void* to, size_t bytes);

  // The object a tagged word points to (weak references too), or 0. During a garbage collection an object may have
  // moved; this follows it.
  Object Untag(uint64_t word) const;
  Object Field(Object object, int offset) const { return Untag(Word(object + static_cast<uint64_t>(offset))); }
  int InstanceType(Object object) const;
  bool IsType(Object object, int type) const { return object != 0 && InstanceType(object) == type; }
  bool IsJSFunction(Object object) const;
  bool IsString(Object object) const { return object != 0 && InstanceType(object) < layout_.first_nonstring_type; }

  // Array-like objects: a length (Smi) behind the map, then the elements.
  int64_t ArrayLength(Object array) const { return SmiValue(Word(array + 8)); }
  static uint64_t ArrayData(Object array) { return array + 16; }
  uint64_t Element(Object array, int64_t index) const {
    return Word(ArrayData(array) + static_cast<uint64_t>(index) * 8);
  }

  // A string as UTF-8, at most `max` characters of it.
  std::string ToUtf8(Object string, uint32_t max) const;

  // A string's characters where they lie, or nothing for one that is not flat.
  struct Characters {
    const void* data = nullptr;
    uint32_t length = 0;
    bool one_byte = true;
    char16_t operator[](uint32_t i) const {
      return one_byte ? static_cast<const uint8_t*>(data)[i] : static_cast<const char16_t*>(data)[i];
    }
  };
  std::optional<Characters> Flat(Object string) const;

 private:
  const V8Layout& layout_;
  Reads reads_;
};

}  // namespace heapray
