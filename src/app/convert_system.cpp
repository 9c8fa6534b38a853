#include "convert_system.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "uplift/core/error.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/frames.hpp"
#include "uplift/io/structure.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift::app {
namespace {

template <class Parts>
System system_of(Parts parts) {
  std::vector<double> masses;
  for (const Atom& atom : parts.topology.atoms) masses.push_back(atom.mass);
  System system = bare_system(std::move(parts.topology), std::move(masses), parts.force_field.charges);
  system.force_field.virtual_sites = std::move(parts.force_field.virtual_sites);
  system.molecules = find_molecules(system.topology, system.force_field);
  return system;
}

}  // namespace

SystemSettings topology_settings(const std::string& path, const ConvertOptions& options) {
  SystemSettings settings;
  settings.topology = path;
  settings.parameters = options.parameters;
  settings.define = options.define;
  settings.include = options.include;
  for (const std::string& name : options.forcefield) settings.forcefield.push_back(find_forcefield(name, "."));
  return settings;
}

std::vector<std::string> topology_options(const std::string& path, bool typed) {
  const std::string suffix = file_suffix(path);
  if (suffix == "psf") return {"--parameters"};
  if (suffix == "top" || suffix == "itp") return {"--define", "--include"};
  if (typed && is_structure_file(path)) return {"--forcefield"};
  return {};
}

void refuse_idle(const std::string& file, const std::vector<std::pair<std::string, bool>>& given,
                 const std::vector<std::string>& matter) {
  static const std::map<std::string, std::string> meant{{"--parameters", "a .psf"},
                                                        {"--define", "a GROMACS .top"},
                                                        {"--include", "a GROMACS .top"},
                                                        {"--forcefield", "the topology of a .pdb or .cif"},
                                                        {"--coordinates", "a topology that becomes .prmtop or .pdb"},
                                                        {"--precision", ".xtc outputs"},
                                                        {"--drop-times", ".dcd outputs"},
                                                        {"--group", "H5MD inputs"},
                                                        {"--length-unit", "H5MD inputs"},
                                                        {"--time-unit", "H5MD inputs"}};
  std::string idle;
  int count = 0;
  for (const auto& [name, is_given] : given) {
    if (!is_given || std::find(matter.begin(), matter.end(), name) != matter.end()) continue;
    const auto found = meant.find(name);
    idle += (idle.empty() ? "" : ", ") + name + " (for " + (found == meant.end() ? "trajectories" : found->second) + ")";
    ++count;
  }
  if (count > 0)
    throw InputError(file + ": " + idle + (count > 1 ? " have" : " has") + " no effect here; leave " +
                     (count > 1 ? "them" : "it") + " out");
}

System read_any_system(const std::string& path, const ConvertOptions& options) {
  const std::string suffix = file_suffix(path);
  if (suffix == "psf" && options.parameters.empty()) return system_of(read_psf_terms(path));
  for (const char* known : {"prmtop", "parm7", "top", "psf"})
    if (suffix == known) return system_of(read_topology(topology_settings(path, options)));
  if (is_structure_file(path)) {
    Structure structure = read_structure(path);
    std::vector<double> masses;
    for (const Atom& atom : structure.topology.atoms) masses.push_back(atom.mass);
    return bare_system(std::move(structure.topology), std::move(masses));
  }
  if (suffix != "h5md" && suffix != "h5")
    throw InputError(path + ": no topology that uplift reads; give a .prmtop, .parm7, .top, .psf, .pdb, .cif or .h5md");
  std::optional<System> system = open_trajectory(path)->system();
  if (!system) throw InputError(path + ": does not name its atoms; give a .prmtop, .top, .psf or .pdb");
  return std::move(*system);
}

}  // namespace uplift::app
