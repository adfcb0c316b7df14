// Objects of V8's heap that have been looked at and were what a frame's slot should hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace heapray {

// Good between two collections of the isolate: until the next one an object stays where it is, and what it is.
class KnownObjects {
 public:
  bool Has(uint64_t object) const { return objects_[SlotOf(object)] == object; }
  void Add(uint64_t object) { objects_[SlotOf(object)] = object; }
  void Forget() { memset(objects_, 0, sizeof objects_); }

 private:
  static constexpr size_t kSlots = 512;
  // Objects are 8-aligned, and neighbours are often looked at together.
  static size_t SlotOf(uint64_t object) { return (object >> 3 ^ object >> 13) % kSlots; }

  uint64_t objects_[kSlots] = {};
};

// By what they are.
struct KnownSlots {
  KnownObjects functions;
  KnownObjects bytecodes;
  void Forget() {
    functions.Forget();
    bytecodes.Forget();
  }
};

}  // namespace heapray
