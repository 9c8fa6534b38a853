// `uplift validate`: every problem of an input in one go; runs nothing.
#include <algorithm>
#include <array>
#include <iostream>
#include <optional>

#include "cautions.hpp"
#include "commands.hpp"
#include "load.hpp"
#include "surfaces.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/sampling/bias_rules.hpp"

namespace uplift::app {
namespace {

bool is_within(const Problem& p, const std::string& block) { return p.section.starts_with(block); }

bool any_within(const std::vector<Problem>& problems, const std::string& block) {
  return std::any_of(problems.begin(), problems.end(), [&](const Problem& p) { return is_within(p, block); });
}

/// Whether this leaves open which forces are meant: it is about them, or a key that is not known may have been one of theirs.
bool hides_forces(const Problem& p) {
  if (p.section.empty() || is_within(p, "forces")) return true;
  const auto apart = {"output", "compute", "free_energy", "stages.*."};
  return p.message.starts_with("unknown key") &&
         std::none_of(apart.begin(), apart.end(), [&](const char* block) { return is_within(p, block); });
}

class Validation {
 public:
  explicit Validation(const InputOptions& options) : input_(read_run_input(options.file, options.overrides(), wrong_)) {
    for (const Problem& p : wrong_) problems_.push_back(p.text());
    forces_known_ = std::none_of(wrong_.begin(), wrong_.end(), hides_forces);
  }

  const RunInput& input() const { return input_; }
  const std::vector<std::string>& problems() const { return problems_; }

  /// What the YAML alone cannot show: the files it names, and each stage's settings against the system they give.
  void check_system() {
    if (input_.system.topology.empty() || any_within(wrong_, "system")) return;
    check("", input_.forces, std::nullopt, std::nullopt);
    for (const StageSettings& stage : input_.stages) check(stage.name, stage.forces, stage.restraints, stage.bias);
  }

  /// What is allowed and doubtful.
  void warn() const {
    try {
      check_backend(input_);
    } catch (const InputError& e) {  // another build may run it, on the machine that this input is for
      std::cerr << "warning: " << e.what() << '\n';
    }
    if (!wrong_.empty()) return;
    for (const std::string& warning : input_.warnings) std::cerr << "warning: " << warning << '\n';
  }

  std::string hint() const { return wrong_.empty() ? "" : reference_hint(wrong_) + "\n"; }

 private:
  void add(const std::string& where, const std::string& said) {
    const std::string of_stage = " (stage " + where + ")";
    for (const std::string& known : problems_)
      if (known.find(said) != std::string::npos) return;
    problems_.push_back(said + (where.empty() || said.ends_with(of_stage) ? "" : of_stage));
  }

  template <class F>
  void guard(const std::string& where, F&& f) {
    try {
      f();
    } catch (const InputError& e) {
      add(where, e.what());
    }
  }

  /// Settings of forces that nothing can be said against, to look at names and selections with.
  ForceSettings harmless() const {
    ForceSettings f;
    f.nonbonded = input_.system.copies == std::array{1, 1, 1} ? NonbondedMethod::no_cutoff : NonbondedMethod::reaction_field;
    f.cutoff = 0.1;
    f.constraints = ConstraintMode::none;
    return f;
  }

  /// Without the forces that are asked for, what is said of forces is no fault of the input.
  std::optional<Loaded> load_harmless(const std::string& where, const std::optional<RestraintSettings>& restraints) {
    try {
      return load(input_, harmless(), restraints, where);
    } catch (const InputError& e) {
      if (std::string(e.what()).find("forces.") == std::string::npos) add(where, e.what());
      return std::nullopt;
    }
  }

  void check(const std::string& where, const ForceSettings& forces, std::optional<RestraintSettings> restraints,
             const std::optional<BiasSettings>& bias) {
    if (restraints && restraints->selection.empty()) restraints.reset();  // was wrong
    std::optional<Loaded> loaded;
    if (forces_known_) guard(where, [&] { loaded = load(input_, forces, restraints, where); });
    if (loaded && where.empty()) tell(*loaded);
    if (!loaded) loaded = load_harmless(where, restraints);
    if (!loaded && restraints) loaded = load_harmless(where, std::nullopt);
    if (!loaded) return;
    if (where.empty()) guard(where, [&] { stored_atoms(input_, loaded->system.topology); });
    if (where.empty() && !any_within(wrong_, "free_energy")) guard(where, [&] { check_surfaces(input_, *loaded); });
    if (bias && !any_within(wrong_, "stages")) guard(where, [&] { check_bias(where, *bias, loaded->system); });
  }

  void tell(const Loaded& loaded) const {
    if (wrong_.empty())
      for (const auto& doubts : {doubts_of_steps, doubts_of_selections})
        for (const std::string& warning : doubts(input_, loaded.system.topology)) std::cerr << "warning: " << warning << '\n';
    for (const std::string& note : loaded.notes) std::cerr << "note: " << note << '\n';
    for (const std::string& warning : loaded.warnings) std::cerr << "warning: " << warning << '\n';
  }

  std::vector<Problem> wrong_;  ///< in the file by itself
  RunInput input_;
  std::vector<std::string> problems_;
  bool forces_known_ = false;
};

}  // namespace

int validate_command(const InputOptions& options) {
  Validation validation(options);
  validation.check_system();
  validation.warn();
  for (const std::string& problem : validation.problems()) std::cerr << "error: " << problem << '\n';
  std::cerr << validation.hint();
  if (!validation.problems().empty()) return bad_input;
  if (validation.input().stages.empty()) {
    std::cerr << "warning: there are no stages, so that `uplift run` refuses this input; "
                 "add stages: [{name: production, time: 1 ns}]\n";
    std::cout << options.file << ": no problems found for `uplift energy`\n";
  } else {
    std::cout << options.file << ": no problems found\n";
  }
  return finished;
}

}  // namespace uplift::app
