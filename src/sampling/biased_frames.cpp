#include "uplift/sampling/biased_frames.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "uplift/core/error.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/replicas.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t frames_at_once = 64;

std::string trajectory_of(const std::string& run) {
  const std::string file = fs::is_directory(run) ? (fs::path(run) / "trajectory.h5md").string() : run;
  if (!fs::exists(file))
    throw InputError(
        run + ": " +
        (fs::exists(run) ? "holds no trajectory.h5md (was output.trajectory.every 0 ps?)" : "there is no such run") +
        "; name the output directory of a run");
  return file;
}

struct Stage {
  std::string name;
  std::int64_t first = 0, last = 0;
  double timestep = 0;  ///< [ps]; 0: not known
  SampledState state;
  bool exchanges = false;
};

BoostParameters boost_of(const nlohmann::json& bias, const char* which) {
  if (!bias.contains(which)) return {};
  const auto& p = bias.at(which);
  return {true, p.at("threshold"), p.contains("alpha") ? p.at("alpha") : p.at("k")};
}

std::vector<Stage> stages_of(const std::string& directory) {
  const std::string file = (fs::path(directory) / "stages.json").string();
  std::ifstream in(file);
  if (!in) return {};
  std::vector<Stage> stages;
  try {
    const nlohmann::json all = nlohmann::json::parse(in);
    for (const auto& s : all.at("stages")) {
      Stage stage{s.at("name"), s.at("first_step"), s.at("last_step"), s.at("timestep"), {}, false};
      stage.state.temperature = s.at("temperature");
      stage.exchanges = s.value("exchange", false);
      if (const auto& bias = s.at("bias"); !bias.is_null()) {
        stage.state.boosted = true;
        stage.state.updating = bias.value("updating", false);
        stage.state.bias = {bias.at("method") == "gamd" ? BiasMethod::gamd : BiasMethod::amd,
                            bias.at("convention") == "namd" ? BiasConvention::namd : BiasConvention::amber,
                            boost_of(bias, "dihedral"), boost_of(bias, "total")};
      }
      stages.push_back(std::move(stage));
    }
  } catch (const nlohmann::json::exception& e) {
    throw InputError(file + ": is damaged (" + e.what() + "); uplift run writes it, and --resume writes it anew");
  }
  return stages;
}

/// The stored part of the topology: what selections and masses need.
StoredSystem stored_system(const h5::File& file, const std::string& directory) {
  StoredSystem s;
  s.directory = directory;
  const h5::Group t = file.open_group("parameters/topology");
  const std::vector<std::string> names = t.dataset("atom_name").read_text(), types = t.dataset("atom_type").read_text(),
                                 residues = t.dataset("residue_name").read_text(),
                                 chains = t.dataset("residue_chain").read_text();
  const auto element = t.dataset("atom_element").read<std::int32_t>(), residue = t.dataset("atom_residue").read<std::int32_t>(),
             number = t.dataset("residue_number").read<std::int32_t>();
  s.masses = t.dataset("mass").read<double>();
  for (std::size_t r = 0; r < residues.size(); ++r) {
    Residue one;
    one.name = residues[r];
    one.number = number[r];
    one.chain = chains[r];
    s.topology.residues.push_back(one);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    Atom a;
    a.name = names[i];
    a.type = types[i];
    a.element = element[i];
    a.mass = s.masses[i];
    a.residue = residue[i];
    Residue& own = s.topology.residues[static_cast<std::size_t>(residue[i])];
    if (own.atom_count++ == 0) own.first_atom = static_cast<int>(i);
    s.topology.atoms.push_back(a);
  }
  const auto bonds = file.dataset("connectivity/bonds").read<std::int32_t>();
  for (std::size_t b = 0; b + 1 < bonds.size(); b += 2) s.topology.bonds.push_back({bonds[b], bonds[b + 1]});
  return s;
}

std::vector<Vec3d> positions(const std::vector<float>& flat, std::size_t frame, std::size_t atoms) {
  std::vector<Vec3d> x(atoms);
  for (std::size_t i = 0; i < atoms; ++i) {
    const float* r = flat.data() + 3 * (frame * atoms + i);
    x[i] = {static_cast<double>(r[0]), static_cast<double>(r[1]), static_cast<double>(r[2])};
  }
  return x;
}

class Reader {
 public:
  explicit Reader(const FrameRequest& request) : request_(request) {}

  BiasedFrames read() {
    for (const std::string& run : expand_replicas(request_.runs)) read_run(run);
    frames_.series.push_back(frames_.size());
    check_energies();
    return std::move(frames_);
  }

 private:
  /// Between temperatures frames weigh by their energies.
  void check_energies() const {
    const bool several = std::any_of(frames_.states.begin(), frames_.states.end(), [&](const SampledState& s) {
      return s.temperature != frames_.states.front().temperature;
    });
    if (several && !without_energies_.empty())
      throw InputError(without_energies_ +
                       ": its frames have no energies (observables), which reweighting between the temperatures of these runs "
                       "needs; take runs of one temperature, or stages that exchange replicas or have a bias");
  }

  /// Stages of a run that are wanted.
  std::vector<Stage> wanted(const std::string& run, std::vector<Stage> all, std::int64_t last_step) const {
    if (all.empty()) all.push_back({"", 0, last_step, 0, {}, false});  // of a run before there was such a file
    if (request_.stages.empty()) {
      const bool biased =
          std::any_of(all.begin(), all.end(), [](const Stage& s) { return s.state.boosted && !s.state.updating; });
      std::erase_if(all, [&](const Stage& s) { return biased && (!s.state.boosted || s.state.updating); });
      const bool exchanged = std::any_of(all.begin(), all.end(), [](const Stage& s) { return s.exchanges; });
      std::erase_if(all, [&](const Stage& s) { return exchanged && !s.exchanges; });
      return all;
    }
    std::vector<Stage> chosen;
    std::string names;
    for (const Stage& s : all) names += (names.empty() ? "" : ", ") + s.name;
    for (const std::string& name : request_.stages) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const Stage& s) { return s.name == name; });
      if (found == all.end()) throw InputError("--stage " + name + ": " + run + " has no such stage; it has " + names);
      chosen.push_back(*found);
    }
    return chosen;
  }

  int state_number(const SampledState& state) {
    const auto found = std::find(frames_.states.begin(), frames_.states.end(), state);
    if (found == frames_.states.end()) frames_.states.push_back(state);
    return static_cast<int>(std::find(frames_.states.begin(), frames_.states.end(), state) - frames_.states.begin());
  }

  void read_run(const std::string& run) {
    const std::string path = trajectory_of(run);
    const std::string directory = fs::absolute(path).parent_path().string();
    const h5::File file = h5::File::read(path);
    if (!file.contains("particles/trajectory/position/value") || !file.contains("parameters/topology"))
      throw InputError(path + ": is no trajectory of uplift; name the output directory of a run");
    const h5::Group group = file.open_group("particles/trajectory");
    const h5::Dataset position = group.dataset("position/value");
    const auto atoms = static_cast<std::size_t>(position.shape()[1]);
    std::uint64_t count = std::min(position.rows(), group.dataset("position/step").rows());
    const bool periodic = group.contains("box/edges/value"), boosts = file.contains("observables/boost_total/value");
    const auto observable = [&](const char* name) {
      return boosts ? file.dataset(std::string("observables/") + name + "/value").read<double>()
                    : std::vector<double>(position.rows(), 0.0);
    };
    const std::vector<double> of_dihedrals = observable("boost_dihedral"), of_total = observable("boost_total"),
                              dihedral = observable("dihedral_energy"), potential = observable("total_energy");
    count = std::min<std::uint64_t>({count, of_dihedrals.size(), of_total.size(), dihedral.size(), potential.size()});
    if (count == 0) throw InputError(path + ": holds no frames yet");
    const auto steps = group.dataset("position/step").read<std::int64_t>();
    std::vector<double> edges;
    if (periodic) {
      edges = group.dataset("box/edges/value").read<double>();
      count = std::min<std::uint64_t>(count, edges.size() / 9);
    }

    if (!boosts) without_energies_ = path;
    StoredSystem system = stored_system(file, directory);
    system.first = positions(position.read<float>(0, 1), 0, atoms);
    std::vector<std::unique_ptr<CollectiveVariable>> variables;
    for (const std::string& text : request_.variables) variables.push_back(make_collective_variable(text, system));
    if (frames_.axes.empty())
      for (const auto& v : variables) frames_.axes.push_back({v->name, v->definition, v->unit, v->periodic});

    const std::vector<Stage> listed = stages_of(directory);
    for (const Stage& stage : wanted(run, listed, steps[static_cast<std::size_t>(count - 1)])) {
      if (stage.state.boosted && !boosts)
        throw InputError(path + ": stage " + stage.name + " has a bias, and the file has no boost of its frames (observables)");
      const bool first_of_all = listed.empty() || stage.first == listed.front().first;
      const int state = state_number(stage.state);
      frames_.series.push_back(frames_.size());
      const std::int64_t begin =
          stage.first + (stage.timestep > 0 ? static_cast<std::int64_t>(request_.discard / stage.timestep) : 0);
      std::vector<float> block;
      std::uint64_t loaded = count;
      for (std::uint64_t f = 0; f < count; ++f) {
        const std::int64_t step = steps[static_cast<std::size_t>(f)];
        const bool inside = step > stage.first || (first_of_all && step == stage.first);
        if (!inside || step > stage.last || step < begin) continue;
        if (loaded == count || f >= loaded + frames_at_once) {
          loaded = f;
          block = position.read<float>(f, std::min(frames_at_once, count - f));
        }
        const std::vector<Vec3d> x = positions(block, static_cast<std::size_t>(f - loaded), atoms);
        const double* e = periodic ? edges.data() + 9 * f : nullptr;
        const Box box = e ? Box{{e[0], e[1], e[2]}, {e[3], e[4], e[5]}, {e[6], e[7], e[8]}} : Box{};
        std::array<double, most_variables> value{};
        for (std::size_t k = 0; k < variables.size(); ++k) value[k] = variables[k]->value(x, box, static_cast<std::size_t>(f));
        const auto k = static_cast<std::size_t>(f);
        frames_.value.push_back(value);
        frames_.boost.push_back(of_dihedrals[k] + of_total[k]);
        frames_.potential.push_back(potential[k]);
        frames_.dihedral.push_back(dihedral[k]);
        frames_.step.push_back(step);
        frames_.state.push_back(state);
      }
      if (frames_.series.back() == frames_.size())
        throw InputError(path + ": has no frames of stage " + stage.name +
                         (request_.discard > 0 ? " beyond what --discard takes away" : "") +
                         "; let it run longer, or name another stage");
    }
  }

  const FrameRequest& request_;
  BiasedFrames frames_;
  std::string without_energies_;  ///< a trajectory whose frames have none
};

}  // namespace

BiasedFrames read_biased_frames(const FrameRequest& request) { return Reader(request).read(); }

}  // namespace uplift
