// free_energy: surfaces that the run can give, as far as the input alone shows it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "run_input_parts.hpp"

namespace uplift::yaml {
namespace {

void check_stages(const Values& v, const FreeEnergySettings& f, const std::vector<StageSettings>& stages) {
  for (const std::string& name : f.stages) {
    const auto found = std::find_if(stages.begin(), stages.end(), [&](const StageSettings& s) { return s.name == name; });
    if (found == stages.end())
      v.problem("stages", "there is no stage '" + name + "'");
    else if (found->minimize)
      v.problem("stages", "stage " + name + " is a minimisation, which has no frames");
    else if (found->bias && found->bias->update_every > 0)
      v.problem("stages", "the bias of stage " + name +
                              " changes while it runs (update_every), so that its frames have no one "
                              "weight; name a stage with frozen parameters");
  }
}

void check_order(const Values& v, const FreeEnergySettings& f) {
  if (f.order == 0 || f.method.empty() || f.method == "maclaurin") return;
  if (f.method != "cumulant")
    v.problem("order", "method " + f.method + " has no order; it belongs to maclaurin and cumulant");
  else if (f.order > 3)
    v.problem("order", "the cumulant expansion goes to order 3");
}

}  // namespace

std::vector<FreeEnergySettings> read_free_energies(const Values& top, const std::vector<StageSettings>& stages,
                                                   const OutputSettings& output) {
  std::vector<FreeEnergySettings> all;
  for (const Values& v : top.blocks("free_energy")) {
    FreeEnergySettings f;
    f.name = v.text("name");
    f.variables = v.list("variables");
    f.stages = v.list("stages");
    f.method = v.text("method");
    f.order = static_cast<int>(v.count("order"));
    for (const std::string& n : v.list("bins")) f.bins.push_back(std::atoi(n.c_str()));
    if (f.bins.empty()) f.bins = {60};
    f.discard = v.quantity("discard");
    f.bootstrap = static_cast<int>(v.count("bootstrap"));
    f.cutoff = static_cast<int>(v.count("cutoff"));
    if (v.good("variables") && v.given("variables") && (f.variables.empty() || f.variables.size() > 3))
      v.problem("variables", "one to three collective variables are possible");
    else if (v.good("bins") && v.good("variables") && f.bins.size() != 1 && f.bins.size() != f.variables.size())
      v.problem("bins", fmt::format("one number for all, or one for each of the {} variables", f.variables.size()));
    if (f.name.find('/') != std::string::npos || f.name == "energies" || f.name == "exchange")
      v.problem("name", "'" + f.name + "' cannot be the name of its files; use a word like pmf");
    if (std::any_of(all.begin(), all.end(), [&](const FreeEnergySettings& other) { return other.name == f.name; }))
      v.problem("name", "'" + f.name + "' is the name of another surface, too, and its files would be written over");
    if (output.trajectory_every == 0)
      v.problem("name", "a surface is made from the trajectory, and output.trajectory.every is 0 ps");
    check_stages(v, f, stages);
    check_order(v, f);
    all.push_back(std::move(f));
  }
  return all;
}

}  // namespace uplift::yaml
