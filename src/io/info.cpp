#include "uplift/io/info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "info_parts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/frames.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/structure.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {
namespace {

using info::box_text;
using info::row;
using info::spacing;
using info::stage_text;

std::string range_of(const h5::Dataset& step, const h5::Dataset& time, std::uint64_t rows) {
  if (rows == 0) return "";
  const std::vector<double> times = time.read<double>(0, rows);
  return row("steps", fmt::format("{} to {}", step.read<std::int64_t>(0, 1)[0], step.read<std::int64_t>(rows - 1, 1)[0])) +
         row("time", fmt::format("{:g} to {:g} ps{}", times.front(), times.back(), spacing(times)));
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
    std::vector<double> times;
    for (std::uint64_t frame = 0; first.time && last.time && frame < frames; ++frame)
      times.push_back(reader->time(frame).value_or(0));
    const std::string every = spacing(times);
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

/// Where the rows of the last stage begin, and its name, by the stages.json beside the table; the first row where there is
/// none.
std::pair<std::uint64_t, std::string> last_stage(const h5::File& file, std::uint64_t rows) {
  std::ifstream in(std::filesystem::path(file.path()).parent_path() / "stages.json");
  const nlohmann::json all = nlohmann::json::parse(in, nullptr, false);
  if (!all.is_object() || !all.contains("stages") || !all["stages"].is_array()) return {0, ""};
  const std::vector<std::int64_t> steps = file.dataset("step").read<std::int64_t>(0, rows);
  for (auto s = all["stages"].rbegin(); s != all["stages"].rend(); ++s) {
    if (!s->is_object() || !s->contains("first_step") || !(*s)["first_step"].is_number_integer() || !s->contains("name") ||
        !(*s)["name"].is_string())
      continue;
    const auto first_step = (*s)["first_step"].get<std::int64_t>();
    const auto begin = std::upper_bound(steps.begin(), steps.end(), first_step);
    if (begin == steps.end()) continue;  // it has no rows yet
    return {steps[0] == first_step ? 0 : static_cast<std::uint64_t>(begin - steps.begin()), (*s)["name"]};
  }
  return {0, ""};
}

std::string describe_energies(const h5::File& file) {
  std::string text = "energy table\n" + provenance_rows(file);
  std::uint64_t rows = file.dataset("step").rows();
  std::vector<std::string> columns;
  for (const std::string& name : file.names())
    if (!file.is_group(name)) columns.push_back(name);
  if (file.contains("bias"))
    for (const std::string& name : file.open_group("bias").names()) columns.push_back("bias/" + name);
  for (const std::string& name : columns) rows = std::min(rows, file.dataset(name).rows());
  text += row("rows", std::to_string(rows)) + range_of(file.dataset("step"), file.dataset("time"), rows);
  if (rows == 0) return text;
  const auto [first, stage] = last_stage(file, rows);  // equilibration is not what is asked for
  const auto count = static_cast<double>(rows - first);
  if (!stage.empty()) text += row("averages", fmt::format("stage {}, {} rows", stage, rows - first));
  text += fmt::format("\n  {:<24}{:>18}{:>18}{:>18}\n", "column", "mean", "deviation", "last");
  for (const std::string& name : columns) {
    if (name == "step" || name == "time") continue;
    const h5::Dataset column = file.dataset(name);
    const std::vector<double> values = column.read<double>(first, rows - first);
    double mean = 0, squares = 0;
    for (double v : values) mean += v / count;
    for (double v : values) squares += (v - mean) * (v - mean) / count;
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
  if (file.contains("stages") && file.contains("parameters/version")) return info::exchanges(file);
  if (file.contains("pmf") && file.contains("collective_variables") && file.has("method")) return info::surface(file);
  std::string text = "HDF5 file, not one of uplift's; at its root:\n";
  for (const std::string& name : file.names()) text += "  " + name + "\n";
  return text;
} catch (const SimulationError& e) {
  throw InputError(e.what());  // HDF5 about the file that the user gave
}

std::string describe_checkpoint(const std::string& path) {
  const Checkpoint c = read_checkpoint(path);
  std::string text = "checkpoint\n" + row("written by", "uplift " + c.version);
  text += row("stage", stage_text(c));
  text += row("step", std::to_string(c.state.step)) + row("time", fmt::format("{:g} ps", c.state.time));
  text += row("atoms", std::to_string(c.state.x.size()));
  return text + row("box", c.state.box.periodic() ? box_text(c.state.box) : "none");
}

}  // namespace

std::string info::spacing(const std::vector<double>& times) {
  if (times.size() < 2) return "";
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (std::size_t k = 1; k < times.size(); ++k) {
    least = std::min(least, times[k] - times[k - 1]);
    most = std::max(most, times[k] - times[k - 1]);
  }
  const double mean = (times.back() - times.front()) / static_cast<double>(times.size() - 1);
  // Formats with times in float round those of long runs.
  const double rounding = 2.5e-7 * std::max(std::abs(times.front()), std::abs(times.back()));
  if (most - least <= 1e-3 * std::abs(mean) + rounding) return fmt::format(", every {:g} ps", mean);
  return fmt::format(", {:.4g} to {:.4g} ps apart, {:g} ps on average", least, most, mean);
}

std::string describe_file(const std::string& path, const SystemSettings& settings) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return path + ": " + info::run_directory(path);
  if (!std::filesystem::is_regular_file(path, failure)) throw InputError(path + ": no such file");
  std::ifstream in(path, std::ios::binary);
  std::string head(8, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(in.gcount()));
  if (head == "UPLIFTCP") return path + ": " + describe_checkpoint(path);
  if (head == "\x89HDF\r\n\x1a\n") return path + ": " + describe_h5(path);

  // Amber's text files have no signature that survives gzip: go by the name first, then try both readers.
  const std::string suffix = file_suffix(path);
  const auto is = [&](std::initializer_list<const char*> known) {
    return std::find(known.begin(), known.end(), suffix) != known.end();
  };
  if (is({"prmtop", "parm7", "top", "itp", "psf"}) || head.rfind("%VERSION", 0) == 0)
    return path + ": " + info::topology(path, settings);
  if (is_structure_file(path)) {
    if (!settings.forcefield.empty()) return path + ": " + info::topology(path, settings);
    std::string text = info::structure(path);
    // Times and boxes of a file of several models.
    if (is({"pdb"}) && !path.ends_with(".gz") && open_trajectory(path)->frames() > 1) text += describe_frames(path);
    return path + ": " + text;
  }
  if (is({"inpcrd", "rst7", "crd", "ncrst", "gro", "restrt"}) || (head.rfind("CDF", 0) == 0 && !is({"nc", "ncdf"})))
    return path + ": " + info::coordinates(path);
  if (is({"dcd", "xtc", "nc", "ncdf"})) return path + ": " + describe_frames(path);
  throw InputError(path +
                   ": not a kind of file that uplift knows (it reads .h5md, .h5, .upc, .prmtop, .parm7, .top, .psf, .inpcrd, "
                   ".rst7, .ncrst, .gro, .crd, .pdb, .cif, .dcd, .xtc and .nc); check the name");
}

}  // namespace uplift
