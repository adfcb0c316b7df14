#include "hooks/import_table.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>

#include <utility>
#include <vector>

#include "hooks/originals.h"
#include "process/mappings.h"

namespace heapray {
namespace {

constexpr uintptr_t kPage = 4096;

// What dl_iterate_phdr tells of an object that has a dynamic section.
struct DynamicSection {
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const ElfW(Rela) * plt = nullptr;
  size_t plt_bytes = 0;
  const ElfW(Rela) * relocations = nullptr;
  size_t relocation_bytes = 0;
};

// glibc leaves absolute addresses in the dynamic section of all objects but the vDSO.
template <typename T>
const T* Address(uintptr_t base, uintptr_t value) {
  return reinterpret_cast<const T*>(value < base ? base + value : value);
}

DynamicSection ReadDynamic(uintptr_t base, const ElfW(Dyn) * entry) {
  DynamicSection section;
  for (; entry->d_tag != DT_NULL; entry++) {
    uintptr_t value = entry->d_un.d_ptr;
    switch (entry->d_tag) {
      case DT_SYMTAB: section.symbols = Address<ElfW(Sym)>(base, value); break;
      case DT_STRTAB: section.strings = Address<char>(base, value); break;
      case DT_JMPREL: section.plt = Address<ElfW(Rela)>(base, value); break;
      case DT_PLTRELSZ: section.plt_bytes = entry->d_un.d_val; break;
      case DT_RELA: section.relocations = Address<ElfW(Rela)>(base, value); break;
      case DT_RELASZ: section.relocation_bytes = entry->d_un.d_val; break;
      default: break;
    }
  }
  return section;
}

bool IsImport(uint32_t type) { return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || type == R_X86_64_64; }

// Makes the slot's page writable for as long as it takes. Slots of fully relocated objects lie in read-only pages.
class WritablePage {
 public:
  WritablePage(uintptr_t address, uintptr_t relro_begin, uintptr_t relro_end)
      : page_(address / kPage * kPage),  // The dynamic linker leaves the last, partial page writable.
        protected_(page_ >= relro_begin / kPage * kPage && page_ < relro_end / kPage * kPage) {
    usable_ =
        !protected_ || Originals::Get().mprotect(reinterpret_cast<void*>(page_), kPage, PROT_READ | PROT_WRITE) == 0;
  }
  ~WritablePage() {
    if (protected_) Originals::Get().mprotect(reinterpret_cast<void*>(page_), kPage, PROT_READ);
  }
  WritablePage(const WritablePage&) = delete;
  WritablePage& operator=(const WritablePage&) = delete;
  bool usable() const { return usable_; }

 private:
  uintptr_t page_;
  bool protected_;
  bool usable_;
};

}  // namespace

struct ImportTable::Object {
  uintptr_t base = 0;
  uintptr_t begin = 0;  // of its segments in memory
  uintptr_t end = 0;
  uintptr_t relro_begin = 0;
  uintptr_t relro_end = 0;
  const ElfW(Dyn) * dynamic = nullptr;

  explicit Object(const dl_phdr_info& info) : base(info.dlpi_addr) {
    begin = UINTPTR_MAX;
    for (int i = 0; i < info.dlpi_phnum; i++) {
      const ElfW(Phdr) & header = info.dlpi_phdr[i];
      uintptr_t address = base + header.p_vaddr;
      if (header.p_type == PT_LOAD) {
        begin = address < begin ? address : begin;
        end = address + header.p_memsz > end ? address + header.p_memsz : end;
      } else if (header.p_type == PT_DYNAMIC) {
        dynamic = reinterpret_cast<const ElfW(Dyn)*>(address);
      } else if (header.p_type == PT_GNU_RELRO) {
        relro_begin = address;
        relro_end = address + header.p_memsz;
      }
    }
  }

  bool Contains(const void* address) const {
    uintptr_t a = reinterpret_cast<uintptr_t>(address);
    return a >= begin && a < end;
  }
};

void ImportTable::Add(std::span<const Hook> hooks) {
  for (const Hook& hook : hooks) hooks_.emplace(hook.name, hook);
}

void ImportTable::Patch(Objects objects) {
  // An object is listed before its imports are filled in; when that is done, they become read-only. To write to it
  // before, or to make it read-only, would be the end of the thread that loads it.
  std::vector<std::pair<uintptr_t, uintptr_t>> writable;
  if (objects == Objects::kFinished) {
    ForEachMapping([&writable](const Mapping& mapping) {
      if (mapping.writable) writable.emplace_back(mapping.begin, mapping.end);
    });
  }
  auto patch = [&](const dl_phdr_info& info) {
    if (info.dlpi_subs != unloads_) {
      finished_.clear();
      unloads_ = info.dlpi_subs;
    }
    Object object(info);
    if (finished_.contains(object.dynamic)) return;
    uintptr_t begin = object.relro_begin / kPage * kPage;
    bool has_read_only = begin < object.relro_end / kPage * kPage;
    for (const auto& [from, to] : writable) {
      if (has_read_only && begin >= from && begin < to) return;
    }
    PatchObject(object);
    // Of others it is not known whether their imports are filled in, over what was written here.
    if (has_read_only && objects == Objects::kFinished) finished_.insert(object.dynamic);
  };
  auto visit = [](dl_phdr_info* info, size_t, void* patch_one) {
    (*static_cast<decltype(patch)*>(patch_one))(*info);
    return 0;
  };
  dl_iterate_phdr(visit, &patch);
}

void ImportTable::PatchObject(const Object& object) {
  static const char kSelf = 0;
  if (object.dynamic == nullptr || object.Contains(&kSelf)) return;
  bool is_allocator = object.Contains(reinterpret_cast<void*>(Originals::Get().malloc));
  DynamicSection section = ReadDynamic(object.base, object.dynamic);
  if (section.symbols == nullptr || section.strings == nullptr) return;

  auto patch = [&](const ElfW(Rela) * relocation, size_t bytes) {
    for (size_t i = 0; relocation != nullptr && i < bytes / sizeof *relocation; i++) {
      if (!IsImport(ELF64_R_TYPE(relocation[i].r_info))) continue;
      const ElfW(Sym) & symbol = section.symbols[ELF64_R_SYM(relocation[i].r_info)];
      auto hook = hooks_.find(section.strings + symbol.st_name);
      if (hook == hooks_.end() || (hook->second.is_mapping && is_allocator)) continue;
      auto* slot = reinterpret_cast<uintptr_t*>(object.base + relocation[i].r_offset);
      uintptr_t replacement = reinterpret_cast<uintptr_t>(hook->second.replacement);
      uintptr_t original = __atomic_load_n(slot, __ATOMIC_RELAXED);
      if (original == replacement) continue;
      WritablePage page(reinterpret_cast<uintptr_t>(slot), object.relro_begin, object.relro_end);
      if (!page.usable()) continue;
      slots_[slot] = {original, &hook->second};
      __atomic_store_n(slot, replacement, __ATOMIC_RELEASE);
    }
  };
  patch(section.plt, section.plt_bytes);
  patch(section.relocations, section.relocation_bytes);
}

void ImportTable::Restore(bool (*belongs)(const Hook&)) {
  // Only objects that are still loaded: a slot of an unloaded one may be anybody's memory by now.
  auto restore = [&](const dl_phdr_info& info) {
    Object object(info);
    for (const auto& [address, slot] : slots_) {
      if (!belongs(*slot.hook) || !object.Contains(address)) continue;
      if (*address != reinterpret_cast<uintptr_t>(slot.hook->replacement)) continue;
      WritablePage page(reinterpret_cast<uintptr_t>(address), object.relro_begin, object.relro_end);
      if (page.usable()) __atomic_store_n(address, slot.original, __ATOMIC_RELEASE);
    }
  };
  auto visit = [](dl_phdr_info* info, size_t, void* restore_one) {
    (*static_cast<decltype(restore)*>(restore_one))(*info);
    return 0;
  };
  dl_iterate_phdr(visit, &restore);
  std::erase_if(slots_, [&](const auto& entry) { return belongs(*entry.second.hook); });
  finished_.clear();
}

}  // namespace heapray
