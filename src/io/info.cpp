#include "uplift/io/info.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/frames.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {
namespace {

std::string box_text(const Box& box) {
  Vec3d lengths{}, angles{};
  box_parameters(box, lengths, angles);
  const double degrees = 180 / constants::pi;
  return fmt::format("{:.5f} x {:.5f} x {:.5f} nm, angles {:.3f} {:.3f} {:.3f} degrees, volume {:.4f} nm^3", lengths.x,
                     lengths.y, lengths.z, angles.x * degrees, angles.y * degrees, angles.z * degrees, box.volume());
}

std::string row(const char* name, const std::string& value) { return fmt::format("  {:<14}{}\n", name, value); }

std::string range_of(const h5::Dataset& step, const h5::Dataset& time, std::uint64_t rows) {
  if (rows == 0) return "";
  const double first = time.read<double>(0, 1)[0], last = time.read<double>(rows - 1, 1)[0];
  std::string text =
      row("steps", fmt::format("{} to {}", step.read<std::int64_t>(0, 1)[0], step.read<std::int64_t>(rows - 1, 1)[0]));
  text +=
      row("time", fmt::format("{:g} to {:g} ps{}", first, last,
                              rows > 1 ? fmt::format(", every {:g} ps", (last - first) / static_cast<double>(rows - 1)) : ""));
  return text;
}

std::string provenance_rows(const h5::Group& root) {
  std::string text;
  if (root.contains("parameters/title")) text += row("title", root.dataset("parameters/title").read_text().at(0));
  if (root.contains("parameters/version"))
    text += row("written by", "uplift " + root.dataset("parameters/version").read_text().at(0));
  return text;
}

/// Any trajectory, through the reader that `uplift convert` uses: units are known there.
std::string describe_frames(const std::string& path) {
  const std::unique_ptr<FrameReader> reader = open_trajectory(path);
  const std::uint64_t frames = reader->frames();
  std::string text = row("atoms", std::to_string(reader->atoms())) + row("frames", std::to_string(frames));
  TrajectoryFrame first, last;
  if (frames > 0) {
    reader->read(0, first);
    reader->read(frames - 1, last);
    if (first.step) text += row("steps", fmt::format("{} to {}", *first.step, *last.step));
    const std::string every = first.time && last.time && frames > 1
                                  ? fmt::format(", every {:g} ps", (*last.time - *first.time) / static_cast<double>(frames - 1))
                                  : "";
    text +=
        row("time", first.time && last.time ? fmt::format("{:g} to {:g} ps{}", *first.time, *last.time, every) : "not known");
  }
  text += row("quantities", reader->quantities());
  text += row(frames > 0 && first.box.periodic() ? "box, first" : "box",
              frames > 0 && first.box.periodic() ? box_text(first.box) : "none");
  if (frames > 1 && last.box.periodic()) text += row("box, last", box_text(last.box));
  for (const std::string& note : reader->notes()) text += row("note", note);
  return reader->format() + "\n" + text;
}

std::string describe_trajectory(const h5::File& file) {
  std::string text = describe_frames(file.path());
  text.insert(text.find('\n') + 1, provenance_rows(file));
  if (file.contains("particles/trajectory/position/value"))
    if (const int level = file.dataset("particles/trajectory/position/value").deflate_level(); level > 0)
      text += row("compression", fmt::format("deflate {} with shuffle", level));
  if (file.contains("parameters/topology/residue_name"))
    text += row("residues", std::to_string(file.dataset("parameters/topology/residue_name").rows()));
  if (file.contains("connectivity/bonds")) text += row("bonds", std::to_string(file.dataset("connectivity/bonds").rows()));
  return text;
}

std::string describe_energies(const h5::File& file) {
  std::string text = "energy table\n" + provenance_rows(file);
  std::uint64_t rows = file.dataset("step").rows();
  std::vector<std::string> columns;
  for (const std::string& name : file.names()) {
    if (file.is_group(name)) continue;
    columns.push_back(name);
    rows = std::min(rows, file.dataset(name).rows());
  }
  text += row("rows", std::to_string(rows)) + range_of(file.dataset("step"), file.dataset("time"), rows);
  if (rows == 0) return text;
  text += fmt::format("\n  {:<24}{:>18}{:>18}{:>18}\n", "column", "mean", "deviation", "last");
  for (const std::string& name : columns) {
    if (name == "step" || name == "time") continue;
    const h5::Dataset column = file.dataset(name);
    const std::vector<double> values = column.read<double>(0, rows);
    double mean = 0, squares = 0;
    for (double v : values) mean += v / static_cast<double>(rows);
    for (double v : values) squares += (v - mean) * (v - mean) / static_cast<double>(rows);
    text += fmt::format("  {:<24}{:>18.6g}{:>18.6g}{:>18.6g}  {}\n", name, mean, std::sqrt(squares), values.back(),
                        column.has("unit") ? column.text("unit") : "");
  }
  return text;
}

std::string describe_forces(const h5::File& file) {
  std::string text = "forces of a single point\n" + row("atoms", std::to_string(file.dataset("forces").rows()));
  for (const char* name : {"precision", "backend"})
    if (file.has(name)) text += row(name, file.text(name));
  if (file.contains("energies") && file.open_group("energies").has("potential"))
    text += row("potential", fmt::format("{:.6f} kJ/mol", file.open_group("energies").number("potential")));
  return text;
}

std::string describe_h5(const std::string& path) try {
  const h5::File file = h5::File::read(path);
  if (file.contains("h5md") && file.contains("particles")) return describe_trajectory(file);
  if (file.contains("step") && file.contains("potential")) return describe_energies(file);
  if (file.contains("forces") && file.contains("positions")) return describe_forces(file);
  std::string text = "HDF5 file, not one of uplift's; at its root:\n";
  for (const std::string& name : file.names()) text += "  " + name + "\n";
  return text;
} catch (const SimulationError& e) {
  throw InputError(e.what());  // HDF5 about the file that the user gave
}

std::string describe_topology(const std::string& path) {
  SystemSettings settings;
  settings.topology = path;
  const TopologyFile file = read_topology(settings);
  const Topology& topology = file.topology;
  const ForceField& ff = file.force_field;
  int waters = 0, sites = 0;
  double charge = 0, mass = 0;
  std::map<std::string, int> names;
  for (const Residue& residue : topology.residues) {
    if (is_water(topology, residue)) ++waters;
    ++names[residue.name];
  }
  for (const Atom& atom : topology.atoms) mass += atom.mass;
  for (double q : ff.charges) charge += q;
  sites = static_cast<int>(ff.virtual_sites.size());
  std::string text = file.kind + "\n";
  if (!topology.title.empty()) text += row("title", topology.title);
  text += row("atoms",
              sites ? fmt::format("{}, {} of them virtual sites", topology.size(), sites) : std::to_string(topology.size()));
  text += row("residues", fmt::format("{}, {} of them water", topology.residues.size(), waters));
  text += row("total charge", fmt::format("{:.6f} e", charge));
  text += row("total mass", fmt::format("{:.3f} Da", mass));
  text += row("bonds", std::to_string(ff.bonds.size()));
  text += row("angles", std::to_string(ff.angles.size()));
  text += row("dihedrals", std::to_string(ff.dihedrals.size()));
  const auto optional_row = [&](const char* name, std::size_t count) {
    if (count) text += row(name, std::to_string(count));
  };
  optional_row("impropers", ff.impropers.size());
  optional_row("Urey-Bradley", ff.urey_bradleys.size());
  optional_row("CMAP", ff.cmaps.size());
  optional_row("1-4 pairs", ff.pairs14.size());
  text += row("LJ types", std::to_string(ff.lj_types));
  text += row("GB radii", ff.gb.empty() ? "no" : "yes");
  if (file.box) text += row("box", box_text(*file.box));
  std::string kinds;
  for (const auto& [name, count] : names) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, name);
  return text + row("kinds", kinds);
}

std::string describe_checkpoint(const std::string& path) {
  const Checkpoint c = read_checkpoint(path);
  std::string text = "checkpoint\n" + row("written by", "uplift " + c.version);
  text += row("stage", fmt::format("{}, {}{}", c.stage + 1, c.stage_name, c.begun ? "" : ", not begun"));
  text += row("step", std::to_string(c.state.step)) + row("time", fmt::format("{:g} ps", c.state.time));
  text += row("atoms", std::to_string(c.state.x.size()));
  return text + row("box", c.state.box.periodic() ? box_text(c.state.box) : "none");
}

std::string describe_coordinates(const std::string& path) {
  const Coordinates coordinates = read_coordinates(path);
  std::string text = coordinates.kind + "\n" + row("atoms", std::to_string(coordinates.x.size()));
  text += row("time", fmt::format("{:g} ps", coordinates.time));
  text += row("velocities", coordinates.v.empty() ? "no" : "yes");
  return text + row("box", coordinates.box ? box_text(*coordinates.box) : "none");
}

}  // namespace

std::string describe_file(const std::string& path) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure)) throw InputError(path + ": no such file");
  std::ifstream in(path, std::ios::binary);
  std::string head(8, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  if (head == "UPLIFTCP") return path + ": " + describe_checkpoint(path);
  if (head == "\x89HDF\r\n\x1a\n") return path + ": " + describe_h5(path);

  // Amber's text files have no signature that survives gzip: go by the name first, then try both readers.
  const std::string suffix = file_suffix(path);
  const bool topology =
      suffix == "prmtop" || suffix == "parm7" || suffix == "top" || suffix == "itp" || head.rfind("%VERSION", 0) == 0;
  const bool coordinates = suffix == "inpcrd" || suffix == "rst7" || suffix == "crd" || suffix == "ncrst" || suffix == "gro" ||
                           suffix == "restrt" || (head.rfind("CDF", 0) == 0 && suffix != "nc" && suffix != "ncdf");
  if (topology) return path + ": " + describe_topology(path);
  if (coordinates) return path + ": " + describe_coordinates(path);
  for (const char* known : {"dcd", "xtc", "nc", "ncdf", "pdb"})
    if (suffix == known) return path + ": " + describe_frames(path);
  throw InputError(path +
                   ": not a kind of file that uplift knows (it reads .h5md, .h5, .upc, .prmtop, .parm7, .top, .inpcrd, .rst7, "
                   ".gro, .dcd, .xtc, .nc and .pdb); check the name");
}

}  // namespace uplift
