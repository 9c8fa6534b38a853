// What a run's directory says of its stages, its atoms and the energies of its frames.
#include "run_files.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;

BoostParameters boost_of(const nlohmann::json& bias, const char* which) {
  if (!bias.contains(which)) return {};
  const auto& p = bias.at(which);
  return {true, p.at("threshold"), p.contains("alpha") ? p.at("alpha") : p.at("k")};
}

BiasConvention convention_of(const std::string& name) { return name == "namd" ? BiasConvention::namd : BiasConvention::amber; }

RunStage stage_of(const nlohmann::json& s) {
  RunStage stage;
  stage.name = s.at("name");
  stage.first = s.at("first_step");
  stage.last = s.at("last_step");
  stage.timestep = s.at("timestep");
  stage.state.temperature = s.at("temperature");
  stage.constant_energy = s.value("constant_energy", false);
  if (stage.constant_energy) stage.state.temperature = 0;  // the input's is that of velocities at the start, if at all
  stage.potential = s.value("potential", "");
  if (s.contains("parameters")) s.at("parameters").get_to(stage.force_field.parameters);
  stage.exchanges = s.value("exchange", false);
  stage.restrained = s.value("restraints", false);
  stage.ramp = s.value("ramp", false);
  if (s.contains("pressure")) stage.pressure = s.at("pressure").get<double>();
  if (s.contains("noise")) stage.noise = s.at("noise").get<std::uint64_t>();
  const auto& bias = s.at("bias");
  if (!bias.is_null()) {
    stage.state.boosted = true;
    stage.state.updating = bias.value("updating", false);
    stage.state.bias = {bias.at("method") == "gamd" ? BiasMethod::gamd : BiasMethod::amd, convention_of(bias.at("convention")),
                        boost_of(bias, "dihedral"), boost_of(bias, "total")};
    stage.convention = stage.state.bias.convention;
  } else if (s.contains("convention")) {
    stage.convention = convention_of(s.at("convention"));
  }
  return stage;
}

}  // namespace

std::vector<RunStage> run_stages(const std::string& directory) {
  const std::string file = (fs::path(directory) / "stages.json").string();
  std::ifstream in(file);
  if (!in) return {};
  std::vector<RunStage> stages;
  try {
    const nlohmann::json all = nlohmann::json::parse(in);
    for (const auto& s : all.at("stages")) stages.push_back(stage_of(s));
  } catch (const nlohmann::json::exception& e) {
    throw InputError(file + ": is damaged (" + e.what() +
                     "); put a copy back (of finished stages uplift run --resume does not write it anew)");
  }
  // Runs before the convention was noted wrote what the last boost would see.
  std::optional<BiasConvention> last;
  for (const RunStage& s : stages)
    if (s.state.boosted) last = s.state.bias.convention;
  for (RunStage& s : stages)
    if (!s.convention) s.convention = last.value_or(BiasConvention::amber);
  return stages;
}

StoredSystem stored_system(const h5::File& file, const std::string& directory) {
  StoredSystem s;
  s.directory = directory;
  const h5::Group t = file.open_group("parameters/topology");
  const std::vector<std::string> names = t.dataset("atom_name").read_text(), types = t.dataset("atom_type").read_text(),
                                 residues = t.dataset("residue_name").read_text(),
                                 chains = t.dataset("residue_chain").read_text();
  const auto element = t.dataset("atom_element").read<std::int32_t>(), residue = t.dataset("atom_residue").read<std::int32_t>(),
             number = t.dataset("residue_number").read<std::int32_t>();
  s.masses = t.dataset("mass_input").read<double>();
  s.molecule = t.dataset("atom_molecule").read<std::int32_t>();
  const auto bonds = file.dataset("connectivity/bonds").read<std::int32_t>();
  const std::size_t atoms = names.size();
  const auto within = [](const std::vector<std::int32_t>& all, std::size_t end) {
    return std::all_of(all.begin(), all.end(), [end](std::int32_t i) { return i >= 0 && static_cast<std::size_t>(i) < end; });
  };
  if (types.size() != atoms || element.size() != atoms || residue.size() != atoms || s.masses.size() != atoms ||
      s.molecule.size() != atoms || chains.size() != residues.size() || number.size() != residues.size() ||
      !within(residue, residues.size()) || !within(bonds, atoms))
    throw InputError(file.path() +
                     ": is damaged: the parts of its topology (parameters/topology, connectivity) do not fit "
                     "together; take it from a backup, or run again");
  for (std::size_t r = 0; r < residues.size(); ++r) {
    Residue one;
    one.name = residues[r];
    one.number = number[r];
    one.chain = chains[r];
    s.topology.residues.push_back(one);
  }
  for (std::size_t i = 0; i < atoms; ++i) {
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
  for (std::size_t b = 0; b + 1 < bonds.size(); b += 2) s.topology.bonds.push_back({bonds[b], bonds[b + 1]});
  return s;
}

FrameEnergies energies_from_table(const std::string& directory, const std::vector<std::int64_t>& steps) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  FrameEnergies e;
  e.potential.assign(steps.size(), unknown);
  e.dihedral.assign(steps.size(), unknown);
  e.cmap.assign(steps.size(), unknown);
  const std::string path = (fs::path(directory) / "energies.h5").string();
  if (!fs::exists(path)) return e;
  const h5::File file = h5::File::read(path);
  const auto row = file.dataset("step").read<std::int64_t>();
  const auto column = [&](const char* name) {
    return file.contains(name) ? file.dataset(name).read<double>() : std::vector<double>(row.size(), 0.0);
  };
  const std::vector<double> potential = column("potential"), dihedral = column("dihedral"), cmap = column("cmap");
  // A job that was killed leaves columns of different lengths.
  const std::size_t rows = std::min({row.size(), potential.size(), dihedral.size(), cmap.size()});
  const auto end = row.begin() + static_cast<std::ptrdiff_t>(rows);
  for (std::size_t f = 0; f < steps.size(); ++f) {
    const auto found = std::lower_bound(row.begin(), end, steps[f]);
    if (found == end || *found != steps[f]) continue;
    const auto k = static_cast<std::size_t>(found - row.begin());
    e.potential[f] = potential[k];
    e.dihedral[f] = dihedral[k];
    e.cmap[f] = cmap[k];
  }
  return e;
}

}  // namespace uplift
