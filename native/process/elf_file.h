// An ELF file of this machine's kind, read in parts with checked bounds, so that no file, damaged or changing, can do
// harm. Nothing is mapped: a file that is cut short meanwhile ends a read, not the process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/file_sinks.h"

namespace heapray {

class ElfFile {
 public:
  struct Section {
    uint32_t type;
    uint32_t link;
    uint64_t address;  // 0 where it is not loaded
    uint64_t offset;
    uint64_t bytes;
  };

  explicit ElfFile(const char* path);

  // Whether there is a regular file with an ELF header; one without sections is valid and has none.
  bool valid() const { return valid_; }
  const std::vector<Section>& sections() const { return sections_; }
  // The bytes of its build id; empty for none.
  std::string BuildId() const;

  // False where the file ends before.
  bool Read(uint64_t offset, void* out, size_t bytes) const;
  // The text that begins at `start` in a section; empty where there is none.
  std::string Text(const Section& section, uint64_t start) const;

 private:
  std::string BuildIdAt(uint64_t offset, uint64_t bytes) const;

  OwnedFd fd_;
  uint64_t bytes_ = 0;
  bool valid_ = false;
  uint64_t segments_at_ = 0;
  uint32_t segments_ = 0;
  std::vector<Section> sections_;
};

}  // namespace heapray
