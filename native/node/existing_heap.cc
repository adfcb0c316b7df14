#include "node/existing_heap.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "node/v8_heap.h"
#include "process/known_ranges.h"
#include "process/mappings.h"

namespace heapray {
namespace {

constexpr uint64_t kHeapPage = 256 * 1024;
// The isolate is one object, its heap a part of it.
constexpr uint64_t kIsolateBytes = 128 * 1024;

template <size_t kWords>
std::array<uint64_t, kWords> WordsAt(uint64_t address) {
  std::array<uint64_t, kWords> words{};
  V8Heap::CarefulCopy(address, words.data(), sizeof words);
  return words;
}

// A page begins with a header that leads to its heap: by itself, or by an object that tells of the page.
bool IsHeapPage(uint64_t page, uint64_t isolate) {
  auto is_heap = [&](uint64_t word) { return word >= isolate && word < isolate + kIsolateBytes; };
  for (uint64_t word : WordsAt<16>(page)) {
    if (is_heap(word)) return true;
    if (word < 4096 || word >> 47 != 0 || word % 8 != 0) continue;
    auto described = WordsAt<32>(word);
    // Which tells of this very page.
    bool names_page = std::any_of(described.begin(), described.end(),
                                  [&](uint64_t value) { return value >= page && value < page + kHeapPage; });
    if (names_page && std::any_of(described.begin(), described.end(), is_heap)) return true;
  }
  return false;
}

}  // namespace

void LearnExistingHeap(const v8::Isolate* isolate) {
  auto heap = reinterpret_cast<uint64_t>(isolate);
  auto owner = KnownRanges::Owner::kV8Heap;
  ForEachMapping([&](const Mapping& mapping) {
    if (mapping.is_file || !mapping.readable) return;
    uint64_t first = (mapping.begin + kHeapPage - 1) / kHeapPage * kHeapPage;
    // The heap that never changes belongs to no isolate.
    if (!mapping.writable && !mapping.executable && first == mapping.begin) {
      KnownRanges::Get().Set(mapping.begin, mapping.end, owner);
      return;
    }
    for (uint64_t page = first; page < mapping.end; page += kHeapPage) {
      if (IsHeapPage(page, heap)) KnownRanges::Get().Set(page, std::min(page + kHeapPage, mapping.end), owner);
    }
  });
}

}  // namespace heapray
