#include "stacks/native_symbols.h"

#include <elf.h>

#include <algorithm>
#include <vector>

#include "process/elf_file.h"

namespace heapray {
namespace {

constexpr size_t kSymbolsPerRead = 8192;

// A symbol that begins at or below an address, as near as any seen.
struct Nearest {
  uint64_t value = 0;
  uint64_t end = 0;
  uint32_t name = 0;
  bool global = false;
  bool found = false;

  // Of several names of one place, the first that other modules see.
  void Offer(const Nearest& other) {
    if (found && (other.value < value || (other.value == value && (!other.global || global)))) return;
    *this = other;
  }
};

struct Wanted {
  uint64_t address = 0;  // within the call
  std::vector<uint32_t> frames;
  Nearest sized;
  Nearest unsized;  // a label, which names what follows it up to the next symbol
  bool named = false;
};

using WantedAddresses = std::vector<Wanted>;

void OfferSymbols(const Elf64_Sym* symbols, size_t count, const std::vector<ElfFile::Section>& sections,
                  WantedAddresses& wanted) {
  for (const Elf64_Sym* symbol = symbols; symbol < symbols + count; symbol++) {
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (type != STT_FUNC && type != STT_NOTYPE && type != STT_GNU_IFUNC) continue;
    if (symbol->st_shndx >= sections.size() || sections[symbol->st_shndx].address == 0) continue;
    const ElfFile::Section& section = sections[symbol->st_shndx];
    uint64_t section_end = section.address + section.bytes;
    if (symbol->st_value < section.address || symbol->st_value >= section_end) continue;
    // Offered to the first address above it only; Spread tells those after it.
    auto first = std::lower_bound(wanted.begin(), wanted.end(), symbol->st_value,
                                  [](const Wanted& w, uint64_t value) { return w.address < value; });
    if (first == wanted.end()) continue;
    uint64_t end = section_end;
    if (symbol->st_size != 0 && symbol->st_size < section_end - symbol->st_value) {
      end = symbol->st_value + symbol->st_size;
    }
    bool global = ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL;
    (symbol->st_size == 0 ? first->unsized : first->sized)
        .Offer({symbol->st_value, end, symbol->st_name, global, true});
  }
}

void Spread(WantedAddresses& wanted) {
  for (size_t i = 1; i < wanted.size(); i++) {
    if (wanted[i - 1].sized.found) wanted[i].sized.Offer(wanted[i - 1].sized);
    if (wanted[i - 1].unsized.found) wanted[i].unsized.Offer(wanted[i - 1].unsized);
  }
}

// The symbol that holds the address, if any.
const Nearest* SymbolOf(const Wanted& w) {
  if (w.sized.found && w.address < w.sized.end) return &w.sized;
  bool after = w.unsized.found && (!w.sized.found || w.unsized.value > w.sized.value);
  return after && w.address < w.unsized.end ? &w.unsized : nullptr;
}

// Writes what the file's table of this type tells of the addresses that have no name yet.
bool WriteFrom(const ElfFile& file, uint32_t table_type, WantedAddresses& wanted, RecordWriter& writer,
               StackTree& tree) {
  const std::vector<ElfFile::Section>& sections = file.sections();
  auto table = std::find_if(sections.begin(), sections.end(), [&](const auto& s) { return s.type == table_type; });
  if (table == sections.end() || table->link >= sections.size() || table->offset > UINT64_MAX - table->bytes)
    return true;
  std::vector<Elf64_Sym> symbols(kSymbolsPerRead);
  uint64_t left = table->bytes / sizeof(Elf64_Sym);
  for (uint64_t offset = table->offset; left > 0;) {
    size_t count = std::min<uint64_t>(kSymbolsPerRead, left);
    // A table that the file does not hold to its end is no table.
    if (!file.Read(offset, symbols.data(), count * sizeof(Elf64_Sym))) return true;
    OfferSymbols(symbols.data(), count, sections, wanted);
    offset += count * sizeof(Elf64_Sym);
    left -= count;
  }
  Spread(wanted);
  for (Wanted& w : wanted) {
    const Nearest* symbol = SymbolOf(w);
    std::string name = symbol == nullptr ? "" : file.Text(sections[table->link], symbol->name);
    if (name.empty()) continue;
    w.named = true;
    uint32_t id = tree.String(name);
    for (uint32_t frame : w.frames) {
      if (!writer.Symbol(frame, id)) return false;
    }
  }
  // The next table is about the rest.
  std::erase_if(wanted, [](const Wanted& w) { return w.named; });
  for (Wanted& w : wanted) w.sized = w.unsized = Nearest();
  return true;
}

WantedAddresses WantedOf(std::vector<const NativeFrameAddress*> frames) {
  std::sort(frames.begin(), frames.end(), [](const auto* a, const auto* b) { return a->address < b->address; });
  WantedAddresses wanted;
  for (const NativeFrameAddress* frame : frames) {
    if (frame->address == 0) continue;
    // A return address may be the next function's first, where a call does not return.
    uint64_t address = frame->address - 1;
    if (wanted.empty() || wanted.back().address != address) wanted.emplace_back().address = address;
    wanted.back().frames.push_back(frame->frame);
  }
  return wanted;
}

}  // namespace

bool EmbedSymbols(RecordWriter& writer, StackTree& tree, std::span<const NativeModule> modules,
                  std::span<const NativeFrameAddress> frames) {
  std::vector<std::vector<const NativeFrameAddress*>> by_module(modules.size());
  for (const NativeFrameAddress& frame : frames) {
    if (frame.module >= 1 && frame.module <= modules.size()) by_module[frame.module - 1].push_back(&frame);
  }
  for (size_t i = 0; i < modules.size(); i++) {
    WantedAddresses wanted = WantedOf(std::move(by_module[i]));
    // Not every module has a file: the kernel's linux-vdso.so.1 has none.
    if (wanted.empty() || modules[i].path.empty() || modules[i].path[0] != '/') continue;
    ElfFile file(modules[i].path.c_str());
    if (!file.valid() || file.BuildId() != modules[i].build_id) continue;
    for (uint32_t table : {SHT_SYMTAB, SHT_DYNSYM}) {
      if (!WriteFrom(file, table, wanted, writer, tree)) return false;
    }
  }
  return true;
}

}  // namespace heapray
