#include "node/elf_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include "process/own_thread.h"
#include "process/owned_fd.h"
#include "process/untracked.h"

namespace heapray {
namespace {

constexpr uint64_t kPage = 4096;

// A part of a file, in memory.
class MappedPart {
 public:
  MappedPart(int fd, uint64_t begin, uint64_t end) : begin_(begin / kPage * kPage), bytes_(end - begin_) {
    if (end <= begin) return;
    void* mapped = mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, fd, static_cast<off_t>(begin_));
    if (mapped != MAP_FAILED) data_ = static_cast<const char*>(mapped);
  }
  ~MappedPart() {
    if (data_ != nullptr) munmap(const_cast<char*>(data_), bytes_);
  }
  MappedPart(const MappedPart&) = delete;
  MappedPart& operator=(const MappedPart&) = delete;

  explicit operator bool() const { return data_ != nullptr; }
  const char* At(uint64_t offset) const { return data_ + (offset - begin_); }

 private:
  uint64_t begin_;
  uint64_t bytes_;
  const char* data_ = nullptr;
};

// `count` objects at `offset` of a file; none when it ends before that.
template <typename T>
std::vector<T> ReadAll(int fd, uint64_t offset, size_t count) {
  std::vector<T> objects(count);
  size_t bytes = count * sizeof(T);
  bool whole = pread(fd, objects.data(), bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
  return whole ? objects : std::vector<T>();
}

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

struct Symbol {
  std::string name;
  uint64_t address;
  uint64_t bytes;
};

void CollectWanted(const Elf64_Sym* symbols, uint64_t count, const char* text, uint64_t text_bytes,
                   std::vector<Symbol>* found) {
  uintptr_t base = ExecutableBase();
  for (uint64_t s = 0; s < count; s++) {
    const Elf64_Sym& symbol = symbols[s];
    // Names stand in another order than symbols do: each is a miss of the cache, unless it is fetched ahead.
    if (s + kAhead < count && symbols[s + kAhead].st_name < text_bytes) {
      __builtin_prefetch(text + symbols[s + kAhead].st_name);
    }
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0 || symbol.st_name >= text_bytes) continue;
    if (!IsWanted(text + symbol.st_name, text_bytes - symbol.st_name)) continue;
    found->push_back({text + symbol.st_name, base + symbol.st_value, symbol.st_size});
  }
}

std::vector<Symbol> ReadSymbols() {
  OwnedFd fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return {};
  off_t end = lseek(fd.get(), 0, SEEK_END);
  auto is_inside = [end](const Elf64_Shdr& section) {
    return section.sh_offset <= static_cast<uint64_t>(end) && section.sh_size <= end - section.sh_offset;
  };
  std::vector<Elf64_Ehdr> header = ReadAll<Elf64_Ehdr>(fd.get(), 0, 1);
  if (header.empty() || memcmp(header[0].e_ident, ELFMAG, SELFMAG) != 0) return {};
  std::vector<Elf64_Shdr> sections = ReadAll<Elf64_Shdr>(fd.get(), header[0].e_shoff, header[0].e_shnum);
  std::vector<Symbol> found;
  for (const Elf64_Shdr& table : sections) {
    if (table.sh_type != SHT_SYMTAB || table.sh_link >= sections.size()) continue;
    const Elf64_Shdr& strings = sections[table.sh_link];
    if (!is_inside(table) || !is_inside(strings) || strings.sh_size == 0) return {};
    MappedPart symbols(fd.get(), table.sh_offset, table.sh_offset + table.sh_size);
    MappedPart text(fd.get(), strings.sh_offset, strings.sh_offset + strings.sh_size);
    if (!symbols || !text || *text.At(strings.sh_offset + strings.sh_size - 1) != 0) return {};
    CollectWanted(reinterpret_cast<const Elf64_Sym*>(symbols.At(table.sh_offset)), table.sh_size / sizeof(Elf64_Sym),
                  text.At(strings.sh_offset), strings.sh_size, &found);
    break;
  }
  return found;
}

std::mutex g_mutex;
std::vector<Symbol>* g_symbols = nullptr;
pthread_t g_reader;
int g_reader_pid = 0;  // 0: there is none

}  // namespace

void BeginReadingExecutableSymbols() {
  Untracked untracked;
  std::lock_guard lock(g_mutex);
  if (g_symbols != nullptr || g_reader_pid == getpid()) return;
  auto read = [](void*) -> void* {
    Untracked untracked;
    pthread_setname_np(pthread_self(), "heapray");
    return new std::vector<Symbol>(ReadSymbols());
  };
  if (StartOwnThread(&g_reader, read, nullptr)) g_reader_pid = getpid();
}

void ForEachExecutableSymbol(const std::function<void(std::string_view, uint64_t, uint64_t)>& visit) {
  std::lock_guard lock(g_mutex);
  if (g_symbols == nullptr && g_reader_pid == getpid()) {
    void* symbols = nullptr;
    pthread_join(g_reader, &symbols);
    g_symbols = static_cast<std::vector<Symbol>*>(symbols);
    g_reader_pid = 0;
  }
  if (g_symbols == nullptr) g_symbols = new std::vector<Symbol>(ReadSymbols());
  for (const Symbol& symbol : *g_symbols) visit(symbol.name, symbol.address, symbol.bytes);
}

void ForgetExecutableSymbols() {
  std::lock_guard lock(g_mutex);
  delete g_symbols;
  g_symbols = nullptr;
}

}  // namespace heapray
