#include "uplift/sampling/biased_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "run_files.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/replicas.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t frames_at_once = 64;
/// Boxes that were equilibrated each by itself differ by as much as a volume fluctuates: 1 to 2 % in a small one.
constexpr double most_wider = 0.05;

std::string trajectory_of(const std::string& run) {
  const std::string file = fs::is_directory(run) ? (fs::path(run) / "trajectory.h5md").string() : run;
  if (!fs::exists(file))
    throw InputError(
        run + ": " +
        (fs::exists(run) ? "holds no trajectory.h5md (was output.trajectory.every 0 ps?)" : "there is no such run") +
        "; name the output directory of a run");
  return file;
}

std::vector<Vec3d> positions(const std::vector<float>& flat, std::size_t frame, std::size_t atoms) {
  std::vector<Vec3d> x(atoms);
  for (std::size_t i = 0; i < atoms; ++i) {
    const float* r = flat.data() + 3 * (frame * atoms + i);
    x[i] = {static_cast<double>(r[0]), static_cast<double>(r[1]), static_cast<double>(r[2])};
  }
  return x;
}

/// Residues of all that is neither water nor a single atom: what runs that go together have in common.
std::vector<Residue> residues_in_common(const Topology& topology) {
  std::vector<Residue> residues;
  for (const Residue& r : topology.residues)
    if (r.atom_count > 1 && !is_water(topology, r)) residues.push_back(r);
  return residues;
}

/// They and their atoms.
std::string molecules_of(const Topology& topology) {
  std::string names;
  for (const Residue& r : residues_in_common(topology)) {
    names += (names.empty() ? "" : " ") + r.name + ":";
    for (int i = r.first_atom; i < r.first_atom + r.atom_count; ++i)
      names += topology.atoms[static_cast<std::size_t>(i)].name + ",";
  }
  return names;
}

/// Positions of all atoms from those of a system whose water and ions may be others, for which `own` stand.
std::vector<Vec3d> carried_over(const StoredSystem& from, const StoredSystem& own) {
  if (from.first.size() == own.first.size()) return from.first;
  std::vector<Vec3d> x = own.first;
  const std::vector<Residue> there = residues_in_common(from.topology), here = residues_in_common(own.topology);
  for (std::size_t r = 0; r < here.size(); ++r)
    std::copy_n(from.first.begin() + there[r].first_atom, here[r].atom_count, x.begin() + here[r].first_atom);
  return x;
}

/// A variable as it was given; by its name alone it is one that the run's own input defines.
std::string definition_of(const std::string& text, const h5::File& file) {
  if (text.find_first_of("(=") != std::string::npos || !file.contains("parameters/input")) return text;
  std::string known;
  for (const std::string& one : read_stored_input(file.dataset("parameters/input").read_text().at(0)).variables) {
    const std::string name(trim(std::string_view(one).substr(0, one.find('='))));
    if (name == trim(text)) return one;
    if (one.find('=') < one.find('(')) known += (known.empty() ? "" : ", ") + name;
  }
  throw InputError("variable '" + text + "': the input of " + file.path() + " defines none of this name (" +
                   (known.empty() ? "it has no free_energy with named variables" : "it has " + known) + "); write " + text +
                   "=dihedral(i,j,k,l) or another definition");
}

/// A run whose frames are wanted.
struct Source {
  std::string path, directory;
  std::vector<RunStage> stages;  ///< the wanted ones
  std::int64_t first_step = 0;   ///< of its first stage: the only one to which the frame at its first step belongs
};

/// What moved a stage of a run, over which steps.
struct Noise {
  std::string run;
  std::uint64_t seed = 0;
  std::int64_t first = 0, last = 0;
};

/// A trajectory's datasets but positions.
struct Frames {
  std::uint64_t count = 0;  ///< whole in all datasets
  std::vector<std::int64_t> steps;
  std::vector<double> edges;  ///< [frames][9]; empty without a box
  bool observed = false;      ///< boosts and energies are stored with the frames
  std::vector<double> of_dihedrals, of_total, dihedral, potential;
};

Frames read_frames(const h5::File& file, const h5::Dataset& position) {
  const h5::Group group = file.open_group("particles/trajectory");
  Frames f;
  f.steps = group.dataset("position/step").read<std::int64_t>();
  f.count = std::min<std::uint64_t>(position.rows(), f.steps.size());
  f.observed = file.contains("observables/boost_total/value");
  const auto observable = [&](const char* name) {
    std::vector<double> values = f.observed ? file.dataset(std::string("observables/") + name + "/value").read<double>()
                                            : std::vector<double>(f.count, 0.0);
    f.count = std::min<std::uint64_t>(f.count, values.size());
    return values;
  };
  f.of_dihedrals = observable("boost_dihedral");
  f.of_total = observable("boost_total");
  f.dihedral = observable("dihedral_energy");
  f.potential = observable("total_energy");
  if (group.contains("box/edges/value")) {
    f.edges = group.dataset("box/edges/value").read<double>();
    f.count = std::min<std::uint64_t>(f.count, f.edges.size() / 9);
  }
  if (f.count == 0) throw InputError(file.path() + ": holds no frames yet");
  f.steps.resize(f.count);
  return f;
}

class Reader {
 public:
  explicit Reader(const FrameRequest& request) : request_(request) {}

  BiasedFrames read() {
    find_sources();
    for (const Source& s : sources_) try {
        read_run(s);
      } catch (const SimulationError& e) {  // of HDF5, which sees only that bytes are not what they should be
        throw InputError(std::string(e.what()) + "; the file is damaged or is no trajectory of uplift");
      }
    frames_.series.push_back(frames_.size());
    refuse_copies();
    find_doubts();
    return std::move(frames_);
  }

 private:
  void find_sources() {
    std::set<std::string> known;
    for (const std::string& run : expand_replicas(request_.runs)) {
      Source s;
      s.path = trajectory_of(run);
      if (!known.insert(fs::weakly_canonical(s.path).string()).second)
        throw InputError(run + ": is named twice, and its frames would count as independent ones; name each run once");
      s.directory = fs::absolute(s.path).parent_path().string();
      std::vector<RunStage> all = run_stages(s.directory);
      if (!all.empty()) s.first_step = all.front().first;
      s.stages = wanted(run, std::move(all));
      for (const RunStage& stage : s.stages) {
        note(stage);
        note_noise(run, stage);
      }
      sources_.push_back(std::move(s));
    }
  }

  void note(const RunStage& stage) {
    if (stage.state.boosted && stage.state.bias.dihedral.on) conventions_.insert(stage.state.bias.convention);
    if (stage.pressure) pressures_.insert(*stage.pressure);
    if (pressures_.size() > 1)
      throw InputError(fmt::format(
          "the stages were at {:g} and at {:g} bar, and frames of different pressures are not put together; use --stage to "
          "choose",
          *pressures_.begin(), *pressures_.rbegin()));
    if (!stage.name.empty() && std::find(frames_.stages.begin(), frames_.stages.end(), stage.name) == frames_.stages.end())
      frames_.stages.push_back(stage.name);
    any_.restrained = any_.restrained || stage.restrained;
    any_.ramp = any_.ramp || stage.ramp;
    any_.constant_energy = any_.constant_energy || stage.constant_energy;
    constant_volume_ = constant_volume_ || !stage.pressure;
    if (any_.potential.empty()) any_.potential = stage.potential;
    if (!stage.potential.empty() && stage.potential != any_.potential) other_potential_ = stage.potential;
    if (any_.force_field.parameters.empty()) any_.force_field = stage.force_field;
    for (const std::string& kind : changed_parameters(any_.force_field, stage.force_field)) other_parameters_.insert(kind);
  }

  /// Noise goes by seed and step: two runs with the same are pushed the same way, wherever they began.
  void note_noise(const std::string& run, const RunStage& stage) {
    if (!stage.noise) return;
    for (const Noise& other : noises_)
      if (other.run != run && other.seed == *stage.noise && other.first < stage.last && stage.first < other.last &&
          same_noise_.empty())
        same_noise_ = fmt::format(
            "{} and {} have the same seed ({}), so that the same noise moves both: their frames are less independent than they "
            "are taken for, and errors may be larger than stated; give each run a dynamics.seed of its own",
            other.run, run, *stage.noise);
    noises_.push_back({run, *stage.noise, stage.first, stage.last});
  }

  /// Frames that two runs have in common would count twice. They are looked for at the last step that is in both, which no
  /// two runs begin at.
  void refuse_copies() const {
    const auto begin = [&](std::size_t n) { return frames_.step.begin() + static_cast<std::ptrdiff_t>(frames_.series[n]); };
    for (std::size_t n = 0; n < series_of_.size(); ++n)
      for (std::size_t other = 0; other < n; ++other) {
        const Source &a = sources_[series_of_[other]], &b = sources_[series_of_[n]];
        const std::int64_t step = std::min(*(begin(other + 1) - 1), *(begin(n + 1) - 1));
        if (&a == &b || step <= std::max(a.first_step, b.first_step)) continue;
        const auto i = std::lower_bound(begin(other), begin(other + 1), step),
                   j = std::lower_bound(begin(n), begin(n + 1), step);
        if (i == begin(other + 1) || j == begin(n + 1) || *i != step || *j != step) continue;
        if (frames_.value[static_cast<std::size_t>(i - frames_.step.begin())] !=
            frames_.value[static_cast<std::size_t>(j - frames_.step.begin())])
          continue;
        if (positions_at(a.path, step) == positions_at(b.path, step))
          throw InputError(fmt::format(
              "{} and {} have the same frames (a copy, or the same input with the same dynamics.seed), which would count as "
              "independent ones; name one of them, and give each run a seed of its own",
              a.path, b.path));
      }
  }

  static std::vector<float> positions_at(const std::string& path, std::int64_t step) {
    const h5::File file = h5::File::read(path);
    const h5::Group position = file.open_group("particles/trajectory/position");
    const auto steps = position.dataset("step").read<std::int64_t>();
    const auto frame = static_cast<std::uint64_t>(std::lower_bound(steps.begin(), steps.end(), step) - steps.begin());
    return position.dataset("value").read<float>(frame, 1);
  }

  void find_doubts() {
    const auto doubt = [&](bool is, std::string what) {
      if (is) frames_.doubts.push_back(std::move(what));
    };
    doubt(any_.restrained, "restraints held atoms in these stages: the surface is that of the restrained system");
    doubt(!same_noise_.empty(), same_noise_);
    doubt(any_.ramp, "the temperature changed while these stages ran: the surface is of no one temperature");
    doubt(any_.constant_energy,
          "these stages had no thermostat: reweighting is for frames at a temperature, not at constant energy");
    doubt(!pressures_.empty() && constant_volume_,
          "some of these stages were at constant pressure, others at constant volume, and frames of both are taken for one "
          "ensemble; use --stage to choose");
    const double wider = volumes_.empty() ? 0 : *volumes_.rbegin() / *volumes_.begin() - 1;
    doubt(
        wider > most_wider,
        fmt::format("these stages were at constant volumes which differ by {:.0f} % ({:.4g} and {:.4g} nm^3), and their frames "
                    "are taken for those of one; name runs in boxes of one size",
                    100 * wider, wider > 0 ? *volumes_.begin() : 0, wider > 0 ? *volumes_.rbegin() : 0));
    std::string kinds;
    for (const std::string& kind : other_parameters_) kinds += (kinds.empty() ? "" : ", ") + kind;
    doubt(!kinds.empty(), "the force fields of these runs differ (" + kinds +
                              "), and their frames are taken for those of one; name runs that have the same");
    doubt(
        !other_potential_.empty(),
        fmt::format("the potential of these stages differs ({}; {}), and their frames are taken for those of one; use --stage "
                    "to choose, or name runs that have the same",
                    any_.potential, other_potential_));
  }

  /// Stages of a run that are wanted.
  std::vector<RunStage> wanted(const std::string& run, std::vector<RunStage> all) const {
    if (all.empty()) {  // of a run before there was such a file
      all.emplace_back();
      all.back().last = std::numeric_limits<std::int64_t>::max();
      if (request_.stages.empty()) return all;
    }
    if (request_.stages.empty()) {
      const auto keep = [&](auto&& better) {
        if (std::any_of(all.begin(), all.end(), better)) std::erase_if(all, [&](const RunStage& s) { return !better(s); });
      };
      keep([](const RunStage& s) { return s.state.boosted && !s.state.updating; });
      keep([](const RunStage& s) { return s.exchanges; });
      keep([](const RunStage& s) { return !s.restrained; });  // equilibration, as a rule
      keep([](const RunStage& s) { return !s.ramp; });
      return all;
    }
    std::vector<RunStage> chosen;
    std::string names;
    for (const RunStage& s : all) names += (names.empty() ? "" : ", ") + s.name;
    for (const std::string& name : request_.stages) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const RunStage& s) { return s.name == name; });
      if (found == all.end()) throw InputError("--stage " + name + ": " + run + " has no such stage; it has " + names);
      const bool twice = std::any_of(chosen.begin(), chosen.end(), [&](const RunStage& s) { return s.name == name; });
      if (!twice) chosen.push_back(*found);
    }
    return chosen;
  }

  int state_number(const SampledState& state) {
    const auto found = std::find(frames_.states.begin(), frames_.states.end(), state);
    if (found == frames_.states.end()) frames_.states.push_back(state);
    return static_cast<int>(std::find(frames_.states.begin(), frames_.states.end(), state) - frames_.states.begin());
  }

  /// Replicas that exchange in a stage are beside each other.
  int ensemble_number(const Source& source, const RunStage& stage) {
    const std::pair key(fs::weakly_canonical(source.directory).parent_path().string(), stage.name);
    return ensembles_.emplace(key, static_cast<int>(ensembles_.size())).first->second;
  }

  void read_run(const Source& source) {
    const h5::File file = h5::File::read(source.path);
    if (!file.contains("particles/trajectory/position/value") || !file.contains("parameters/topology"))
      throw InputError(source.path + ": is no trajectory of uplift; name the output directory of a run");
    const h5::Dataset position = file.dataset("particles/trajectory/position/value");
    StoredSystem system = stored_system(file, source.directory);
    const h5::Shape shape = position.shape();
    const auto atoms = static_cast<std::size_t>(system.topology.size());
    if (shape.size() != 3 || shape[1] != atoms || shape[2] != 3)
      throw InputError(source.path + ": is damaged: its positions are not those of the " + std::to_string(atoms) +
                       " atoms of its topology");
    if (std::string molecules = molecules_of(system.topology); first_path_.empty()) {
      first_path_ = source.path;
      molecules_ = std::move(molecules);
    } else if (molecules != molecules_) {
      throw InputError(source.path + ": has other atoms than " + first_path_ +
                       " (water and ions left aside), so that their frames are not of one distribution; name runs of one "
                       "system, with the same output.trajectory.atoms");
    }
    const Frames frames = read_frames(file, position);
    system.first = positions(position.read<float>(0, 1), 0, atoms);
    // Against first frames of their own, runs that began elsewhere would have variables of their own.
    if (!first_run_) first_run_ = system;
    system.first = carried_over(*first_run_, system);
    system.frames = frames.count;
    system.beside = request_.beside;
    system.alone = sources_.size() == 1;
    variables_.clear();
    if (definitions_.empty())
      for (const std::string& text : request_.variables) definitions_.push_back(definition_of(text, file));
    for (const std::string& text : definitions_) variables_.push_back(make_collective_variable(text, system));
    if (frames_.axes.empty())
      for (const auto& v : variables_) frames_.axes.push_back({v->name, v->definition, v->unit, v->periodic});
    for (const RunStage& stage : source.stages) read_stage(source, stage, frames, position, atoms);
    if (&source == &sources_.front())
      frames_.temperature =
          std::max_element(source.stages.begin(), source.stages.end(), [](const RunStage& a, const RunStage& b) {
            return a.first < b.first;
          })->state.temperature;
  }

  /// Energies of the frames, as the boosts of all wanted stages see them.
  FrameEnergies energies_for(const Source& source, const RunStage& stage, const Frames& frames) const {
    const bool right = conventions_.empty() || (conventions_.size() == 1 && stage.convention == *conventions_.begin());
    if (frames.observed && right) return {frames.potential, frames.dihedral, std::vector<double>(frames.count, 0.0)};
    return energies_from_table(source.directory, frames.steps);
  }

  void read_stage(const Source& source, const RunStage& stage, const Frames& frames, const h5::Dataset& position,
                  std::size_t atoms) {
    if (stage.state.boosted && !frames.observed)
      throw InputError(source.path + ": stage " + stage.name +
                       " has a bias, and the file has no boost of its frames (observables)");
    const FrameEnergies energies = energies_for(source, stage, frames);
    const int state = state_number(stage.state);
    frames_.series.push_back(frames_.size());
    series_of_.push_back(static_cast<std::size_t>(&source - sources_.data()));
    frames_.ensembles.push_back(stage.exchanges ? ensemble_number(source, stage) : -1);
    const std::int64_t begin =
        stage.first + (stage.timestep > 0 ? static_cast<std::int64_t>(std::llround(request_.discard / stage.timestep)) : 0);
    std::vector<float> block;
    std::uint64_t loaded = frames.count;
    for (std::uint64_t f = 0; f < frames.count; ++f) {
      const std::int64_t step = frames.steps[f];
      const bool inside = step > stage.first || (source.first_step == stage.first && step == stage.first);
      if (!inside || step > stage.last || step < begin) continue;
      if (loaded == frames.count || f >= loaded + frames_at_once) {
        loaded = f;
        block = position.read<float>(f, std::min(frames_at_once, frames.count - f));
      }
      const double* e = frames.edges.empty() ? nullptr : frames.edges.data() + 9 * f;
      const Box box = e ? Box{{e[0], e[1], e[2]}, {e[3], e[4], e[5]}, {e[6], e[7], e[8]}} : Box{};
      add(source, stage, positions(block, static_cast<std::size_t>(f - loaded), atoms), box, f, step,
          frames.of_dihedrals[f] + frames.of_total[f]);
      frames_.state.push_back(state);
      frames_.potential.push_back(energies.potential[f]);
      frames_.dihedral.push_back(energies.dihedral[f]);
      frames_.cmap.push_back(energies.cmap[f]);
      if (!std::isfinite(energies.potential[f]) && frames_.without_energies.empty())
        frames_.without_energies = fmt::format("{}: the frame at step {}", source.path, step);
    }
    if (frames_.series.back() == frames_.size())
      throw InputError(source.path + ": has no frames of stage " + stage.name +
                       (request_.discard > 0 ? " beyond what --discard takes away" : "") +
                       "; let it run longer, or name another stage");
  }

  void add(const Source& source, const RunStage& stage, const std::vector<Vec3d>& x, const Box& box, std::size_t frame,
           std::int64_t step, double boost) {
    std::array<double, most_variables> value{};
    for (std::size_t k = 0; k < variables_.size(); ++k) {
      value[k] = variables_[k]->value(x, box, frame);
      if (!std::isfinite(value[k]))
        throw InputError(
            fmt::format("{}: {} is no number in the frame at step {}, so that the run blew up or the file is damaged; use the "
                        "stages before it, or run again",
                        source.path, variables_[k]->definition, step));
    }
    if (!std::isfinite(boost))
      throw InputError(
          fmt::format("{}: the boost of the frame at step {} is no number, so that the run blew up or the file is damaged; use "
                      "the stages before it, or run again",
                      source.path, step));
    frames_.value.push_back(value);
    frames_.boost.push_back(boost);
    frames_.work.push_back(stage.pressure ? *stage.pressure / constants::bar_per_kj_mol_nm3 * box.volume() : 0);
    frames_.step.push_back(step);
    if (!stage.pressure && box.periodic()) volumes_.insert(box.volume());
  }

  const FrameRequest& request_;
  std::vector<Source> sources_;
  std::string first_path_, molecules_;  ///< of the first run
  std::optional<StoredSystem> first_run_;
  std::vector<std::size_t> series_of_;  ///< [series] number of its source
  std::vector<Noise> noises_;           ///< of the stages so far
  std::string same_noise_;
  std::set<BiasConvention> conventions_;  ///< of dihedral boosts in wanted stages
  std::set<double> pressures_;            ///< [bar]
  bool constant_volume_ = false;          ///< one of the stages was
  std::set<double> volumes_;              ///< of these, with a box [nm^3]
  RunStage any_;                          ///< what is so of at least one of them; the first potential
  std::string other_potential_;
  std::set<std::string> other_parameters_;                        ///< kinds
  std::map<std::pair<std::string, std::string>, int> ensembles_;  ///< by the folder of the replicas, and stage
  std::vector<std::string> definitions_;                          ///< of the variables, the same for all runs
  std::vector<std::unique_ptr<CollectiveVariable>> variables_;
  BiasedFrames frames_;
};

}  // namespace

BiasedFrames read_biased_frames(const FrameRequest& request) { return Reader(request).read(); }

}  // namespace uplift
