#include "uplift/model/residue_library.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "residue_library_tables.hpp"
#include "uplift/core/constants.hpp"

namespace uplift {
namespace {

constexpr double degree = constants::radians_per_degree;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  std::istringstream in{std::string(text)};
  while (std::getline(in, part, separator))
    if (!part.empty()) parts.push_back(part);
  return parts;
}

/// "CG N CA CB 1.516 112.6 -65": name, three parents, Angstrom, degrees, degrees.
IdealAtom parse_atom(const std::string& text) {
  std::istringstream in(text);
  IdealAtom a;
  in >> a.name >> a.from[0] >> a.from[1] >> a.from[2] >> a.length >> a.angle >> a.torsion;
  a.length *= constants::nm_per_angstrom;
  a.angle *= degree;
  a.torsion *= degree;
  return a;
}

/// "HB2,HB3@CB HE@NE*": hydrogens, their parent, a star for a planar one.
std::vector<IdealHydrogens> parse_hydrogens(std::string_view text) {
  std::vector<IdealHydrogens> all;
  for (std::string group : split(text, ' ')) {
    IdealHydrogens h;
    h.planar = group.back() == '*';
    if (h.planar) group.pop_back();
    const std::size_t at = group.find('@');
    h.names = split(group.substr(0, at), ',');
    h.parent = group.substr(at + 1);
    all.push_back(h);
  }
  return all;
}

void add_bonds(std::string_view text, LibraryResidue& residue) {
  for (const std::string& bond : split(text, ' ')) {
    const std::size_t dash = bond.find('-');
    residue.bonds.emplace_back(bond.substr(0, dash), bond.substr(dash + 1));
  }
}

LibraryResidue make(const tables::ResidueRow& row, ResidueKind kind) {
  LibraryResidue r;
  r.name = row.name;
  r.letter = row.letter;
  r.kind = kind;
  for (const std::string& atom : split(row.side_chain, ';')) {
    r.side_chain.push_back(parse_atom(atom));
    r.bonds.emplace_back(r.side_chain.back().from[2], r.side_chain.back().name);
  }
  add_bonds(row.bonds, r);
  r.hydrogens = parse_hydrogens(row.hydrogens);
  if (kind == ResidueKind::amino_acid) {
    add_bonds("N-CA CA-C C-O C-OXT", r);
    if (r.name != "PRO") r.hydrogens.push_back({{"H"}, "N", true});
    if (r.name != "GLY") {
      const double length = 1.530 * constants::nm_per_angstrom;
      const bool ring = r.name == "PRO";  // which closes only with its narrower angle
      r.side_chain.insert(r.side_chain.begin(),
                          {"CB", {"C", "N", "CA"}, length, (ring ? 103.0 : 110.4) * degree, (ring ? -118.2 : -122.6) * degree});
      r.bonds.emplace_back("CA", "CB");
      r.hydrogens.push_back({{"HA"}, "CA", false});
    }
  }
  return r;
}

struct Library {
  std::map<std::string, LibraryResidue> residues;
  std::map<std::string, std::string> aliases;

  Library() {
    for (const tables::ResidueRow& row : tables::amino_acids) residues[row.name] = make(row, ResidueKind::amino_acid);
    for (const tables::ResidueRow& row : tables::caps) residues[row.name] = make(row, ResidueKind::cap);
    for (const tables::VariantRow& row : tables::variants) {
      LibraryResidue r = residues.at(row.of);
      r.name = row.name;
      r.letter = 0;
      for (const IdealHydrogens& h : parse_hydrogens(row.hydrogens)) {
        std::erase_if(r.hydrogens, [&](const IdealHydrogens& old) { return old.parent == h.parent; });
        if (h.names.front() != "-") r.hydrogens.push_back(h);
      }
      residues[row.name] = r;
    }
    for (const tables::ResidueRow& row : tables::nucleotides) {
      LibraryResidue r = make(row, ResidueKind::nucleotide);
      add_bonds(tables::sugar_phosphate, r);
      if (row.name[0] != 'D') add_bonds("C2'-O2'", r);
      residues[row.name] = r;
    }
    for (const auto& [alias, name] : tables::aliases) aliases[alias] = name;
  }
};

const Library& library() {
  static const Library all;
  return all;
}

}  // namespace

const LibraryResidue* library_residue(const std::string& given) {
  const Library& all = library();
  const auto find = [&](const std::string& name) -> const LibraryResidue* {
    const auto alias = all.aliases.find(name);
    const auto found = all.residues.find(alias == all.aliases.end() ? name : alias->second);
    return found == all.residues.end() ? nullptr : &found->second;
  };
  if (const LibraryResidue* r = find(given)) return r;
  if (given.size() == 4 && (given[0] == 'N' || given[0] == 'C')) {
    const LibraryResidue* r = find(given.substr(1));
    if (r && r->kind == ResidueKind::amino_acid) return r;
  }
  if (given.size() >= 2 && std::string_view("35N").find(given.back()) != std::string_view::npos) {
    const LibraryResidue* r = find(given.substr(0, given.size() - 1));
    if (r && r->kind == ResidueKind::nucleotide) return r;
  }
  return nullptr;
}

const LibraryResidue* library_residue(char letter) {
  for (const auto& [name, residue] : library().residues)
    if (residue.letter == letter && letter != 0) return &residue;
  return nullptr;
}

bool is_water_name(const std::string& name) {
  return std::find(tables::water_names.begin(), tables::water_names.end(), name) != tables::water_names.end();
}

bool is_metal(int atomic_number) {
  constexpr std::array others = {1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 33, 34, 35, 36, 52, 53, 54, 85, 86};
  return atomic_number > 0 && std::find(others.begin(), others.end(), atomic_number) == others.end();
}

std::string library_atom_name(const LibraryResidue& residue, const std::string& given) {
  std::string name = given;
  if (residue.kind == ResidueKind::nucleotide) {
    std::replace(name.begin(), name.end(), '*', '\'');
    if (name == "O1P") return "OP1";
    if (name == "O2P") return "OP2";
    if (name == "C5M") return "C7";
    return name;
  }
  if (residue.name == "ILE" && name == "CD") return "CD1";
  if (residue.name == "NME" && name == "CH3") return "C";
  if (residue.name == "ACE" && name == "CAY") return "CH3";
  if (residue.kind == ResidueKind::amino_acid) {
    if (name == "OT1" || name == "O1") return "O";
    if (name == "OT2" || name == "O2") return "OXT";
    if (name == "HN") return "H";
  }
  return name;
}

}  // namespace uplift
