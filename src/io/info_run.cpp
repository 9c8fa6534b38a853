// `uplift info` of what a run leaves besides frames and energies, and of its whole folder.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "info_parts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/checkpoint.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/replicas.hpp"
#include "uplift/io/run_input.hpp"

namespace uplift::info {
namespace {

namespace fs = std::filesystem;

/// "step 500 (1 ps), stage 2, production".
std::string progress(const Checkpoint& c) {
  const std::string text = fmt::format("step {} ({:g} ps), stage {}", c.state.step, c.state.time, stage_text(c));
  const std::vector<StoredInput::Stage> stages = read_stored_input(c.input).stages;
  if (stages.size() <= static_cast<std::size_t>(c.stage)) return text;
  double all = 0;
  for (const StoredInput::Stage& stage : stages) all += stage.time;
  const double own = stages[static_cast<std::size_t>(c.stage)].time;
  // A minimisation that has begun is done.
  const bool done = static_cast<std::size_t>(c.stage) + 1 == stages.size() && c.begun &&
                    c.state.time > c.stage_time + own * (1 - 1e-9) - 1e-9;
  return text + (done ? "; finished" : fmt::format("; not finished, {:g} ps in all", all));
}

/// By the newest checkpoint that can be read, as --resume takes it.
std::string progress(const fs::path& directory) {
  const std::string newest = (directory / "checkpoint.upc").string(), previous = previous_checkpoint(newest);
  std::string damage;
  for (const std::string& file : {newest, previous}) {
    std::error_code error;
    if (!fs::exists(file, error)) continue;
    try {
      return (damage.empty() ? "" : damage + "; the one before it: ") + progress(read_checkpoint(file));
    } catch (const InputError& e) {
      std::string why = e.what();  // its advice is that of a run, which may have no other
      why.resize(std::min(why.find("; "), why.size()));
      if (why.starts_with(directory.string())) why.erase(0, (directory / "").string().size());
      damage += (damage.empty() ? "" : "; ") + why;
    }
  }
  return damage.empty() ? "no checkpoint" : damage + "; there is no other";
}

}  // namespace

std::string stage_text(const Checkpoint& c) {
  std::string text = fmt::format("{}, {}", c.stage + 1, c.stage_name);
  if (c.descent) return text + fmt::format(", after {} steps of its minimisation", c.descent->steps);
  return c.begun ? text : text + ", not begun";
}

std::string exchanges(const h5::File& file) {
  std::string text = "replica exchanges\n";
  for (const std::string& name : file.open_group("stages").names()) {
    const h5::Group stage = file.open_group("stages/" + name);
    const std::vector<double> kelvin = stage.dataset("temperature").read<double>();
    const std::size_t pairs = kelvin.empty() ? 0 : kelvin.size() - 1;
    std::uint64_t rows = stage.dataset("accepted").rows();
    for (const char* column : {"step", "time", "potential", "walker"}) rows = std::min(rows, stage.dataset(column).rows());
    text += row("stage", name) + row("temperatures", std::to_string(kelvin.size())) + row("attempts", std::to_string(rows));
    if (rows == 0) continue;
    const std::vector<double> times = stage.dataset("time").read<double>(0, rows);
    text += row("time", fmt::format("{:g} to {:g} ps{}", times.front(), times.back(), spacing(times)));
    const std::vector<std::int32_t> accepted = stage.dataset("accepted").read<std::int32_t>(0, rows);
    if (accepted.size() != rows * pairs)
      throw InputError(file.path() + ": stage " + name + " has not as many pairs as temperatures");
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      std::int64_t tried = 0, taken = 0;
      for (std::size_t k = pair; k < accepted.size(); k += pairs) {
        tried += accepted[k] >= 0;
        taken += accepted[k] > 0;
      }
      text += fmt::format("  {:g} K and {:g} K: {} of {} accepted\n", kelvin[pair], kelvin[pair + 1], taken, tried);
    }
  }
  return text;
}

std::string surface(const h5::File& file) {
  std::string text = "free-energy surface\n";
  for (const std::string& name : file.open_group("collective_variables").names()) {
    const h5::Group axis = file.open_group("collective_variables/" + name);
    text += row("variable",
                fmt::format("{}{}, {} bins", axis.text("name"), axis.text("unit").empty() ? "" : " [" + axis.text("unit") + "]",
                            axis.dataset("centers").rows()));
  }
  text += row("method", file.text("method")) + row("temperature", fmt::format("{:g} K", file.number("temperature")));
  text += row("frames", fmt::format("{:g}, worth {:.4g} without a boost or correlation", file.number("frames"),
                                    file.number("effective_sample_size")));
  if (const std::string warnings = file.text("warnings"); !warnings.empty()) text += row("warnings", warnings);
  return text;
}

std::string run_directory(const std::string& path) {
  const fs::path directory(path);
  const std::vector<ReplicaEntry> replicas = read_replicas(path);
  std::string text;
  if (!replicas.empty()) {
    text = fmt::format("run of {} replicas\n", replicas.size());
    for (const ReplicaEntry& r : replicas) text += row(r.directory.c_str(), progress(directory / r.directory));
  } else if (fs::exists(directory / "run.log")) {
    text = "run\n" + row("checkpoint", progress(directory));
  } else {
    throw InputError(path + ": a folder, and no run is in it; give the name of a file");
  }
  std::string files;
  for (const char* name : {"trajectory.h5md", "energies.h5", "exchange.h5", "amd.log", "report.html"})
    if (fs::exists(directory / name)) files += (files.empty() ? "" : ", ") + std::string(name);
  return text + row("files", files.empty() ? "none yet" : files);
}

}  // namespace uplift::info
