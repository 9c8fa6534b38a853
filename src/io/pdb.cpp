#include "uplift/io/pdb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <string_view>

#include "uplift/core/assert.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr int serials = 100000, residue_numbers = 10000;

// Residues that the PDB counts as parts of polymers (ATOM), with the names that Amber gives their variants. Others are HETATM.
constexpr auto polymer_residues = std::to_array<std::string_view>(
    {"A",   "A3",  "A5",  "ACE", "ALA", "ARG", "ASH", "ASN", "ASP", "C",   "C3",  "C5",  "CYM", "CYS", "CYX",
     "DA",  "DA3", "DA5", "DAN", "DC",  "DC3", "DC5", "DCN", "DG",  "DG3", "DG5", "DGN", "DT",  "DT3", "DT5",
     "DTN", "G",   "G3",  "G5",  "GLH", "GLN", "GLU", "GLY", "HID", "HIE", "HIP", "HIS", "HSD", "HSE", "HSP",
     "HYP", "ILE", "LEU", "LYN", "LYS", "MET", "NHE", "NME", "PHE", "PRO", "RA",  "RA3", "RA5", "RC",  "RC3",
     "RC5", "RG",  "RG3", "RG5", "RU",  "RU3", "RU5", "SER", "THR", "TRP", "TYR", "U",   "U3",  "U5",  "VAL"});

bool is_polymer(const std::string& residue) {
  return std::find(polymer_residues.begin(), polymer_residues.end(), residue) != polymer_residues.end();
}

// Columns 13-16: a one-letter element starts in column 14 unless the name needs all four.
std::string aligned_name(const std::string& name, const std::string& element) {
  const std::string cut = name.substr(0, 4);
  return cut.size() == 4 || element.size() == 2 ? fmt::format("{:<4}", cut) : fmt::format(" {:<3}", cut);
}

// Eight columns; decimals are given up before columns are.
std::string coordinate(double nm) {
  const double angstrom = nm / constants::nm_per_angstrom + 0.0;  // no negative zero
  for (int decimals = 3; decimals >= 0; --decimals) {
    std::string text = fmt::format("{:8.{}f}", angstrom, decimals);
    if (text.size() <= 8) return text;
  }
  throw SimulationError(fmt::format(
      "a coordinate of {:g} nm does not fit into a PDB file (the system has drifted apart); check the input coordinates", nm));
}

}  // namespace

std::string pdb_cell(const Box& box) {
  Vec3d lengths{}, angles{};
  box_parameters(box, lengths, angles);
  const double degrees = constants::degrees_per_radian;
  return fmt::format("CRYST1{:9.3f}{:9.3f}{:9.3f}{:7.2f}{:7.2f}{:7.2f} P 1           1\n",
                     lengths.x / constants::nm_per_angstrom, lengths.y / constants::nm_per_angstrom,
                     lengths.z / constants::nm_per_angstrom, angles.x * degrees, angles.y * degrees, angles.z * degrees);
}

namespace {

/// Molecules of more than one residue: those that end with TER.
std::vector<bool> chain_molecules(const System& system) {
  const std::vector<int>& molecule_of = system.molecules.molecule_of;
  std::vector<int> residue(static_cast<std::size_t>(system.molecules.count), -1);
  std::vector<bool> chain(residue.size(), false);
  for (std::size_t i = 0; i < molecule_of.size(); ++i) {
    const auto m = static_cast<std::size_t>(molecule_of[i]);
    const int r = system.topology.atoms[i].residue;
    if (residue[m] >= 0 && residue[m] != r) chain[m] = true;
    residue[m] = r;
  }
  return chain;
}

std::vector<int> all_or(const std::vector<int>& chosen, std::size_t count) {
  if (!chosen.empty()) return chosen;
  std::vector<int> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void append_bonds(std::string& text, const System& system, const std::vector<int>& atoms) {
  std::vector<int> serial(static_cast<std::size_t>(system.size()), 0);
  for (std::size_t n = 0; n < atoms.size(); ++n) serial[static_cast<std::size_t>(atoms[n])] = static_cast<int>(n) + 1;
  std::vector<std::vector<int>> partners(atoms.size() + 1);
  for (const Bond& bond : system.topology.bonds) {
    const int i = serial[static_cast<std::size_t>(bond.i)], j = serial[static_cast<std::size_t>(bond.j)];
    if (i == 0 || j == 0) continue;
    partners[static_cast<std::size_t>(i)].push_back(j);
    partners[static_cast<std::size_t>(j)].push_back(i);
  }
  for (std::size_t i = 1; i < partners.size(); ++i) {
    std::sort(partners[i].begin(), partners[i].end());
    for (std::size_t n = 0; n < partners[i].size(); ++n) {
      if (n % 4 == 0) text += fmt::format("{}CONECT{:5d}", n ? "\n" : "", i);
      text += fmt::format("{:5d}", partners[i][n]);
    }
    if (!partners[i].empty()) text += '\n';
  }
}

}  // namespace

std::string pdb_atoms(const System& system, std::span<const Vec3d> x, const std::vector<int>& chosen) {
  const Topology& topology = system.topology;
  UPLIFT_EXPECT(x.size() == topology.atoms.size());
  const std::vector<int> atoms = all_or(chosen, x.size());
  const std::vector<bool> chain = chain_molecules(system);
  const auto molecule = [&](std::size_t i) {
    return i < system.molecules.molecule_of.size() ? system.molecules.molecule_of[i] : -1;
  };

  std::string text;
  text.reserve(81 * (atoms.size() + 16));
  for (std::size_t n = 0; n < atoms.size(); ++n) {
    const auto i = static_cast<std::size_t>(atoms[n]);
    const Atom& atom = topology.atoms[i];
    const Residue& residue = topology.residues[static_cast<std::size_t>(atom.residue)];
    std::string element = atom.element > 0 ? element_symbol(atom.element) : "";
    const std::string name = aligned_name(atom.name, element);
    std::transform(element.begin(), element.end(), element.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const std::string residue_name = residue.name.substr(0, 4);
    const int number = residue.number > -1000 && residue.number < residue_numbers
                           ? residue.number
                           : (residue.number % residue_numbers + residue_numbers) % residue_numbers;
    fmt::format_to(std::back_inserter(text), "{:<6}{:5d} {} {} {}{:4d}{:<1.1}   {}{}{}{:6.2f}{:6.2f}          {:>2}  \n",
                   is_polymer(residue.name) ? "ATOM" : "HETATM", (n + 1) % serials, name,
                   residue_name.size() == 4 ? residue_name.substr(0, 3) : fmt::format("{:>3}", residue_name),
                   residue.chain.empty() ? " " : residue.chain.substr(0, 1), number, residue.insertion, coordinate(x[i].x),
                   coordinate(x[i].y), coordinate(x[i].z), 1.0, 0.0, element);
    if (residue_name.size() == 4) text[text.size() - 81 + 20] = residue_name[3];
    const int own = molecule(i);
    const bool last = n + 1 == atoms.size() || molecule(static_cast<std::size_t>(atoms[n + 1])) != own;
    if (last && own >= 0 && chain[static_cast<std::size_t>(own)]) text += "TER\n";
  }
  return text;
}

std::string pdb_bonds(const System& system, const std::vector<int>& chosen) {
  const std::vector<int> atoms = all_or(chosen, system.topology.atoms.size());
  std::string text;
  if (atoms.size() < static_cast<std::size_t>(serials)) append_bonds(text, system, atoms);
  return text;
}

std::string pdb_text(const System& system, const Box& box, std::span<const Vec3d> x, const std::vector<int>& atoms) {
  const std::string& title = system.topology.title;
  return fmt::format("REMARK   1 {:.60}\n", title.substr(0, title.find('\n'))) + (box.periodic() ? pdb_cell(box) : "") +
         pdb_atoms(system, x, atoms) + pdb_bonds(system, atoms) + "END\n";
}

void write_topology_pdb(const std::string& path, const System& system, const Box& box, std::span<const Vec3d> x,
                        const std::vector<int>& atoms) {
  write_file(path, pdb_text(system, box, x, atoms));
}

}  // namespace uplift
