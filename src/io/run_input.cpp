#include "uplift/io/run_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "run_input_parts.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/gromacs.hpp"
#include "uplift/io/structure.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {
namespace {

using yaml::Block;
using yaml::CheckedInput;
using yaml::Problems;
using yaml::Values;
namespace fs = std::filesystem;

constexpr std::size_t largest_file = 1 << 20;

bool is_multiple(double interval, double step) {
  const double n = interval / step;
  // Both come from decimal text, so that n is off by a few roundings; a thousandth of a step would be the user's own doing.
  return std::round(n) >= 1 && std::abs(n - std::round(n)) <= 1e-6 + 1e-15 * n;
}

std::string nearest_multiple(double interval, double step) {
  return fmt::format("{:.12g} ps", std::max(1.0, std::round(interval / step)) * step);
}

class InputBuilder {
 public:
  InputBuilder(const std::string& path, const CheckedInput& checked, Problems& problems, InputUse use)
      : checked_(checked), problems_(problems), top_(checked.top, nullptr, problems), use_(use) {
    in_.file = path;
    // A pipe is in no folder.
    std::error_code error;
    folder_ = fs::is_fifo(path, error) ? fs::current_path(error) : fs::path(path).parent_path();
  }

  RunInput build() {
    in_.title = top_.text("title");
    read_system();
    in_.forces = yaml::read_forces(top_);
    in_.dynamics = yaml::read_dynamics(top_);
    read_output();
    read_compute();
    if (checked_.stages.empty()) read_levels(top_, in_.forces, false, in_.dynamics);
    for (const Block& stage : checked_.stages) read_stage(stage);
    check_strides();
    refuse_idle_keys();
    read_replicas();
    in_.free_energies = yaml::read_free_energies(top_, in_.stages, in_.output);
    if (use_ == InputUse::run)
      if (const std::string problem = overwritten_by_run(in_); !problem.empty()) top_.problem("output.directory", problem);
    return std::move(in_);
  }

 private:
  /// Paths are relative to the input file, wherever the program is started. No shell has seen a ~ in a file.
  std::string resolve(fs::path given) const {
    std::error_code error;
    if (const char* home = std::getenv("HOME"); home && !given.empty() && *given.begin() == "~")
      given = fs::path(home) / given.lexically_relative("~");
    const fs::path whole = given.is_relative() ? folder_ / given : given;
    return fs::absolute(whole, error).lexically_normal().string();
  }

  std::string existing_file(const std::string& key) {
    if (!top_.given(key)) return {};
    const std::string file = resolve(top_.text(key));
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (fs::is_directory(status))
      top_.problem(key, quoted_path(file) + " is a directory; name a file in it");
    else if (!fs::exists(status))
      top_.problem(key, "there is no file " + quoted_path(file) + " (paths are relative to the input file)");
    return file;
  }
  static std::string quoted_path(const std::string& path) { return "'" + path + "'"; }

  void read_system() {
    in_.system.topology = existing_file("system.topology");
    in_.system.coordinates = existing_file("system.coordinates");
    if (!top_.given("system.coordinates") && top_.given("system.topology") && top_.good("system.topology")) {
      if (is_structure_file(in_.system.topology))
        in_.system.coordinates = in_.system.topology;
      else
        top_.problem(
            "system",
            "'system.coordinates' is missing, and such a topology holds none; add it, as in 'coordinates: protein.rst7'");
    }
    read_forcefield();
    in_.system.define = top_.list("system.define");
    for (const std::string& word : in_.system.define)
      if (const std::string wrong = wrong_define(word); !wrong.empty()) top_.problem("system.define", wrong);
    for (const std::string& folder : top_.list("system.include")) in_.system.include.push_back(resolve(folder));
    for (const std::string& file : top_.list("system.parameters")) {
      in_.system.parameters.push_back(resolve(file));
      std::error_code error;
      if (!fs::is_regular_file(in_.system.parameters.back(), error))
        top_.problem("system.parameters", "there is no file " + quoted_path(in_.system.parameters.back()) +
                                              " (paths are relative to the input file)");
    }
    const bool psf = file_suffix(in_.system.topology) == "psf";
    if (psf && in_.system.parameters.empty() && top_.good("system.topology"))
      top_.problem("system.topology", "a PSF holds no parameters; give the files of its force field as system.parameters");
    if (!psf && !in_.system.parameters.empty())
      top_.problem("system.parameters", "belong to a CHARMM PSF, and system.topology is none; remove them");
    if (file_suffix(in_.system.topology) != "top" && !(in_.system.define.empty() && in_.system.include.empty()))
      top_.problem(in_.system.define.empty() ? "system.include" : "system.define",
                   "belongs to a GROMACS topology (.top), and system.topology is none; remove it");
    if (top_.given("system.copies")) {
      const std::vector<std::string> counts = top_.list("system.copies");
      for (std::size_t d = 0; d < 3 && d < counts.size(); ++d) in_.system.copies[d] = std::atoi(counts[d].c_str());
    }
    if (!top_.given("system.box")) return;
    const std::vector<std::string> items = top_.list("system.box");
    std::array<double, 6> box{0, 0, 0, constants::pi / 2, constants::pi / 2, constants::pi / 2};
    for (std::size_t k = 0; k < items.size(); ++k)
      box[k] = parse_quantity(items[k], k < 3 ? dimension::length : dimension::angle);
    const double a = std::cos(box[3]), b = std::cos(box[4]), c = std::cos(box[5]);
    // The square of the volume of a cell with edges of length one.
    if (!(1 - a * a - b * b - c * c + 2 * a * b * c > 1e-3))
      top_.problem("system.box", "no cell has these three angles; check them");
    in_.system.box = box;
  }

  void read_forcefield() {
    const bool structure = is_structure_file(in_.system.topology);
    if (!top_.given("system.forcefield")) {
      if (structure && top_.good("system.forcefield"))
        top_.problem("system.topology", "a PDB or mmCIF file holds no parameters; add forcefield: [amber99sb-ildn, tip3p]");
      return;
    }
    if (!structure && top_.given("system.topology"))
      top_.problem("system.forcefield", "goes with a PDB or mmCIF topology only; this topology has its own parameters");
    for (const std::string& name : top_.list("system.forcefield")) try {
        in_.system.forcefield.push_back(find_forcefield(name, folder_.string()));
      } catch (const InputError& e) {
        top_.problem("system.forcefield", e.what());
      }
  }

  /// The name without its suffix; where it has none, that would be the input itself.
  fs::path default_directory() const {
    const fs::path name = fs::path(in_.file).filename();
    return name.has_extension() ? name.stem() : fs::path(name.string() + "-run");
  }

  void read_output() {
    OutputSettings& out = in_.output;
    out.directory = resolve(top_.given("output.directory") ? fs::path(top_.text("output.directory")) : default_directory());
    std::error_code error;
    if (const fs::file_status status = fs::status(out.directory, error);
        use_ == InputUse::run && fs::exists(status) && !fs::is_directory(status))
      top_.problem("output.directory", quoted_path(out.directory) + " is there and is no directory; choose another name");
    out.trajectory_every = top_.quantity("output.trajectory.every");
    out.energies_every = top_.quantity("output.energies.every");
    out.checkpoint_every = top_.quantity("output.checkpoint.every") * 1e-12;  // ps of the wall clock
    if (out.checkpoint_every < 1)
      in_.warnings.push_back("output.checkpoint.every: " + top_.text("output.checkpoint.every") +
                             " of wall-clock time, so that the run does little but write checkpoints; 15 min are usual");
    out.velocities = top_.flag("output.trajectory.velocities");
    out.forces = top_.flag("output.trajectory.forces");
    out.report = top_.flag("output.report");
    out.atoms = top_.text("output.trajectory.atoms");
    if (top_.given("output.trajectory.precision")) out.position_precision = top_.quantity("output.trajectory.precision");
  }

  /// 0: auto
  int number_or_auto(const char* key) { return top_.text(key) == "auto" ? 0 : static_cast<int>(top_.count(key)); }

  void read_compute() {
    in_.compute.backend = top_.text("compute.backend");
    in_.compute.precision = top_.choice<Precision>("compute.precision");
    in_.compute.threads = number_or_auto("compute.threads");
    if (top_.text("compute.devices") != "auto")
      for (const std::string& device : top_.list("compute.devices")) in_.compute.devices.push_back(std::atoi(device.c_str()));
    in_.compute.ranks_per_replica = number_or_auto("compute.ranks_per_replica");
    in_.compute.mesh_ranks = number_or_auto("compute.mesh_ranks");
  }

  /// After the stages: one replica a temperature.
  void read_replicas() {
    const bool given = top_.given("compute.replicas");
    in_.compute.replicas = static_cast<int>(top_.count("compute.replicas"));
    const StageSettings* first = nullptr;
    for (std::size_t k = 0; k < in_.stages.size(); ++k) {
      const StageSettings& stage = in_.stages[k];
      if (!stage.exchange || stage.exchange->temperatures.empty()) continue;
      const Values v(checked_.stages[k], &checked_.top, problems_);
      const std::size_t n = stage.exchange->temperatures.size();
      if (first && n != first->exchange->temperatures.size())
        v.problem("exchange", fmt::format("{} temperatures, and stage {} has {}; every replica needs one in each", n,
                                          first->name, first->exchange->temperatures.size()));
      if (!first) first = &stage;
    }
    if (!first || !top_.good("compute.replicas")) return;
    const int n = static_cast<int>(first->exchange->temperatures.size());
    if (given && in_.compute.replicas != n)
      top_.problem("compute.replicas",
                   fmt::format("{}, and stage {} exchanges {} temperatures; every replica needs one: remove "
                               "this key, or make them as many",
                               in_.compute.replicas, first->name, n));
    in_.compute.replicas = n;
  }

  void read_stage(const Block& block) {
    const Values v(block, &checked_.top, problems_);
    StageSettings stage;
    stage.name = v.text("name");
    for (const StageSettings& other : in_.stages)
      if (v.good("name") && other.name == stage.name) v.problem("name", "two stages have this name; names must differ");
    stage.forces = yaml::read_forces(v);
    stage.dynamics = yaml::read_dynamics(v);
    if (v.given("minimize"))
      stage.minimize =
          MinimizeSettings{static_cast<int>(v.count("minimize.max_steps")), v.quantity("minimize.force_tolerance")};
    if (v.given("restraints")) stage.restraints = RestraintSettings{v.text("restraints.positions"), v.quantity("restraints.k")};
    read_levels(v, stage.forces, stage.restraints.has_value(), stage.dynamics);
    yaml::check_relaxation(v, stage);
    read_time(v, stage);
    read_ramp(v, stage);
    stage.collect = v.given("collect");
    if (stage.collect && stage.minimize) v.problem("collect", "a minimisation has no statistics; remove it");
    if (v.given("bias")) stage.bias = yaml::read_bias(v, stage, in_.stages);
    if (v.given("exchange")) stage.exchange = yaml::read_exchange(v, stage, in_.stages);
    stage.settings += "collect: " + v.text("collect") + "\n";
    for (const char* shared :
         {"compute.precision", "output.trajectory.atoms", "output.trajectory.velocities", "output.trajectory.precision"})
      stage.settings += std::string(shared) + ": " + top_.text(shared) + "\n";
    for (const char* whole :
         {"forces", "dynamics", "stages.*.minimize", "stages.*.restraints", "stages.*.temperature_ramp", "stages.*.bias"})
      stage.settings += settings_below(v, whole);
    // Only where they are given: stages without have the text that they had before there were any.
    if (in_.output.forces) stage.settings += "output.trajectory.forces: true\n";
    if (stage.exchange) stage.settings += settings_below(v, "stages.*.exchange");
    if (!in_.stages.empty() && v.good("forces.nonbonded") &&
        (stage.forces.nonbonded == NonbondedMethod::no_cutoff) !=
            (in_.stages[0].forces.nonbonded == NonbondedMethod::no_cutoff))
      v.problem(
          "forces.nonbonded",
          "all stages have a periodic box, or none has (they share a trajectory); run the others from an input of their own");
    for (const std::string& doubt : yaml::doubts_of_bias(stage, in_.stages)) in_.warnings.push_back(doubt);
    for (const std::string& doubt : {yaml::doubt_of_exchange(stage), yaml::doubt_of_switch(stage)})
      if (!doubt.empty()) in_.warnings.push_back(doubt);
    in_.stages.push_back(std::move(stage));
  }

  /// Every value below a block of the schema, given or not, "path: value" a line.
  static std::string settings_below(const Values& v, std::string_view block) {
    std::string all;
    for (const KeySpec* key : yaml::keys_below(block)) {
      const std::string path(key->path.starts_with("stages.*.") ? key->path.substr(9) : key->path);
      switch (key->kind) {
        case KeyKind::map:
          all += path + (v.given(path) ? ": given\n" : ": default\n") + settings_below(v, key->path);
          break;
        case KeyKind::maps:
          for (const Values& one : v.blocks(path))
            for (const KeySpec* inner : yaml::keys_below(std::string(key->path) + ".*")) {
              const std::string name(inner->path.substr(inner->path.rfind('.') + 1));
              all += path + "." + name + ": " + joined(one, name, inner->kind) + "\n";
            }
          break;
        default:
          all += path + ": " + joined(v, path, key->kind) + "\n";
      }
    }
    return all;
  }
  static std::string joined(const Values& v, const std::string& path, KeyKind kind) {
    if (kind != KeyKind::counts && kind != KeyKind::texts && kind != KeyKind::words && kind != KeyKind::quantities &&
        kind != KeyKind::box)
      return v.text(path);
    std::string all;
    for (const std::string& item : v.list(path)) all += (all.empty() ? "[" : ", ") + item;
    return all.empty() ? "none" : all + "]";
  }

  void read_levels(const Values& v, const ForceSettings& forces, bool restrained, DynamicsSettings& dynamics) {
    std::vector<std::string> warnings;
    dynamics.levels = yaml::read_force_levels(v, forces, restrained, dynamics.timestep, warnings);
    for (const std::string& w : warnings)
      if (std::find(in_.warnings.begin(), in_.warnings.end(), w) == in_.warnings.end()) in_.warnings.push_back(w);
  }

  void read_ramp(const Values& v, StageSettings& stage) {
    if (!v.given("temperature_ramp")) return;
    if (v.given("minimize"))
      v.problem("temperature_ramp", "a minimisation has no temperature; remove one of the two");
    else if (v.own("dynamics.temperature"))
      v.problem("temperature_ramp", "the stage has a temperature, too; remove one of the two");
    else if (v.good("dynamics.integrator") && stage.dynamics.integrator == IntegratorKind::verlet)
      v.problem("temperature_ramp", "needs a thermostat; use integrator: langevin, v-rescale or nose-hoover");
    else if (v.good("dynamics.integrator") && stage.dynamics.integrator == IntegratorKind::nose_hoover)
      for (const char* end : {"temperature_ramp.from", "temperature_ramp.to"})
        if (v.good(end) && v.quantity(end) == 0)
          v.problem(end, "nose-hoover has no chain for 0 K; use another integrator, or a temperature above 0");
    stage.dynamics.ramp = TemperatureRamp{v.quantity("temperature_ramp.from"), v.quantity("temperature_ramp.to"), stage.time};
    stage.settings += "time: " + v.text("time") + " of the ramp\n";
  }

  void read_time(const Values& v, StageSettings& stage) {
    if (v.given("minimize")) {
      if (v.given("time")) v.problem("time", "a minimisation has no time; remove one of the two");
      return;
    }
    if (!v.given("time")) {
      if (v.good("time") && v.good("minimize"))
        v.problem("time", "missing; give the total length of the stage, as in time: 10 ns, or minimize");
      return;
    }
    stage.time = v.quantity("time");
    const double step = stage.dynamics.timestep;
    if (!v.good("dynamics.timestep")) return;
    if (stage.time / step > 1e15)
      v.problem("time", "more than 1e15 time steps; check the units");
    else if (!is_multiple(stage.time, step))
      v.problem("time", fmt::format("'{}' is not a whole number of time steps of {:.12g} fs; the nearest that fits is \"{}\"",
                                    v.text("time"), step * 1000, nearest_multiple(stage.time, step)));
    if (const std::optional<PressureSettings>& p = stage.dynamics.pressure; p && stage.time < (p->every - 0.5) * step)
      in_.warnings.push_back(
          fmt::format("stage {}: it ends before the first of its changes of the volume, which come every {} steps "
                      "(dynamics.pressure.every), so that the volume is constant",
                      stage.name, p->every));
  }

  /// Frames and rows come at whole steps of every stage, and are more than the first.
  void check_strides() {
    std::vector<double> steps;  // of dynamics
    for (const StageSettings& stage : in_.stages)
      if (stage.time > 0 && std::find(steps.begin(), steps.end(), stage.dynamics.timestep) == steps.end())
        steps.push_back(stage.dynamics.timestep);
    const std::pair<const char*, const char*> files[] = {{"output.trajectory.every", "trajectory.h5md"},
                                                         {"output.energies.every", "energies.h5"}};
    for (const auto& [key, file] : files) {
      const double every = top_.quantity(key);
      if (!top_.good(key) || every == 0) continue;
      for (std::size_t k = 0; k < in_.stages.size(); ++k) {
        const StageSettings& stage = in_.stages[k];
        const Values v(checked_.stages[k], &checked_.top, problems_);
        const double step = stage.dynamics.timestep;
        if (!(stage.time > 0) || !v.good("dynamics.timestep") || is_multiple(every, step)) continue;
        const std::string message =
            fmt::format("'{}' is not a whole number of time steps of {:.12g} fs ({}); {}", top_.text(key), step * 1000,
                        v.block_name(), nearest_for_all(every, step, steps));
        if (top_.given(key))
          top_.problem(key, message);
        else
          v.problem("dynamics.timestep", std::string("the default of ") + key + ", " + message + "; give it");
        break;  // what is offered fits the others
      }
      if (top_.given(key) && only_at_the_start(every))
        in_.warnings.push_back(
            fmt::format("{}: the run ends before the first {}, so that {} will hold nothing but the start; make it shorter",
                        key, top_.text(key), file));
    }
  }

  static std::string nearest_for_all(double every, double step, const std::vector<double>& steps) {
    if (steps.size() == 1) return "the nearest that fits is \"" + nearest_multiple(every, step) + "\"";
    const double longest = *std::max_element(steps.begin(), steps.end()), start = std::round(every / longest);
    for (int off = 0; off <= 10000; ++off)
      for (const double n : {start - off, start + off})
        if (n >= 1 && std::all_of(steps.begin(), steps.end(), [&](double other) { return is_multiple(n * longest, other); }))
          return "the nearest that fits all stages is \"" + nearest_multiple(n * longest, longest) + "\"";
    return "there \"" + nearest_multiple(every, step) +
           "\" would fit, and none near it fits all stages: choose time steps that have a multiple in common";
  }

  /// Whether the run ends before the first multiple of an interval.
  bool only_at_the_start(double every) const {
    double whole = 0;
    for (const StageSettings& stage : in_.stages) whole += stage.time;
    return whole > 0 && whole < every * (1 - 1e-9);
  }

  /// Keys that would decide nothing are mistakes, of the kind that nobody notices. One that is inherited may be for other
  /// stages.
  void refuse_idle_keys() {
    for (const yaml::MethodKey& key : yaml::keys_of_methods()) {
      const bool used = std::any_of(in_.stages.begin(), in_.stages.end(),
                                    [&](const StageSettings& s) { return key.used(s.forces, s.dynamics); });
      if (!used && !key.used(in_.forces, in_.dynamics)) refuse_idle(top_, key);
      for (std::size_t k = 0; k < in_.stages.size(); ++k)
        if (!key.used(in_.stages[k].forces, in_.stages[k].dynamics))
          refuse_idle(Values(checked_.stages[k], &checked_.top, problems_), key);
    }
  }

  void refuse_idle(const Values& v, const yaml::MethodKey& of) {
    const std::string key(of.key), method(of.method);
    if (!v.own(key) || !v.good(method)) return;
    const std::string what = method.substr(method.rfind('.') + 1) + ": " + v.text(method);
    // A method of the command line, or one that a stage inherits, may be for a while.
    const Block& where = v.own(method) ? v.block() : checked_.top;
    const auto given = where.given.find(method);
    const bool set = given != where.given.end() && given->second.node->mark.override_index >= 0;
    if (set && v.block().given.at(key).mark().override_index < 0) return;
    if (v.own(method) || !v.given(method))
      v.problem(key, "decides nothing with " + what + "; it belongs to " + of.belongs + ": remove it, or choose that");
    else
      in_.warnings.push_back(
          fmt::format("{}: {} decides nothing with {}; it belongs to {}", v.block_name(), key, what, of.belongs));
  }

  const CheckedInput& checked_;
  Problems& problems_;
  Values top_;
  InputUse use_;
  fs::path folder_;  ///< that paths start at
  RunInput in_;
};

RunInput read(const std::string& path, std::span<const std::string> overrides, Problems& problems, InputUse use) {
  std::string text;
  try {
    text = read_file(path, largest_file);
  } catch (const InputError& e) {
    std::error_code error;
    std::string why = e.what();  // "PATH: why", and the problem names the file itself
    if (why.starts_with(path + ": ")) why = why.substr(path.size() + 2);
    if (fs::status(path, error).type() == fs::file_type::not_found) why = "there is no such file";
    if (fs::is_regular_file(path, error) && fs::file_size(path, error) > largest_file)
      why = "larger than 1 MiB (an input is a page of YAML; is this another kind of file?)";
    problems.add({}, why);
    return {};
  }
  std::optional<yaml::Node> root =
      yaml::parse(text, [&](const yaml::Mark& mark, const std::string& message) { problems.add(mark, message); });
  if (!root) return {};
  if (root->kind != yaml::Node::Kind::map) {
    problems.add(root->kind == yaml::Node::Kind::null ? yaml::Mark{} : root->mark,
                 root->kind == yaml::Node::Kind::null
                     ? "the file holds no keys; an input starts with version: 1 and system: {...}"
                     : "an input is a block of keys: version, system, forces ...");
    return {};
  }
  yaml::place_stage_keys(*root, problems);
  yaml::apply_overrides(*root, overrides, problems);
  yaml::place_stage_keys(*root, problems);  // those of a whole list of stages that an override brought
  const CheckedInput checked = yaml::check_schema(*root, problems);
  RunInput input = InputBuilder(path, checked, problems, use).build();
  yaml::note_places(checked, path, overrides, input.places);
  if (problems.empty()) input.resolved = yaml::echo(checked, input);
  return input;
}

}  // namespace

RunInput load_run_input(const std::string& path, std::span<const std::string> overrides, InputUse use) {
  Problems problems(path, overrides);
  RunInput input = read(path, overrides, problems, use);
  if (problems.empty()) return input;
  std::string all;
  const std::vector<Problem> sorted = problems.sorted();
  for (const Problem& p : sorted) all += (all.empty() ? "" : "\nerror: ") + p.text();
  all += "\n" + reference_hint(sorted);
  throw InputError(all);
}

RunInput read_run_input(const std::string& path, std::span<const std::string> overrides, std::vector<Problem>& problems) {
  Problems found(path, overrides);
  RunInput input = read(path, overrides, found, InputUse::run);
  problems = found.sorted();
  return input;
}

std::vector<Problem> check_run_input(const std::string& path, std::span<const std::string> overrides) {
  std::vector<Problem> problems;
  read_run_input(path, overrides, problems);
  return problems;
}

}  // namespace uplift
