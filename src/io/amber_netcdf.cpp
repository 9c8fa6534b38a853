// NetCDF restart files (AMBERRESTART convention 1.0, ambermd.org/netcdf/nctraj).
#include "amber_netcdf.hpp"

#include <cmath>

#include "netcdf_classic.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr double largest_coordinate = 1e7;  ///< [A or A/ps]
std::vector<Vec3d> vectors(const NetcdfClassic& file, const std::string& name, std::size_t atoms, double unit) {
  const auto values = file.values(name, {atoms, 3});
  std::vector<Vec3d> out(atoms);
  for (std::size_t i = 0; i < atoms; ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      if (!(std::abs(values[3 * i + c]) <= largest_coordinate))
        file.fail("has '" + name + "' of atom " + std::to_string(i + 1) + " that are no numbers within bounds");
    out[i] = {values[3 * i] * unit, values[3 * i + 1] * unit, values[3 * i + 2] * unit};
  }
  return out;
}

}  // namespace

Coordinates read_netcdf_restart(const std::string& path, std::string_view bytes) {
  const NetcdfClassic file(path, bytes);
  const auto convention = file.texts().find("Conventions");
  if (convention == file.texts().end() || convention->second.find("AMBERRESTART") == std::string::npos)
    file.fail(convention != file.texts().end() && convention->second.find("AMBER") != std::string::npos
                  ? "is a trajectory (convention AMBER), of which no frame is chosen; `uplift convert` takes one out"
                  : "does not follow the AMBERRESTART convention");
  const auto atoms = file.dimension("atom"), spatial = file.dimension("spatial");
  if (!atoms || *atoms == 0 || !spatial || *spatial != 3) file.fail("has no dimensions 'atom' and 'spatial' = 3");
  Coordinates out;
  out.x = vectors(file, "coordinates", *atoms, constants::nm_per_angstrom);
  // With Amber's scale_factor of 20.455 applied, velocities are in A/ps.
  if (file.has("velocities")) out.v = vectors(file, "velocities", *atoms, constants::nm_per_angstrom);
  if (file.has("time")) {
    out.time = file.values("time", {})[0];
    if (!std::isfinite(out.time)) file.fail("has a time that is not a number");
  }
  if (file.has("cell_lengths")) {
    auto cell = file.values("cell_lengths", {3});
    const auto angles = file.has("cell_angles") ? file.values("cell_angles", {3}) : std::vector<double>{90, 90, 90};
    cell.insert(cell.end(), angles.begin(), angles.end());
    for (double value : cell)
      if (!(std::abs(value) <= largest_coordinate)) file.fail("has a cell that is no numbers within bounds");
    if (cell[0] != 0 || cell[1] != 0 || cell[2] != 0) {
      try {
        out.box = box_from_angstrom(cell);
      } catch (const InputError& e) {
        throw InputError(path + ": " + e.what());
      }
      out.box_angles_given = file.has("cell_angles");
    }
  }
  return out;
}

}  // namespace uplift
