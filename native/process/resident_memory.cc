#include "process/resident_memory.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "process/known_ranges.h"
#include "process/own_memory.h"
#include "process/owned_fd.h"

namespace heapray {
namespace {

constexpr uint64_t kPage = 4096;
// glibc's arenas, the first excepted, begin at multiples of this.
constexpr uint64_t kArenaBytes = uint64_t{64} << 20;
// Larger ones are no library's uninitialised data.
constexpr uint64_t kLargestBss = uint64_t{4} << 20;

struct Part {
  uint64_t begin;
  uint64_t end;
  uint64_t ResidentMemory::* figure;
};

// One of /proc/self/smaps.
struct ResidentMapping {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t rss = 0;
  bool writable = false;
  char path[512] = "";

  std::string_view name() const { return path; }
  bool is_file() const { return path[0] == '/'; }
};

std::vector<Part> KnownParts() {
  std::vector<Part> parts;
  for (const KnownRanges::Range& range : KnownRanges::Get().All()) {
    uint64_t ResidentMemory::* figure = &ResidentMemory::mapped;
    if (range.owner == KnownRanges::Owner::kV8Heap) figure = &ResidentMemory::v8_heap;
    if (range.owner == KnownRanges::Owner::kStack) figure = &ResidentMemory::stacks;
    parts.push_back({range.begin, range.end, figure});
  }
  std::vector<Part> own;
  OwnMemory::ForEach([&](uint64_t begin, uint64_t end) { own.push_back({begin, end, &ResidentMemory::heapray}); });
  // A range that the agent has now was the program's before, if it is known as both.
  std::vector<Part> all;
  std::sort(own.begin(), own.end(), [](const Part& a, const Part& b) { return a.begin < b.begin; });
  auto next = own.begin();
  for (Part part : parts) {
    for (; next != own.end() && next->end <= part.begin; ++next) all.push_back(*next);
    while (next != own.end() && next->begin < part.end) {
      if (part.begin < next->begin) all.push_back({part.begin, next->begin, part.figure});
      part.begin = std::min(std::max(part.begin, next->end), part.end);
      if (next->end > part.end) break;
      all.push_back(*next++);
    }
    if (part.begin < part.end) all.push_back(part);
  }
  all.insert(all.end(), next, own.end());
  return all;
}

// Resident bytes of [begin, end), page by page.
uint64_t ResidentBytes(int pagemap, uint64_t begin, uint64_t end) {
  std::array<uint64_t, 1024> entries;
  uint64_t pages = 0;
  for (uint64_t page = begin / kPage; page < end / kPage;) {
    size_t wanted = std::min<size_t>(entries.size(), end / kPage - page);
    ssize_t bytes = pread(pagemap, entries.data(), wanted * 8, static_cast<off_t>(page * 8));
    if (bytes <= 0) break;
    for (size_t i = 0; i < static_cast<size_t>(bytes) / 8; i++) pages += entries[i] >> 63;
    page += static_cast<uint64_t>(bytes) / 8;
  }
  return pages * kPage;
}

// Whose what is in no known part is.
uint64_t ResidentMemory::* OwnerOf(const ResidentMapping& mapping, const ResidentMapping& before) {
  std::string_view name = mapping.name();
  if (name.ends_with("/heapray.node") || name.starts_with("/memfd:heapray")) return &ResidentMemory::heapray;
  if (mapping.is_file()) return &ResidentMemory::files;
  if (name == "[heap]") return &ResidentMemory::arenas;
  if (name == "[stack]") return &ResidentMemory::stacks;
  if (name.starts_with("[v")) return &ResidentMemory::files;  // [vdso], [vvar]
  bool is_bss = mapping.begin == before.end && before.is_file() && before.writable && mapping.writable &&
                mapping.end - mapping.begin <= kLargestBss;
  if (is_bss) return &ResidentMemory::files;
  if (mapping.begin % kArenaBytes == 0 && mapping.writable) return &ResidentMemory::arenas;
  return &ResidentMemory::other;
}

void ReadMalloc(ResidentMemory* memory) {
  // As glibc's mallinfo2 has it, which older ones do not have.
  struct MallocInfo {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
  };
  static auto* mallinfo2 = reinterpret_cast<MallocInfo (*)()>(dlsym(RTLD_DEFAULT, "mallinfo2"));
  if (mallinfo2 == nullptr) return;
  MallocInfo info = mallinfo2();
  memory->in_use_in_arenas = info.uordblks;
  memory->large_blocks = info.hblkhd;
}

class Reader {
 public:
  Reader() : parts_(KnownParts()), pagemap_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}

  // In order of address.
  void Add(const ResidentMapping& mapping) {
    uint64_t rest = mapping.rss;
    for (; next_ < parts_.size() && parts_[next_].end <= mapping.begin; next_++) continue;
    for (size_t i = next_; i < parts_.size() && parts_[i].begin < mapping.end && rest > 0; i++) {
      uint64_t begin = std::max(parts_[i].begin, mapping.begin);
      uint64_t end = std::min(parts_[i].end, mapping.end);
      bool whole = begin == mapping.begin && end == mapping.end;
      // Pages that came meanwhile are not in its sum.
      uint64_t resident = whole ? rest : std::min(rest, ResidentBytes(pagemap_.get(), begin, end));
      memory_.*parts_[i].figure += resident;
      rest -= resident;
    }
    memory_.*OwnerOf(mapping, before_) += rest;
    memory_.rss += mapping.rss;
    before_ = mapping;
  }

  ResidentMemory& memory() { return memory_; }

 private:
  ResidentMemory memory_;
  std::vector<Part> parts_;
  size_t next_ = 0;
  OwnedFd pagemap_;
  ResidentMapping before_;
};

}  // namespace

ResidentMemory ReadResidentMemory() {
  FILE* smaps = fopen("/proc/self/smaps", "re");
  if (smaps == nullptr) return {};
  Reader reader;
  ResidentMapping mapping;
  char line[4608];
  while (fgets(line, sizeof line, smaps) != nullptr) {
    // Only the line that begins a mapping begins with a small letter or a digit.
    if (line[0] >= 'A' && line[0] <= 'Z') {
      unsigned long long kilobytes = 0;
      if (strncmp(line, "Rss:", 4) != 0 || sscanf(line + 4, "%llu", &kilobytes) != 1) continue;
      mapping.rss = kilobytes * 1024;
      reader.Add(mapping);
      continue;
    }
    char access[5] = "";
    mapping = ResidentMapping();
    sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %511[^\n]", &mapping.begin, &mapping.end, access,
           mapping.path);
    mapping.writable = access[1] == 'w';
  }
  fclose(smaps);
  ReadMalloc(&reader.memory());
  return reader.memory();
}

}  // namespace heapray
