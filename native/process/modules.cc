#include "process/modules.h"

#include <elf.h>
#include <link.h>
#include <sched.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <new>

namespace heapray {
namespace {

constexpr size_t kLongestBuildId = 64;

// The build id among an object's notes.
std::vector<uint8_t> BuildIdIn(uint64_t notes, uint64_t bytes) {
  auto align = [](uint64_t value) { return (value + 3) & ~uint64_t{3}; };
  for (uint64_t at = 0; at + sizeof(ElfW(Nhdr)) <= bytes;) {
    const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(notes + at);
    uint64_t name = at + sizeof *note;
    uint64_t content = name + align(note->n_namesz);
    uint64_t end = content + align(note->n_descsz);
    if (end > bytes || end <= at) break;
    bool is_gnu = note->n_namesz == 4 && memcmp(reinterpret_cast<const char*>(notes + name), "GNU", 4) == 0;
    if (is_gnu && note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= kLongestBuildId) {
      const auto* id = reinterpret_cast<const uint8_t*>(notes + content);
      return std::vector<uint8_t>(id, id + note->n_descsz);
    }
    at = end;
  }
  return {};
}

// The path of the object at hand, which the dynamic linker does not tell of the executable.
std::string PathOf(const dl_phdr_info& info, bool is_executable) {
  char path[PATH_MAX];
  if (!is_executable) return realpath(info.dlpi_name, path) != nullptr ? path : info.dlpi_name;
  ssize_t bytes = readlink("/proc/self/exe", path, sizeof path);
  return bytes > 0 ? std::string(path, static_cast<size_t>(bytes)) : std::string();
}

void Describe(const dl_phdr_info& info, Module* module) {
  module->bias = info.dlpi_addr;
  module->begin = UINT64_MAX;
  for (int i = 0; i < info.dlpi_phnum; i++) {
    const ElfW(Phdr) & header = info.dlpi_phdr[i];
    uint64_t address = info.dlpi_addr + header.p_vaddr;
    switch (header.p_type) {
      case PT_LOAD:
        module->begin = address < module->begin ? address : module->begin;
        module->end = address + header.p_memsz > module->end ? address + header.p_memsz : module->end;
        if ((header.p_flags & PF_X) == 0 || (header.p_flags & PF_R) == 0) break;
        // Node.js 20 has some, and nearly all of its code in one.
        if (header.p_filesz <= module->code_end - module->code_begin) break;
        module->code_begin = address;
        module->code_end = address + header.p_filesz;
        break;
      case PT_GNU_EH_FRAME: module->unwind_index = address; break;
      case PT_NOTE:
        if (module->build_id.empty()) module->build_id = BuildIdIn(address, header.p_memsz);
        break;
      default: break;
    }
  }
}

}  // namespace

alignas(Modules) static char g_modules[sizeof(Modules)];
Modules& Modules::instance_ = *new (g_modules) Modules;

struct Modules::Visit {
  Modules* self;
  int visited = 0;
  bool changed = false;
  bool present[kMost] = {};
};

void Modules::Refresh() {
  std::lock_guard lock(refresh_mutex_);
  Visit visit{this};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* argument) {
        auto* visit = static_cast<Visit*>(argument);
        Modules& self = *visit->self;
        if (visit->visited == 0) {
          visit->changed = info->dlpi_adds != self.seen_loads_ || info->dlpi_subs != self.seen_unloads_;
          self.seen_loads_ = info->dlpi_adds;
          self.seen_unloads_ = info->dlpi_subs;
        }
        if (!visit->changed) return 1;
        Module found;
        Describe(*info, &found);
        found.path = PathOf(*info, visit->visited == 0);
        visit->visited++;
        if (found.begin < found.end) self.Learn(found, *visit);
        return 0;
      },
      &visit);
  if (!visit.changed) return;
  bool any_gone = false;
  for (int i = 0; i < count_.load(); i++) {
    Module& module = *modules_[i].load();
    if (visit.present[i] || !module.loaded.load()) continue;
    module.loaded.store(false, std::memory_order_release);
    any_gone = true;
  }
  if (any_gone) generation_.fetch_add(1);
}

// Gives what is loaded the number that the same object had at the same place, or a new one.
void Modules::Learn(const Module& found, Visit& visit) {
  int count = count_.load();
  for (int i = 0; i < count; i++) {
    Module& known = *modules_[i].load();
    bool same = known.bias == found.bias && known.begin == found.begin && known.end == found.end &&
                known.path == found.path && known.build_id == found.build_id;
    if (!same) continue;
    visit.present[i] = true;
    known.loaded.store(true, std::memory_order_release);
    return;
  }
  if (count == kMost) return;
  auto* made = new Module;
  made->path = found.path;
  made->build_id = found.build_id;
  made->bias = found.bias;
  made->begin = found.begin;
  made->end = found.end;
  made->code_begin = found.code_begin;
  made->code_end = found.code_end;
  made->unwind_index = found.unwind_index;
  visit.present[count] = true;
  modules_[count].store(made, std::memory_order_release);
  count_.store(count + 1, std::memory_order_release);
}

int Modules::Find(uint64_t address) const {
  int count = count_.load(std::memory_order_acquire);
  for (int i = 0; i < count; i++) {
    const Module& module = *modules_[i].load(std::memory_order_relaxed);
    if (module.Contains(address) && module.loaded.load(std::memory_order_acquire)) return i;
  }
  return -1;
}

void Modules::Forget() {
  new (&refresh_mutex_) std::mutex;
  readers_.store(0);
  unloading_.store(0);
  seen_loads_ = 0;
}

void Modules::BeginUnload() {
  unloading_.fetch_add(1);
  // Reading never waits for anything, so this is short. (The caller itself is not reading: it is in a hook of its own.)
  while (readers_.load() > 0) sched_yield();
}

void Modules::EndUnload() {
  Refresh();
  unloading_.fetch_sub(1);
}

}  // namespace heapray
