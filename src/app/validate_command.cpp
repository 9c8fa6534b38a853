// `uplift validate`: every problem of an input in one go; runs nothing.
#include <iostream>

#include "cautions.hpp"
#include "commands.hpp"
#include "load.hpp"
#include "surfaces.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/run_input.hpp"
#include "uplift/sampling/bias_rules.hpp"

namespace uplift::app {

int validate_command(const InputOptions& options) {
  const RunInput input = load_run_input(options.file, options.overrides());  // throws with every problem of the YAML
  std::vector<std::string> problems;
  // What the YAML alone cannot show: the files it names, and each stage's settings against the system they give.
  const auto check = [&](const std::string& where, const ForceSettings& forces,
                         const std::optional<RestraintSettings>& restraints, const std::optional<BiasSettings>& bias) {
    try {
      const Loaded loaded = load(input, forces, restraints, where);
      if (where.empty()) {
        for (const std::string& warning : doubts_of_steps(input, loaded.system.topology))
          std::cerr << "warning: " << warning << '\n';
        for (const std::string& note : loaded.notes) std::cerr << "note: " << note << '\n';
        for (const std::string& warning : loaded.warnings) std::cerr << "warning: " << warning << '\n';
        stored_atoms(input, loaded.system.topology);
        check_surfaces(input, loaded);
      }
      if (bias) check_bias(where, *bias, loaded.system);
    } catch (const InputError& e) {
      const std::string said = e.what(), of_stage = " (stage " + where + ")";
      const std::string text = said + (where.empty() || said.ends_with(of_stage) ? "" : of_stage);
      for (const std::string& known : problems)
        if (known.find(e.what()) != std::string::npos) return;
      problems.push_back(text);
    }
  };
  try {
    check_backend(input);
  } catch (const InputError& e) {  // another build may run it, on the machine that this input is for
    std::cerr << "warning: " << e.what() << '\n';
  }
  check("", input.forces, std::nullopt, std::nullopt);
  for (const StageSettings& stage : input.stages) check(stage.name, stage.forces, stage.restraints, stage.bias);
  for (const std::string& warning : input.warnings) std::cerr << "warning: " << warning << '\n';
  for (const std::string& problem : problems) std::cerr << "error: " << problem << '\n';
  if (!problems.empty()) return bad_input;
  std::cout << options.file << ": no problems found\n";
  return finished;
}

}  // namespace uplift::app
