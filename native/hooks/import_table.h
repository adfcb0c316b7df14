// Rewrites the import slots (GOT) of the loaded objects, so that their calls of the named functions come to us.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace heapray {

struct Hook {
  const char* name;
  void* replacement;
  // Memory mapping calls of the object that provides malloc are that allocator's own: what it hands out is counted.
  bool is_mapping;
};

class ImportTable {
 public:
  // Further calls to patch. Before the first Patch().
  void Add(std::span<const Hook> hooks) { hooks_.insert(hooks_.end(), hooks.begin(), hooks.end()); }

  // kFinished leaves out objects that another thread may be loading still.
  enum class Objects { kAll, kFinished };
  // Patches every object that is loaded and not patched yet. Call again after a dlopen.
  void Patch(Objects objects);
  // Puts back every slot that still holds our replacement.
  void Restore();

 private:
  struct Slot {
    uintptr_t original;
    uintptr_t replacement;
  };
  struct Object;

  void PatchObject(const Object& object);

  std::vector<Hook> hooks_;
  // By address: where an object was unloaded, the next one takes its place.
  std::unordered_map<uintptr_t*, Slot> slots_;
};

}  // namespace heapray
