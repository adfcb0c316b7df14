// Looks into the symbol table of the running executable, which knows more names than it exports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace heapray {

// Beginnings of the names that anybody here looks for. The table has a few hundred thousand others, and it is read
// while the program waits to start: most are told apart by a few bytes.
inline constexpr std::string_view kWantedSymbols[] = {
    "_ZN2v88internal15MemoryAllocator",
    "_ZN2v88internal9CodeRange",
    "_ZN2v88internal9SemiSpace",
    "_ZN2v88internal10PagedSpace",
    "_ZN2v88internal13ReadOnlySpace",
    "_ZN2v88internal12BackingStore",
    "_ZN2v88internal4wasm",
    "_ZN2v88internal4Heap",
    "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE",
    "Builtins_Allocate",
    "worker",
    "_ZN4node12_GLOBAL__N_1L20PlatformWorkerThreadEPv",
    "_ZN4node12_GLOBAL__N_120PlatformWorkerThreadEPv",
    "_ZZN4node6worker6Worker11StartThread",
};

// Begins to read the table, on a thread of its own: it is megabytes, and there is other work until it is needed.
void BeginReadingExecutableSymbols();

// Calls `visit(name, address, bytes)` for every defined symbol of the executable that is wanted, with run-time
// addresses; for none when the executable has no symbol table (it was stripped) or cannot be read. Reads the table
// unless that is done, or waits for who does.
void ForEachExecutableSymbol(const std::function<void(std::string_view, uint64_t, uint64_t)>& visit);

// Lets go of what was read.
void ForgetExecutableSymbols();

}  // namespace heapray
