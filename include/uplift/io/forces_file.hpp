#pragma once
// `uplift energy --forces FILE.h5`.
#include <span>
#include <string>

#include "uplift/io/energy_json.hpp"

namespace uplift {

/// /forces [N,3] float64 kJ/mol/nm, /positions [N,3] float64 nm (virtual sites placed). Root attributes as in the JSON: atoms,
/// precision, backend, units; groups /energies and /pme carry theirs as attributes. Throws SimulationError when it cannot be
/// written.
void write_forces_file(const std::string& path, const EnergyReport& report, std::span<const Vec3d> forces,
                       std::span<const Vec3d> positions);

}  // namespace uplift
