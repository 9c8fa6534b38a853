#include "uplift/io/run_input.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include "input_tree.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

/// Values of one mapping, falling back to an outer one and then to the schema's default. Problems are noted, never thrown, so that
/// all of them can be reported.
class Values {
 public:
  Values(const std::string& file, std::vector<Problem>& problems, const InputMap& own, const InputMap* outer = nullptr)
      : file_(file), problems_(problems), own_(own), outer_(outer) {}

  void problem(int line, const std::string& message) const { problems_.push_back({file_, line, message}); }
  int line(const std::string& path) const {
    const InputValue* v = find(path);
    return v ? v->line : own_.line;
  }
  bool given(const std::string& path) const { return find(path) != nullptr; }
  bool has_map(const std::string& path) const { return own_.maps.count(path) || (outer_ && outer_->maps.count(path)); }
  bool own_has(const std::string& path) const { return own_.values.count(path) || own_.maps.count(path); }

  std::string text(const std::string& path) const { return raw(path); }
  double quantity(const std::string& path, const Dimension& dimension) const {
    return convert<double>(path, 0, [&](const std::string& t) { return parse_quantity(t, dimension); });
  }
  double number(const std::string& path) const {
    return convert<double>(path, 0, [](const std::string& t) { return plain<double>(t, "a plain number without a unit"); });
  }
  std::int64_t count(const std::string& path) const {
    return convert<std::int64_t>(path, 0, [](const std::string& t) {
      const auto n = plain<std::int64_t>(t, "a whole number");
      if (n < 0) throw std::invalid_argument("'" + t + "' is negative; a count is needed");
      return n;
    });
  }
  bool flag(const std::string& path) const {
    return convert<bool>(path, false, [](const std::string& t) {
      if (t == "true" || t == "yes" || t == "on") return true;
      if (t == "false" || t == "no" || t == "off") return false;
      throw std::invalid_argument("'" + t + "' is neither true nor false");
    });
  }
  /// Index of the value among the schema's choices.
  int choice(const std::string& path) const {
    const std::string choices(spec(path).choices), value = raw(path);
    int index = 0;
    for (std::size_t begin = 0; begin < choices.size(); ++index) {
      const std::size_t end = std::min(choices.find(' ', begin), choices.size());
      if (choices.compare(begin, end - begin, value) == 0) return index;
      begin = end + 1;
    }
    problem(line(path), path + ": '" + value + "' is none of: " + choices);
    return 0;
  }
  std::vector<std::string> list(const std::string& path) const {
    const InputValue* v = find(path);
    return v ? v->items : std::vector<std::string>{};
  }

  template <class T>
  static T plain(const std::string& t, const char* what) {
    T value{};
    const char* begin = t.data() + (!t.empty() && t[0] == '+');
    const auto [end, error] = std::from_chars(begin, t.data() + t.size(), value);
    if (error != std::errc() || end != t.data() + t.size()) throw std::invalid_argument("'" + t + "' is not " + what);
    return value;
  }

  static const KeySpec& spec(const std::string& path) {
    for (const KeySpec& s : input_schema())
      if (s.path == path || s.path == "stages.*." + path) return s;
    throw std::logic_error("no key " + path);
  }

 private:
  const InputValue* find(const std::string& path) const {
    for (const InputMap* map : {&own_, outer_})
      if (map)
        if (const auto found = map->values.find(path); found != map->values.end()) return &found->second;
    return nullptr;
  }
  std::string raw(const std::string& path) const {
    const InputValue* v = find(path);
    if (v && v->list) {
      problem(v->line, path + ": a single value is needed, not a list");
      return std::string(spec(path).fallback);
    }
    return v ? v->items[0] : std::string(spec(path).fallback);
  }
  template <class T>
  T convert(const std::string& path, T fallback, const std::function<T(const std::string&)>& read) const {
    try {
      return read(raw(path));
    } catch (const std::invalid_argument& e) {
      problem(line(path), path + ": " + e.what());
    }
    // Report once, then go on with something harmless.
    const std::string standard(spec(path).fallback);
    return standard.empty() ? fallback : read(standard);
  }

  const std::string& file_;
  std::vector<Problem>& problems_;
  const InputMap& own_;
  const InputMap* outer_;
};

bool small_primes(int n) {
  for (int p : {2, 3, 5, 7, 11, 13})
    while (n > 1 && n % p == 0) n /= p;
  return n == 1;
}

ForceSettings read_forces(const Values& v) {
  namespace d = dimension;
  ForceSettings f;
  f.nonbonded = static_cast<NonbondedMethod>(v.choice("forces.nonbonded"));
  f.cutoff = v.quantity("forces.cutoff", d::length);
  if (!(f.cutoff > 0)) v.problem(v.line("forces.cutoff"), "forces.cutoff must be greater than zero");
  if (v.given("forces.switch_distance")) {
    f.switch_distance = v.quantity("forces.switch_distance", d::length);
    if (!(*f.switch_distance > 0 && *f.switch_distance < f.cutoff))
      v.problem(v.line("forces.switch_distance"), "forces.switch_distance must lie between zero and the cutoff");
  }
  f.dispersion_correction = v.flag("forces.dispersion_correction");
  f.pme.tolerance = v.number("forces.pme.tolerance");
  if (!(f.pme.tolerance > 0 && f.pme.tolerance < 0.5)) v.problem(v.line("forces.pme.tolerance"), "forces.pme.tolerance must lie between 0 and 0.5");
  const auto order = v.count("forces.pme.order");
  if (order < 4 || order > 6) v.problem(v.line("forces.pme.order"), "forces.pme.order must be 4, 5 or 6");
  f.pme.order = static_cast<int>(std::clamp<std::int64_t>(order, 4, 6));
  if (v.given("forces.pme.alpha") != v.given("forces.pme.grid"))
    v.problem(v.line(v.given("forces.pme.alpha") ? "forces.pme.alpha" : "forces.pme.grid"),
              "forces.pme: alpha and grid belong together (one alone would spoil the accuracy); give both, or neither and a tolerance");
  if (v.given("forces.pme.alpha")) {
    f.pme.alpha = v.quantity("forces.pme.alpha", d::inverse_length);
    if (!(*f.pme.alpha > 0)) v.problem(v.line("forces.pme.alpha"), "forces.pme.alpha must be greater than zero");
  }
  if (v.given("forces.pme.grid")) {
    const int line = v.line("forces.pme.grid");
    const std::vector<std::string> items = v.list("forces.pme.grid");
    std::array<int, 3> grid{};
    if (items.size() != 3) v.problem(line, "forces.pme.grid must be three whole numbers, [64, 64, 64]");
    for (std::size_t k = 0; k < 3 && items.size() == 3; ++k) {
      try {
        grid[k] = Values::plain<int>(items[k], "a whole number");
        int fits = std::clamp(grid[k], f.pme.order, 4096);
        while (!small_primes(fits)) ++fits;
        if (fits != grid[k])
          v.problem(line, "forces.pme.grid: " + items[k] + " does not fit (it must be at least the order, at most 4096, with no prime factor above 13); the next that does is " + std::to_string(fits));
      } catch (const std::invalid_argument& e) {
        v.problem(line, std::string("forces.pme.grid: ") + e.what());
      }
    }
    f.pme.grid = grid;
  }
  f.reaction_field_dielectric = v.number("forces.reaction_field.dielectric");
  if (!(f.reaction_field_dielectric >= 1)) v.problem(v.line("forces.reaction_field.dielectric"), "forces.reaction_field.dielectric must be at least 1");
  if (v.has_map("forces.implicit_solvent")) {
    ImplicitSolventSettings s;
    s.model = static_cast<GbModel>(v.choice("forces.implicit_solvent.model"));
    s.solute_dielectric = v.number("forces.implicit_solvent.solute_dielectric");
    s.solvent_dielectric = v.number("forces.implicit_solvent.solvent_dielectric");
    s.salt = v.quantity("forces.implicit_solvent.salt", d::concentration);
    s.surface = static_cast<SurfaceModel>(v.choice("forces.implicit_solvent.surface"));
    if (!(s.solute_dielectric >= 1 && s.solvent_dielectric >= 1) || !(s.salt >= 0))
      v.problem(v.line("forces.implicit_solvent.solvent_dielectric"), "forces.implicit_solvent: dielectric constants are at least 1, salt at least 0");
    if (f.nonbonded != NonbondedMethod::no_cutoff)
      v.problem(v.line("forces.nonbonded"), "forces.implicit_solvent needs forces.nonbonded: no-cutoff (the solvent is the continuum; a periodic method would count it twice)");
    f.implicit_solvent = s;
  }
  f.constraints = static_cast<ConstraintMode>(v.choice("forces.constraints"));
  f.rigid_water = v.flag("forces.rigid_water");
  if (v.given("forces.hydrogen_mass")) {
    f.hydrogen_mass = v.quantity("forces.hydrogen_mass", d::mass);
    if (!(*f.hydrogen_mass >= 1 && *f.hydrogen_mass <= 10)) v.problem(v.line("forces.hydrogen_mass"), "forces.hydrogen_mass must lie between 1 and 10 amu");
  }
  return f;
}

DynamicsSettings read_dynamics(const Values& v) {
  namespace d = dimension;
  DynamicsSettings s;
  s.integrator = static_cast<IntegratorKind>(v.choice("dynamics.integrator"));
  if (s.integrator == IntegratorKind::nose_hoover || s.integrator == IntegratorKind::v_rescale)
    v.problem(v.line("dynamics.integrator"), "dynamics.integrator: " + v.text("dynamics.integrator") + " is not available in this version; use langevin or verlet");
  s.timestep = v.quantity("dynamics.timestep", d::time);
  if (!(s.timestep > 0 && s.timestep <= 0.01)) v.problem(v.line("dynamics.timestep"), "dynamics.timestep must be greater than zero and at most 10 fs");
  s.temperature = v.quantity("dynamics.temperature", d::temperature);
  if (!(s.temperature >= 0 && s.temperature <= 10000)) v.problem(v.line("dynamics.temperature"), "dynamics.temperature must lie between 0 K and 10000 K");
  s.friction = v.quantity("dynamics.friction", d::inverse_time);
  if (!(s.friction >= 0)) v.problem(v.line("dynamics.friction"), "dynamics.friction must not be negative");
  s.seed = static_cast<std::uint64_t>(v.count("dynamics.seed"));
  s.constraint_tolerance = v.number("dynamics.constraint_tolerance");
  if (!(s.constraint_tolerance >= 1e-12 && s.constraint_tolerance <= 1e-3))
    v.problem(v.line("dynamics.constraint_tolerance"), "dynamics.constraint_tolerance must lie between 1e-12 and 1e-3");
  s.com_removal_every = static_cast<int>(std::min<std::int64_t>(v.count("dynamics.com_removal_every"), 1 << 30));
  return s;
}

/// `interval` must be a whole number of steps; says which neighbours would be.
void check_multiple(const Values& v, const std::string& path, int line, double interval, double step) {
  if (!(step > 0) || interval == 0) return;
  const double n = interval / step;
  if (interval > 0 && std::abs(n - std::round(n)) <= 1e-6 && std::round(n) >= 1) return;
  const double near = std::max(1.0, std::round(n)) * step;
  v.problem(line, path + " is not a whole number of time steps of " + format_number(step * 1000) + " fs; the nearest that fits is \"" + format_number(std::round(near * 1e9) / 1e9) + " ps\"");
}

class InputBuilder {
 public:
  InputBuilder(const std::string& path, std::vector<Problem>& problems) : problems_(problems) { in_.file = path; }

  RunInput build(const InputTree& tree) {
    const Values top(in_.file, problems_, tree.top);
    if (!top.given("version")) top.problem(1, "'version: 1' is missing at the top");
    else if (top.count("version") != 1) top.problem(top.line("version"), "version: this program reads version 1");
    in_.title = top.text("title");
    read_system(top);
    in_.forces = read_forces(top);
    in_.dynamics = read_dynamics(top);
    read_output(top);
    read_compute(top);
    for (std::size_t k = 0; k < tree.stages.size(); ++k) read_stage(tree, k);
    std::sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) { return std::tie(a.line, a.message) < std::tie(b.line, b.message); });
    problems_.erase(std::unique(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) { return a.line == b.line && a.message == b.message; }), problems_.end());
    return std::move(in_);
  }

 private:
  std::string existing(const Values& v, const std::string& path) {
    if (!v.given(path)) {
      v.problem(1, "'" + path + "' is missing; name the file");
      return {};
    }
    std::filesystem::path file(v.text(path));
    if (file.is_relative()) file = std::filesystem::path(in_.file).parent_path() / file;
    file = std::filesystem::absolute(file).lexically_normal();
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) v.problem(v.line(path), path + ": there is no file " + file.string());
    return file.string();
  }

  void read_system(const Values& v) {
    in_.system.topology = existing(v, "system.topology");
    in_.system.coordinates = existing(v, "system.coordinates");
    for (const char* suffix : {".top", ".psf", ".pdb", ".cif"})
      if (std::filesystem::path(in_.system.topology).extension() == suffix)
        v.problem(v.line("system.topology"), std::string("system.topology: ") + suffix + " files are not available in this version; convert to an Amber prmtop");
    if (!v.given("system.box")) return;
    const std::vector<std::string> items = v.list("system.box");
    if (items.size() != 3 && items.size() != 6) return v.problem(v.line("system.box"), "system.box must be three edge lengths, or three lengths and three angles");
    std::array<double, 6> box{0, 0, 0, constants::pi / 2, constants::pi / 2, constants::pi / 2};
    for (std::size_t k = 0; k < items.size(); ++k) {
      try {
        box[k] = parse_quantity(items[k], k < 3 ? dimension::length : dimension::angle);
      } catch (const std::invalid_argument& e) {
        v.problem(v.line("system.box"), std::string("system.box: ") + e.what());
      }
    }
    in_.system.box = box;
  }

  void read_output(const Values& v) {
    namespace d = dimension;
    const std::filesystem::path file(in_.file);
    std::filesystem::path directory = v.given("output.directory") ? std::filesystem::path(v.text("output.directory")) : file.stem();
    if (directory.is_relative()) directory = file.parent_path() / directory;
    in_.output.directory = std::filesystem::absolute(directory).lexically_normal().string();
    in_.output.trajectory_every = v.quantity("output.trajectory.every", d::time);
    in_.output.energies_every = v.quantity("output.energies.every", d::time);
    in_.output.velocities = v.flag("output.trajectory.velocities");
    in_.output.atoms = v.text("output.trajectory.atoms");
    if (v.given("output.trajectory.precision")) {
      in_.output.position_precision = v.quantity("output.trajectory.precision", d::length);
      if (!(*in_.output.position_precision > 0)) v.problem(v.line("output.trajectory.precision"), "output.trajectory.precision must be greater than zero");
    }
  }

  void read_compute(const Values& v) {
    static const char* const backends[] = {"auto", "cuda", "cpu", "simt"};
    in_.compute.backend = backends[v.choice("compute.backend")];
    in_.compute.precision = static_cast<Precision>(v.choice("compute.precision"));
    if (v.given("compute.threads") && v.text("compute.threads") != "auto") {
      const auto threads = v.count("compute.threads");
      if (threads < 1 || threads > 4096) v.problem(v.line("compute.threads"), "compute.threads must be auto or between 1 and 4096");
      in_.compute.threads = static_cast<int>(std::clamp<std::int64_t>(threads, 1, 4096));
    }
    for (const char* path : {"compute.devices", "compute.ranks_per_replica"})
      if (v.given(path) && v.text(path) != "auto") v.problem(v.line(path), std::string(path) + ": only auto is available in this version");
    if (v.given("compute.replicas") && v.text("compute.replicas") != "1") v.problem(v.line("compute.replicas"), "compute.replicas: only 1 is available in this version");
  }

  void read_stage(const InputTree& tree, std::size_t k) {
    namespace d = dimension;
    const InputMap& own = tree.stages[k];
    const Values v(in_.file, problems_, own, &tree.top);
    StageSettings stage;
    stage.name = v.given("name") ? v.text("name") : "stage" + std::to_string(k + 1);
    if (!v.given("name")) v.problem(own.line, "the stage has no name; give it one: {name: production, ...}");
    for (const StageSettings& other : in_.stages)
      if (other.name == stage.name) v.problem(v.line("name"), "two stages are called '" + stage.name + "'; names must differ");
    stage.forces = read_forces(v);
    stage.dynamics = read_dynamics(v);
    if (v.has_map("minimize")) {
      stage.minimize = MinimizeSettings{static_cast<int>(std::min<std::int64_t>(v.count("minimize.max_steps"), 1 << 30)), v.quantity("minimize.force_tolerance", d::force)};
      if (v.given("time")) v.problem(v.line("time"), "stage '" + stage.name + "': a minimisation has no time; remove one of the two");
    } else if (!v.given("time")) {
      v.problem(own.line, "stage '" + stage.name + "' needs a time (its total length), or minimize");
    } else {
      stage.time = v.quantity("time", d::time);
      if (!(stage.time > 0)) v.problem(v.line("time"), "stage '" + stage.name + "': time must be greater than zero");
      const double dt = stage.dynamics.timestep;
      check_multiple(v, "time of stage '" + stage.name + "'", v.line("time"), stage.time, dt);
      const Values top(in_.file, problems_, tree.top);
      for (const auto& [path, interval] : {std::pair<std::string, double>{"output.trajectory.every", in_.output.trajectory_every},
                                           std::pair<std::string, double>{"output.energies.every", in_.output.energies_every}})
        check_multiple(top, path, top.line(path), interval, dt);
    }
    if (v.has_map("restraints")) {
      stage.restraints = RestraintSettings{v.text("restraints.positions"), v.quantity("restraints.k", d::force_constant)};
      if (!v.given("restraints.positions")) v.problem(own.line, "stage '" + stage.name + "': restraints.positions is missing; select atoms, as in protein-heavy");
    }
    in_.stages.push_back(std::move(stage));
  }

  std::vector<Problem>& problems_;
  RunInput in_;
};

/// The resolved input as YAML, every default written out. Values are taken as they were written; the schema supplies the rest.
class Echo {
 public:
  std::string text(const InputTree& tree, const RunInput& input) {
    block(tree.top, "", 0, input);
    if (!tree.stages.empty()) out_ += "stages:\n";
    for (const InputMap& stage : tree.stages) {
      std::string inner;
      std::swap(inner, out_);
      map(stage, "", 0);
      std::swap(inner, out_);
      std::string indented = "  - ";
      for (std::size_t k = 0; k + 1 < inner.size(); ++k) indented += inner[k] == '\n' ? "\n    " : std::string(1, inner[k]);
      out_ += indented + "\n";
    }
    return out_;
  }

 private:
  static std::string quoted(const std::string& s) {
    std::string q = "\"";
    for (char c : s) {
      if (c == '"' || c == '\\') q += '\\';
      if (c == '\n') { q += "\\n"; continue; }
      q += c;
    }
    return q + "\"";
  }
  /// Quoted only where YAML would read it as something else, so that an echo of the echo is the same text.
  static std::string scalar(const std::string& s) {
    const bool plain = !s.empty() && s != "~" && s != "null" && s != "-" && s.front() != ' ' && s.back() != ' ' &&
                       s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ./_+-^") == std::string::npos;
    return plain ? s : quoted(s);
  }
  static std::string written(const InputValue& v) {
    if (!v.list) return scalar(v.items[0]);
    std::string all = "[";
    for (const std::string& item : v.items) all += (all.size() > 1 ? ", " : "") + scalar(item);
    return all + "]";
  }

  void block(const InputMap& own, const std::string& parent, int indent, const RunInput& input) {
    const std::string prefix = parent.empty() ? "" : parent + ".", margin(static_cast<std::size_t>(indent), ' ');
    for (const KeySpec& spec : input_schema()) {
      const std::string path(spec.path);
      if (path.rfind("stages", 0) == 0 || !spec.missing.empty() || path.compare(0, prefix.size(), prefix) != 0 ||
          path.find('.', prefix.size()) != std::string::npos)
        continue;
      const std::string key = path.substr(prefix.size());
      if (spec.kind == KeyKind::map) {
        if (path == "forces.implicit_solvent" && !own.maps.count(path)) continue;
        out_ += margin + key + ":\n";
        block(own, path, indent + 2, input);
        continue;
      }
      const auto found = own.values.find(path);
      if (path == "system.topology") out_ += margin + key + ": " + quoted(input.system.topology) + "\n";
      else if (path == "system.coordinates") out_ += margin + key + ": " + quoted(input.system.coordinates) + "\n";
      else if (path == "output.directory") out_ += margin + key + ": " + quoted(input.output.directory) + "\n";
      else if (path == "title" && found != own.values.end()) out_ += margin + key + ": " + quoted(found->second.items[0]) + "\n";
      else if (found != own.values.end()) out_ += margin + key + ": " + written(found->second) + "\n";
      else if (!spec.fallback.empty()) out_ += margin + key + ": " + std::string(spec.fallback) + "\n";
    }
  }

  /// Only what the stage itself says: the rest it inherits from the blocks above.
  void map(const InputMap& own, const std::string& parent, int indent) {
    const std::string prefix = parent.empty() ? "" : parent + ".", margin(static_cast<std::size_t>(indent), ' ');
    std::vector<std::string> done;
    const auto visit = [&](const std::string& path) {
      if (path.compare(0, prefix.size(), prefix) != 0) return;
      const std::string key = path.substr(prefix.size(), path.find('.', prefix.size()) - prefix.size());
      if (std::find(done.begin(), done.end(), key) != done.end()) return;
      done.push_back(key);
      const std::string full = prefix + key;
      if (const auto found = own.values.find(full); found != own.values.end()) {
        out_ += margin + key + ": " + written(found->second) + "\n";
      } else {
        const bool empty = std::none_of(own.values.begin(), own.values.end(), [&](const auto& v) { return v.first.rfind(full + ".", 0) == 0; });
        out_ += margin + key + (empty ? ": {}\n" : ":\n");
        map(own, full, indent + 2);
      }
    };
    if (parent.empty() && own.values.count("name")) visit("name");
    for (const auto& [path, value] : own.values) visit(path);
    for (const auto& [path, line] : own.maps) visit(path);
  }

  std::string out_;
};

RunInput read(const std::string& path, std::span<const std::string> overrides, std::vector<Problem>& problems) {
  const InputTree tree = read_input_tree(path, overrides, problems);
  if (tree.top.values.empty() && tree.top.maps.empty() && !problems.empty()) return {};
  RunInput input = InputBuilder(path, problems).build(tree);
  if (problems.empty()) input.resolved = Echo().text(tree, input);
  return input;
}

}  // namespace

RunInput load_run_input(const std::string& path, std::span<const std::string> overrides) {
  std::vector<Problem> problems;
  RunInput input = read(path, overrides, problems);
  if (problems.empty()) return input;
  std::string all;
  for (const Problem& p : problems) all += (all.empty() ? "" : "\nerror: ") + p.text();
  throw InputError(all);
}

std::vector<Problem> check_run_input(const std::string& path, std::span<const std::string> overrides) {
  std::vector<Problem> problems;
  read(path, overrides, problems);
  return problems;
}

}  // namespace uplift
