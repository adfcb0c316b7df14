#include "node/elf_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <iterator>

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

constexpr uint64_t kAhead = 16;
// What most names of V8 begin with.
constexpr std::string_view kV8 = "_ZN2v88internal";
// So many bytes that tell names apart follow it, or begin other names.
constexpr size_t kTelling = sizeof(uint32_t);

// The wanted names' telling bytes, those of V8's and the others'.
struct Telling {
  static constexpr size_t kCount = std::size(kWantedSymbols);
  uint32_t v8[kCount] = {};
  uint32_t others[kCount] = {};
  // A bit for each, by its hash: few of the names that nobody wants have one.
  uint64_t v8_bits = 0;
  uint64_t others_bits = 0;

  constexpr Telling() {
    for (size_t i = 0; i < kCount; i++) {
      bool is_v8 = kWantedSymbols[i].starts_with(kV8);
      uint32_t telling = Of(kWantedSymbols[i].data() + (is_v8 ? kV8.size() : 0));
      (is_v8 ? v8 : others)[i] = telling;
      (is_v8 ? v8_bits : others_bits) |= Bit(telling);
    }
  }
  static constexpr uint64_t Bit(uint32_t telling) { return uint64_t{1} << (telling * 2'654'435'769u >> 26); }
  static constexpr uint32_t Of(const char* text) {
    uint32_t bytes = 0;
    for (size_t i = kTelling; i-- > 0;) bytes = bytes << 8 | static_cast<uint8_t>(text[i]);
    return bytes;
  }
};
constexpr Telling kTellingBytes;

// Whether a name begins as one of those that are looked for. `room` bytes of text are there, and a zero among them.
bool IsWanted(const char* name, size_t room) {
  if (room < kV8.size() + kTelling) return true;  // at the table's end: the one who asked will tell
  bool is_v8 = memcmp(name, kV8.data(), kV8.size()) == 0;
  uint32_t telling = Telling::Of(name + (is_v8 ? kV8.size() : 0));
  if (((is_v8 ? kTellingBytes.v8_bits : kTellingBytes.others_bits) & Telling::Bit(telling)) == 0) return false;
  const auto& known = is_v8 ? kTellingBytes.v8 : kTellingBytes.others;
  for (size_t i = 0; i < Telling::kCount; i++) {
    if (known[i] == telling && strncmp(name, kWantedSymbols[i].data(), kWantedSymbols[i].size()) == 0) return true;
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
      // Names stand in another order than symbols do: each is a miss of the cache, unless it is fetched ahead.
      if (s + kAhead < count && symbols[s + kAhead].st_name < strings.sh_size) {
        __builtin_prefetch(text + symbols[s + kAhead].st_name);
      }
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0 || symbol.st_name >= strings.sh_size) continue;
      if (!IsWanted(text + symbol.st_name, strings.sh_size - symbol.st_name)) continue;
      visit(text + symbol.st_name, base + symbol.st_value, symbol.st_size);
    }
    return true;
  }
  return false;
}

}  // namespace heapray
