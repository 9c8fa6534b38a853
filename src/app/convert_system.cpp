#include "convert_system.hpp"

#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/frames.hpp"
#include "uplift/io/structure.hpp"

namespace uplift::app {
namespace {

bool ends(std::string path, std::initializer_list<const char*> endings) {
  if (path.ends_with(".gz")) path.resize(path.size() - 3);
  for (const char* ending : endings)
    if (path.ends_with(ending)) return true;
  return false;
}

}  // namespace

System read_any_system(const std::string& path) {
  if (ends(path, {".prmtop", ".parm7", ".top"})) {
    AmberTopology amber = read_prmtop(path);
    std::vector<double> masses;
    for (const Atom& atom : amber.topology.atoms) masses.push_back(atom.mass);
    System system = bare_system(std::move(amber.topology), std::move(masses), amber.force_field.charges);
    system.force_field.virtual_sites = std::move(amber.force_field.virtual_sites);
    system.molecules = find_molecules(system.topology, system.force_field);
    return system;
  }
  if (is_structure_file(path)) {
    Structure structure = read_structure(path);
    std::vector<double> masses;
    for (const Atom& atom : structure.topology.atoms) masses.push_back(atom.mass);
    return bare_system(std::move(structure.topology), std::move(masses));
  }
  if (!ends(path, {".h5md", ".h5"}))
    throw InputError(path + ": no topology that uplift convert reads; give a .prmtop, .parm7, .pdb, .cif or .h5md");
  std::optional<System> system = open_trajectory(path)->system();
  if (!system) throw InputError(path + ": does not name its atoms; give a .prmtop or .pdb");
  return std::move(*system);
}

}  // namespace uplift::app
