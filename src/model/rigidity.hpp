#pragma once
// Which distances between atoms follow from others that are held: five atoms have nine that are free to choose, of ten.
#include <span>
#include <utility>
#include <vector>

namespace uplift {

/// For each pair whether its distance follows from those before it, for atoms in general positions. Only groups that are held
/// by more distances than a rigid body needs, and have at most a hundred atoms, are looked at.
std::vector<char> follows_from_others(std::span<const std::pair<int, int>> held);

}  // namespace uplift
