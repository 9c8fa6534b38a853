#pragma once
// A larger periodic system from copies of a small one: benchmarks of any size without files of that size.
#include <array>

#include "uplift/model/state.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// Puts copies[0] x copies[1] x copies[2] of the box side by side along a, b and c. The copies come one after the other in
/// memory, that of (i, j, k) as number (i * copies[1] + j) * copies[2] + k, the first at the place of the original. `state`
/// must be periodic and its molecules whole. Velocities are copied too, so that draw_velocities() should follow. The state's
/// memory of thermostat, barostat and pair list is dropped. Throws InputError without a box, for counts below one, and when
/// atoms could not be numbered by an int.
void replicate(System& system, State& state, const std::array<int, 3>& copies);

/// The counts, as alike as the shape of `box` allows, that bring a system of `atoms` atoms nearest to `wanted` (in ratio).
std::array<int, 3> copies_for(const Box& box, int atoms, double wanted);

}  // namespace uplift
