// Rewrites the import slots (GOT) of the loaded objects, so that their calls of the named functions come to us.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace heapray {

struct Hook {
  const char* name;
  void* replacement;
  // Memory mapping calls of the object that provides malloc are that allocator's own: what it hands out is counted.
  bool is_mapping;
  // Of signals and the process's end: needed until the capture is complete, when nothing is recorded any more.
  bool is_of_end = false;
};

class ImportTable {
 public:
  // Further calls to patch. Before the first Patch().
  void Add(std::span<const Hook> hooks);

  // kFinished leaves out objects that another thread may be loading still.
  enum class Objects { kAll, kFinished };
  // Patches every object that is loaded and not patched yet. Call again after a dlopen.
  void Patch(Objects objects);
  // Puts back every slot of the hooks that `belongs` names and that still holds our replacement.
  void Restore(bool (*belongs)(const Hook&));

 private:
  struct Slot {
    uintptr_t original;
    const Hook* hook;
  };
  struct Object;

  void PatchObject(const Object& object);

  std::unordered_map<std::string_view, Hook> hooks_;
  // By address: where an object was unloaded, the next one takes its place.
  std::unordered_map<uintptr_t*, Slot> slots_;
  // The dynamic sections of objects that are patched for good; a program with hundreds of libraries loads each by a
  // dlopen of its own. They hold until something is unloaded.
  std::unordered_set<const void*> finished_;
  unsigned long long unloads_ = 0;
};

}  // namespace heapray
