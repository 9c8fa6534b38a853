// What makes a trajectory describe itself: topology, masses, charges and bonds, and the same once more as VMD's plugin wants
// it.
#include <algorithm>
#include <map>
#include <numeric>

#include "uplift/io/trajectory.hpp"

namespace uplift {
namespace {

template <class T>
std::span<const T> view(const std::vector<T>& values) {
  return {values.data(), values.size()};
}

// Van der Waals radii [Angstrom] (Bondi, J. Phys. Chem. 68, 441 (1964); H from Rowland and Taylor 1996), for drawing only.
double drawing_radius(int element) {
  switch (element) {
    case 0:
      return 0.5;
    case 1:
      return 1.10;
    case 6:
      return 1.70;
    case 7:
      return 1.55;
    case 8:
      return 1.52;
    case 9:
      return 1.47;
    case 11:
      return 2.27;
    case 12:
      return 1.73;
    case 15:
      return 1.80;
    case 16:
      return 1.80;
    case 17:
      return 1.75;
    case 19:
      return 2.75;
    case 30:
      return 1.39;
    case 35:
      return 1.85;
    case 53:
      return 1.98;
    default:
      return 2.0;
  }
}

/// The stored part of a topology, renumbered from zero.
struct Stored {
  std::vector<int> residue;         ///< of each stored atom, index into `residues`
  std::vector<int> residues;        ///< index into Topology::residues
  std::vector<std::int32_t> bonds;  ///< pairs, 0-based
};

Stored renumber(const Topology& topology, const std::vector<int>& atoms) {
  Stored stored;
  std::vector<int> place(static_cast<std::size_t>(topology.size()), -1);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    place[static_cast<std::size_t>(atoms[i])] = static_cast<int>(i);
    const int residue = topology.atoms[static_cast<std::size_t>(atoms[i])].residue;
    if (stored.residues.empty() || stored.residues.back() != residue) stored.residues.push_back(residue);
    stored.residue.push_back(static_cast<int>(stored.residues.size()) - 1);
  }
  for (const Bond& bond : topology.bonds) {
    const int i = place[static_cast<std::size_t>(bond.i)], j = place[static_cast<std::size_t>(bond.j)];
    if (i < 0 || j < 0) continue;
    stored.bonds.push_back(i);
    stored.bonds.push_back(j);
  }
  return stored;
}

void write_atoms(h5::Group topology, const System& system, const std::vector<int>& atoms, const Stored& stored) {
  std::vector<std::string> names, types;
  std::vector<std::int32_t> element, molecule;
  std::vector<double> input_mass, mass, charge;
  for (int a : atoms) {
    const auto i = static_cast<std::size_t>(a);
    const Atom& atom = system.topology.atoms[i];
    names.push_back(atom.name);
    types.push_back(atom.type);
    element.push_back(atom.element);
    input_mass.push_back(atom.mass);
    mass.push_back(system.masses[i]);
    charge.push_back(system.force_field.charges[i]);
    molecule.push_back(i < system.molecules.molecule_of.size() ? system.molecules.molecule_of[i] : 0);
  }
  topology.write_names("atom_name", names);
  topology.write_names("atom_type", types);
  topology.write("atom_element", view(element)).set("meaning", "atomic number; 0: virtual site");
  topology.write("atom_residue", view(stored.residue)).set("meaning", "row of residue_name, from 0");
  topology.write("atom_molecule", view(molecule));
  topology.write("atom_index", view(atoms)).set("meaning", "atom number in the simulated system, from 0");
  topology.write("mass_input", view(input_mass)).set("unit", "u");
  topology.write("mass", view(mass)).set("unit", "u");
  topology.write("charge", view(charge)).set("unit", "e");
}

void write_residues(h5::Group topology, const System& system, const Stored& stored) {
  std::vector<std::string> names, chains;
  std::vector<std::int32_t> numbers;
  for (int r : stored.residues) {
    const Residue& residue = system.topology.residues[static_cast<std::size_t>(r)];
    names.push_back(residue.name);
    chains.push_back(residue.chain);
    numbers.push_back(residue.number);
  }
  topology.write_names("residue_name", names);
  topology.write("residue_number", view(numbers));
  topology.write_names("residue_chain", chains);
}

// VMD's plugin looks up name, type, radius and atomicnumber by species, and resname and chain by resid: resid counts stored
// residues from 1, and row 0 of the two tables is empty. It frees strings as fixed-length ones only.
void write_vmd_structure(h5::Group vmd, const System& system, const std::vector<int>& atoms, const Stored& stored) {
  std::map<int, int> elements;
  std::vector<std::string> segid;
  std::vector<std::int32_t> resid;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    elements[system.topology.atoms[static_cast<std::size_t>(atoms[i])].element] = 0;
    resid.push_back(stored.residue[i] + 1);
    segid.push_back(
        system.topology.residues[static_cast<std::size_t>(stored.residues[static_cast<std::size_t>(stored.residue[i])])].chain);
  }
  std::vector<std::int32_t> species;
  std::vector<std::string> symbol;
  std::vector<double> radius;
  for (const auto& [element, unused] : elements) {
    species.push_back(element);
    symbol.push_back(element_symbol(element));
    radius.push_back(drawing_radius(element));
  }
  std::vector<std::string> resname{""}, chain{""};
  for (int r : stored.residues) {
    resname.push_back(system.topology.residues[static_cast<std::size_t>(r)].name);
    chain.push_back(system.topology.residues[static_cast<std::size_t>(r)].chain.substr(0, 1));
  }
  vmd.write("indexOfSpecies", view(species));
  vmd.write("atomicnumber", view(species));
  vmd.write_names("name", symbol);
  vmd.write_names("type", symbol);
  vmd.write("radius", view(radius));
  vmd.write("resid", view(resid));
  vmd.write_names("resname", resname);
  vmd.write_names("chain", chain);
  vmd.write_names("segid", segid);
  std::vector<std::int32_t> from, to;
  for (std::size_t b = 0; b < stored.bonds.size(); b += 2) {
    from.push_back(stored.bonds[b] + 1);
    to.push_back(stored.bonds[b + 1] + 1);
  }
  vmd.write("bond_from", view(from));
  vmd.write("bond_to", view(to));
}

}  // namespace

void write_trajectory_topology(h5::File& file, const System& system, const std::vector<int>& atoms) {
  const Stored stored = renumber(system.topology, atoms);
  h5::Group particles = file.group("particles/trajectory");

  // Species are atomic numbers: that is how ASE's readers take them.
  std::vector<std::int32_t> species;
  std::vector<double> mass, charge;
  for (int a : atoms) {
    const auto i = static_cast<std::size_t>(a);
    species.push_back(system.topology.atoms[i].element);
    mass.push_back(system.masses[i]);
    charge.push_back(system.force_field.charges[i]);
  }
  particles.write("species", view(species));
  particles.write("mass", view(mass)).set("unit", "u");
  h5::Dataset charges = particles.write("charge", view(charge));
  charges.set("unit", "e");
  charges.set("type", "effective");

  h5::Dataset bonds = file.write("connectivity/bonds", view(stored.bonds), {stored.bonds.size() / 2, 2});
  bonds.set_reference("particles_group", particles);

  h5::Group topology = file.group("parameters/topology");
  write_atoms(file.group("parameters/topology"), system, atoms, stored);
  write_residues(file.group("parameters/topology"), system, stored);
  topology.link("/connectivity/bonds", "bonds");
  write_vmd_structure(file.group("parameters/vmd_structure"), system, atoms, stored);
}

}  // namespace uplift
