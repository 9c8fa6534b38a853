#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "formats.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

struct Ending {
  const char* text;
  TrajectoryFormat format;
};
constexpr Ending endings[] = {
    {".h5md", TrajectoryFormat::h5md},
    {".h5", TrajectoryFormat::h5md},
    {".dcd", TrajectoryFormat::dcd},
    {".xtc", TrajectoryFormat::xtc},
    {".nc", TrajectoryFormat::amber_netcdf},
    {".ncdf", TrajectoryFormat::amber_netcdf},
    {".pdb", TrajectoryFormat::pdb},
    {".rst7", TrajectoryFormat::amber_restart},
    {".inpcrd", TrajectoryFormat::amber_restart},
    {".ncrst", TrajectoryFormat::amber_netcdf_restart},
    {".gro", TrajectoryFormat::coordinates},
    {".crd", TrajectoryFormat::coordinates},
    {".cif", TrajectoryFormat::coordinates},
    {".mmcif", TrajectoryFormat::coordinates},
    {".upc", TrajectoryFormat::coordinates},
};

}  // namespace

TrajectoryFormat trajectory_format(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const Ending& ending : endings)
    if (name.ends_with(ending.text)) return ending.format;
  if (const std::filesystem::path inside = std::filesystem::path(path) / "trajectory.h5md"; std::filesystem::exists(inside))
    throw InputError(path + ": is the folder of a run; name the file in it, " + inside.string());
  throw InputError(
      path +
      ": its ending names no trajectory format that uplift knows; use .h5md, .dcd, .xtc, .nc, .pdb, .rst7, .inpcrd "
      "or .ncrst (to read also .gro, .crd, .cif, .upc)");
}

std::unique_ptr<FrameReader> open_trajectory(const std::string& path, const FrameReaderOptions& options) {
  const TrajectoryFormat format = trajectory_format(path);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw InputError(path + ": no such file");
  const bool one_frame = format == TrajectoryFormat::amber_restart || format == TrajectoryFormat::amber_netcdf_restart ||
                         format == TrajectoryFormat::coordinates;
  if (path.ends_with(".gz") && !one_frame)
    throw InputError(path + ": a compressed trajectory cannot be read frame by frame; unpack it first (gunzip)");
  switch (format) {
    case TrajectoryFormat::h5md:
      return open_h5md(path, options);
    case TrajectoryFormat::dcd:
      return open_dcd(path);
    case TrajectoryFormat::xtc:
      return open_xtc(path);
    case TrajectoryFormat::amber_netcdf:
      return open_amber_netcdf(path);
    case TrajectoryFormat::pdb:
      return open_pdb(path);
    case TrajectoryFormat::amber_restart:
    case TrajectoryFormat::amber_netcdf_restart:
    case TrajectoryFormat::coordinates:
      break;
  }
  return open_coordinates(path);
}

std::unique_ptr<FrameWriter> create_trajectory(const std::string& path, TrajectoryFormat format, const TrajectoryFrame& first,
                                               const FrameWriterOptions& options) {
  switch (format) {
    case TrajectoryFormat::h5md:
      return create_h5md(path, first, options);
    case TrajectoryFormat::dcd:
      return create_dcd(path, first, options);
    case TrajectoryFormat::xtc:
      return create_xtc(path, options);
    case TrajectoryFormat::amber_netcdf:
      return create_amber_netcdf(path, first, options);
    case TrajectoryFormat::pdb:
      return create_pdb(path, first, options);
    case TrajectoryFormat::amber_restart:
    case TrajectoryFormat::amber_netcdf_restart:
      return create_amber_restart(path, format, options);
    case TrajectoryFormat::coordinates:
      break;
  }
  throw InputError(path + ": files of this kind are read, not written; write .pdb, .rst7 or .ncrst");
}

Box cell_of(const Vec3d& a, const Vec3d& b, const Vec3d& c) {
  const Vec3d zero{0, 0, 0};
  if (a == zero && b == zero && c == zero) return {};
  for (const Vec3d& v : {a, b, c})
    if (!std::isfinite(dot(v, v))) throw InputError("its box is no numbers");
  const double tolerance = 1e-5 * std::sqrt(dot(a, a) + dot(b, b) + dot(c, c));
  if (std::abs(a.y) > tolerance || std::abs(a.z) > tolerance || std::abs(b.z) > tolerance)
    throw InputError(
        "its box does not have its first vector along x and its second in the xy plane, as every engine's files do; rotate the "
        "system first");
  if (!(a.x > 0 && b.y > 0 && c.z > 0)) throw InputError("its box spans no volume");
  return {{a.x, 0, 0}, {b.x, b.y, 0}, c};
}

Box cell_of_parameters(const Vec3d& lengths, const Vec3d& degrees) {
  if (lengths.x == 0 && lengths.y == 0 && lengths.z == 0) return {};
  return unreduced_box(lengths, constants::radians_per_degree * degrees);
}

std::string frame_name(std::uint64_t frame) { return "frame " + std::to_string(frame); }

System bare_system(Topology topology, std::vector<double> masses, std::vector<double> charges) {
  System system;
  const auto n = static_cast<std::size_t>(topology.size());
  masses.resize(n);
  charges.resize(n);
  system.topology = std::move(topology);
  system.masses = std::move(masses);
  system.force_field.charges = std::move(charges);
  system.molecules = find_molecules(system.topology, system.force_field);
  return system;
}

}  // namespace uplift
