#pragma once
#include <cstddef>

namespace uplift {

/// A place in a container: numbers of atoms, residues and terms are int, and containers count by std::size_t.
constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace uplift
