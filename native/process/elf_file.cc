#include "process/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "record/wire.h"

namespace heapray {
namespace {

constexpr uint64_t kMostSections = 65'536;
constexpr uint64_t kMostSegments = 4096;
constexpr uint64_t kMostNoteBytes = 64 << 10;
constexpr uint64_t kMostNameBytes = 64 << 10;

size_t Padded(size_t bytes) { return (bytes + 3) & ~size_t{3}; }

}  // namespace

// Opening a pipe would wait for its other end.
ElfFile::ElfFile(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status;
  if (fd_.get() < 0 || fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  bytes_ = static_cast<uint64_t>(status.st_size);
  Elf64_Ehdr header;
  if (!Read(0, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) return;
  valid_ = true;
  if (header.e_phentsize == sizeof(Elf64_Phdr) && header.e_phnum <= kMostSegments) {
    segments_at_ = header.e_phoff;
    segments_ = header.e_phnum;
  }
  Elf64_Shdr first;
  if (header.e_shoff == 0 || header.e_shentsize != sizeof first || !Read(header.e_shoff, &first, sizeof first)) return;
  // Where there are too many for the header, the first section tells.
  uint64_t count = header.e_shnum == 0 ? first.sh_size : header.e_shnum;
  if (count > kMostSections || count > bytes_ / sizeof first) return;
  std::vector<Elf64_Shdr> table(count);
  if (!Read(header.e_shoff, table.data(), count * sizeof first)) return;
  for (const Elf64_Shdr& s : table) sections_.push_back({s.sh_type, s.sh_link, s.sh_addr, s.sh_offset, s.sh_size});
}

bool ElfFile::Read(uint64_t offset, void* out, size_t bytes) const {
  if (offset > bytes_ || bytes > bytes_ - offset) return false;
  auto* at = static_cast<uint8_t*>(out);
  while (bytes > 0) {
    ssize_t count = pread(fd_.get(), at, bytes, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += count;
    offset += static_cast<uint64_t>(count);
    bytes -= static_cast<size_t>(count);
  }
  return true;
}

std::string ElfFile::Text(const Section& section, uint64_t start) const {
  std::string text;
  char part[256];
  while (start < section.bytes && text.size() < kMostNameBytes) {
    size_t count = std::min<uint64_t>(sizeof part, section.bytes - start);
    if (section.offset > UINT64_MAX - start || !Read(section.offset + start, part, count)) return {};
    size_t length = strnlen(part, count);
    text.append(part, length);
    if (length < count) return text;
    start += count;
  }
  return {};
}

std::string ElfFile::BuildId() const {
  for (const Section& section : sections_) {
    if (section.type != SHT_NOTE) continue;
    std::string id = BuildIdAt(section.offset, section.bytes);
    if (!id.empty()) return id;
  }
  for (uint32_t i = 0; i < segments_; i++) {
    Elf64_Phdr segment;
    if (segments_at_ > bytes_ || !Read(segments_at_ + i * sizeof segment, &segment, sizeof segment)) return {};
    if (segment.p_type != PT_NOTE) continue;
    std::string id = BuildIdAt(segment.p_offset, segment.p_filesz);
    if (!id.empty()) return id;
  }
  return {};
}

// Notes are a name, its length first, and content.
std::string ElfFile::BuildIdAt(uint64_t offset, uint64_t bytes) const {
  std::vector<char> notes(std::min(bytes, std::min(kMostNoteBytes, bytes_)));
  if (!Read(offset, notes.data(), notes.size())) return {};
  for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr note;
    memcpy(&note, notes.data() + at, sizeof note);
    size_t name = at + sizeof note;
    size_t content = name + Padded(note.n_namesz);
    size_t end = content + note.n_descsz;
    bool is_build_id = note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU;
    if (is_build_id && end <= notes.size() && note.n_descsz <= wire::kMaxBuildIdBytes &&
        memcmp(notes.data() + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0) {
      return std::string(notes.data() + content, note.n_descsz);
    }
    at = content + Padded(note.n_descsz);
  }
  return {};
}

}  // namespace heapray
