#include "node/elf_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

#include "process/owned_fd.h"

namespace heapray {
namespace {

class MappedFile {
 public:
  explicit MappedFile(const char* path) {
    OwnedFd fd(open(path, O_RDONLY | O_CLOEXEC));
    struct stat status;
    if (fd.get() < 0 || fstat(fd.get(), &status) != 0 || status.st_size <= 0) return;
    void* mapped = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (mapped == MAP_FAILED) return;
    data_ = static_cast<const uint8_t*>(mapped);
    bytes_ = static_cast<size_t>(status.st_size);
  }
  ~MappedFile() {
    if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), bytes_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // The `count` objects at `offset`, or nullptr when the file ends before that.
  template <typename T>
  const T* At(uint64_t offset, uint64_t count = 1) const {
    if (offset > bytes_ || count > (bytes_ - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(data_ + offset);
  }

 private:
  const uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

// What most names of V8 begin with.
constexpr std::string_view kV8 = "_ZN2v88internal";
// So many bytes that tell names apart follow it, or begin other names.
constexpr size_t kTelling = sizeof(uint32_t);

uint32_t TellingBytes(const char* text) {
  uint32_t bytes;
  memcpy(&bytes, text, sizeof bytes);
  return bytes;
}

// Whether a name begins as one of those that are looked for. `room` bytes of text are there, and a zero among them.
bool IsWanted(const char* name, size_t room) {
  if (room < kV8.size() + kTelling) return true;  // at the table's end: the one who asked will tell
  bool is_v8 = memcmp(name, kV8.data(), kV8.size()) == 0;
  size_t skipped = is_v8 ? kV8.size() : 0;
  uint32_t telling = TellingBytes(name + skipped);
  for (std::string_view wanted : kWantedSymbols) {
    if (wanted.starts_with(kV8) != is_v8 || TellingBytes(wanted.data() + skipped) != telling) continue;
    if (strncmp(name, wanted.data(), wanted.size()) == 0) return true;
  }
  return false;
}

uintptr_t ExecutableBase() {
  uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<uintptr_t*>(result) = info->dlpi_addr;
        return 1;  // the executable comes first
      },
      &base);
  return base;
}

}  // namespace

bool ForEachExecutableSymbol(const std::function<void(std::string_view, uint64_t, uint64_t)>& visit) {
  MappedFile file("/proc/self/exe");
  const auto* header = file.At<Elf64_Ehdr>(0);
  if (header == nullptr || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return false;
  const auto* sections = file.At<Elf64_Shdr>(header->e_shoff, header->e_shnum);
  if (sections == nullptr) return false;
  uintptr_t base = ExecutableBase();
  for (unsigned i = 0; i < header->e_shnum; i++) {
    if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum) continue;
    const Elf64_Shdr& strings = sections[sections[i].sh_link];
    uint64_t count = sections[i].sh_size / sizeof(Elf64_Sym);
    const auto* symbols = file.At<Elf64_Sym>(sections[i].sh_offset, count);
    const char* text = file.At<char>(strings.sh_offset, strings.sh_size);
    if (symbols == nullptr || text == nullptr || strings.sh_size == 0 || text[strings.sh_size - 1] != 0) return false;
    for (uint64_t s = 0; s < count; s++) {
      const Elf64_Sym& symbol = symbols[s];
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0 || symbol.st_name >= strings.sh_size) continue;
      if (!IsWanted(text + symbol.st_name, strings.sh_size - symbol.st_name)) continue;
      visit(text + symbol.st_name, base + symbol.st_value, symbol.st_size);
    }
    return true;
  }
  return false;
}

}  // namespace heapray
