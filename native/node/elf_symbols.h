// Looks into the symbol table of the running executable, which knows more names than it exports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace heapray {

// Calls `visit(name, address, bytes)` for every defined symbol of the executable, with run-time addresses.
// Returns false when the executable has no symbol table (it was stripped) or cannot be read.
bool ForEachExecutableSymbol(const std::function<void(std::string_view, uint64_t, uint64_t)>& visit);

}  // namespace heapray
