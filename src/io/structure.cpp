#include "uplift/io/structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "structure_parts.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/model/residue_library.hpp"

namespace uplift {
namespace {

using structure::AtomAddress;
using structure::RawAtom;
using structure::RawResidue;
using structure::RawStructure;

std::string label(const RawResidue& r) {
  return fmt::format("{} {}{}{}{}", printable(r.name), printable(r.chain), r.chain.empty() ? "" : " ", r.number,
                     r.insertion == ' ' || r.insertion == 0 ? std::string() : std::string(1, r.insertion));
}

/// Keeps, of every residue, the atoms of one alternate location.
void choose_locations(std::vector<RawResidue>& residues, std::vector<std::string>& notes) {
  for (RawResidue& residue : residues) {
    struct Location {
      char letter;
      double sum = 0;
      int atoms = 0;
      double occupancy() const { return sum / atoms; }  // not the sum: one may have more atoms than another
    };
    std::vector<Location> found;  // in order of appearance
    for (const RawAtom& a : residue.atoms) {
      if (a.altloc == 0 || a.altloc == ' ') continue;
      auto at = std::find_if(found.begin(), found.end(), [&](const Location& l) { return l.letter == a.altloc; });
      if (at == found.end()) at = found.insert(found.end(), {a.altloc});
      at->sum += a.occupancy;
      ++at->atoms;
    }
    if (found.empty()) continue;
    constexpr double equal = 1e-6;  // occupancies have two decimals, in single precision
    const auto best = std::max_element(found.begin(), found.end(), [](const Location& p, const Location& q) {
      return p.occupancy() < q.occupancy() - equal || (p.occupancy() < q.occupancy() + equal && p.atoms < q.atoms);
    });
    const char kept = best->letter;
    // A heavy atom that this location lacks keeps the most occupied of its own. Hydrogens do not: a deuterium in the other
    // location lies where a hydrogen is here.
    const auto better = [&](const RawAtom& other, const RawAtom& a) {
      if (other.name != a.name || other.altloc == a.altloc) return false;
      if (other.altloc == kept || other.altloc == 0 || other.altloc == ' ') return true;
      return other.occupancy > a.occupancy || (other.occupancy == a.occupancy && other.altloc < a.altloc);
    };
    const std::vector<RawAtom> all = residue.atoms;
    std::erase_if(residue.atoms, [&](const RawAtom& a) {
      if (a.altloc == 0 || a.altloc == ' ' || a.altloc == kept) return false;
      return a.element == 1 || std::any_of(all.begin(), all.end(), [&](const RawAtom& other) { return better(other, a); });
    });
    if (found.size() > 1)
      notes.push_back(fmt::format("{} has {} alternate locations; {} is taken, the one with the largest occupancy",
                                  label(residue), found.size(), kept));
  }
}

bool same_place(const RawResidue& a, const RawResidue& b) {
  return a.chain == b.chain && a.number == b.number && a.insertion == b.insertion;
}
bool all_alternate(const RawResidue& r) {
  return std::all_of(r.atoms.begin(), r.atoms.end(), [](const RawAtom& a) { return a.altloc != 0 && a.altloc != ' '; });
}

/// Different residues at one place whose atoms stand in turn (N of PRO, N of SER, CA of PRO, ...) become one residue each.
void join_alternatives(std::vector<RawResidue>& residues) {
  std::vector<RawResidue> joined;
  std::string before;
  for (RawResidue& r : residues) {
    // Next to one of the same name: the scan had a reason to tell them apart.
    const bool apart = std::exchange(before, r.name) == r.name || !all_alternate(r);
    std::size_t there = joined.size();
    for (std::size_t k = joined.size(); k-- > 0 && same_place(joined[k], r) && !joined[k].ter && all_alternate(joined[k]);)
      if (joined[k].name == r.name) there = k;
    if (apart || there == joined.size()) {
      joined.push_back(std::move(r));
      continue;
    }
    joined[there].atoms.insert(joined[there].atoms.end(), r.atoms.begin(), r.atoms.end());
    joined.back().ter = joined.back().ter || r.ter;
  }
  residues = std::move(joined);
}

/// Different residues at one place of the chain: the one with the largest occupancy stays.
void choose_residues(std::vector<RawResidue>& residues, std::vector<std::string>& notes) {
  const auto occupancy = [](const RawResidue& r) {
    double sum = 0;
    for (const RawAtom& a : r.atoms) sum += a.occupancy;
    return r.atoms.empty() ? 0 : sum / static_cast<double>(r.atoms.size());
  };
  for (std::size_t k = 1; k < residues.size();) {
    RawResidue &a = residues[k - 1], &b = residues[k];
    if (!same_place(a, b) || a.name == b.name || a.ter || !all_alternate(a) || !all_alternate(b)) {
      ++k;
      continue;
    }
    const bool first = occupancy(a) >= occupancy(b);
    notes.push_back(
        fmt::format("{} and {} are alternatives at one place; {} is taken", label(a), label(b), first ? a.name : b.name));
    b.ter = a.ter || b.ter;
    if (first) {
      a.ter = b.ter;
      residues.erase(residues.begin() + static_cast<std::ptrdiff_t>(k));
    } else {
      residues.erase(residues.begin() + static_cast<std::ptrdiff_t>(k) - 1);
    }
  }
}

bool looks_like_water(const RawResidue& r) {
  int oxygens = 0, hydrogens = 0;
  for (const RawAtom& a : r.atoms) {
    oxygens += a.element == 8 || (a.element == 0 && a.name[0] == 'O' && a.name != "OM");
    hydrogens += a.element == 1;
  }
  return is_water_name(r.name) || (oxygens == 1 && hydrogens == 2 && r.atoms.size() <= 5);
}

bool is_site_name(const std::string& name) {
  for (const char* site :
       {"M", "MW", "EPW", "EP", "EP1", "EP2", "EPW1", "EPW2", "OM", "LP", "LP1", "LP2", "M1", "M2", "MW1", "MW2"})
    if (name == site) return true;
  return name.starts_with("LP");
}

/// Elements where the columns do not tell them, or tell them wrongly: extra points, ions whose names moved a column.
int element_of(const RawAtom& atom, const RawResidue& residue, bool water) {
  if (water) {
    if (is_site_name(atom.name)) return 0;
    if (atom.name[0] == 'O') return 8;
    if (atom.name[0] == 'H' || atom.name[0] == 'D') return 1;
  }
  if (library_residue(residue.name)) {  // only these elements there: CA is no calcium
    const std::size_t letter = atom.name.find_first_not_of("0123456789");
    if (letter != std::string::npos)
      if (const int e = element_number(std::string(1, atom.name[letter])); e > 0) return e;
  }
  if (residue.atoms.size() == 1) {
    std::string symbol;
    for (char c : residue.name)
      if (std::isalpha(static_cast<unsigned char>(c)))
        symbol += static_cast<char>(symbol.empty() ? std::toupper(c) : std::tolower(c));
    if (symbol == "Cla") symbol = "Cl";
    if (symbol == "Sod") symbol = "Na";
    if (symbol == "Pot") symbol = "K";
    if (symbol == "Ces") symbol = "Cs";
    if (const int e = element_number(symbol); e > 0) return e;
  }
  if (atom.element == 0 && is_site_name(atom.name)) return 0;
  return atom.element;
}

void add_atoms(const std::vector<RawResidue>& residues, Structure& s) {
  std::size_t unknown = 0;
  for (const RawResidue& r : residues) {
    const int index = static_cast<int>(s.topology.residues.size());
    s.topology.residues.push_back({r.name, r.number, r.chain, s.topology.size(), static_cast<int>(r.atoms.size()),
                                   r.insertion == ' ' || r.insertion == 0 ? std::string() : std::string(1, r.insertion)});
    const bool water = looks_like_water(r);
    for (const RawAtom& a : r.atoms) {
      const int element = element_of(a, r, water);
      unknown += element == 0 && !is_site_name(a.name);
      s.topology.atoms.push_back({a.name, "", element, element_mass(element), index});
      s.x.push_back(a.x);
      if (unknown == 1 && element == 0 && !is_site_name(a.name))
        s.notes.push_back("the element of " + describe_atom(s.topology, s.topology.size() - 1) + " is not known");
    }
  }
}

std::optional<Box> box_of(const std::string& path, const RawStructure& raw) {
  if (!raw.cell) return {};
  const auto& c = *raw.cell;
  const double nm = constants::nm_per_angstrom, degree = constants::radians_per_degree;
  try {
    return make_box({c[0] * nm, c[1] * nm, c[2] * nm}, {c[3] * degree, c[4] * degree, c[5] * degree});
  } catch (const InputError& e) {
    throw InputError(path + ": the cell (CRYST1 or _cell) makes no box: " + e.what());
  }
}

/// The bonds that the file names, as pairs of atoms.
std::vector<std::array<int, 2>> given_bonds(const RawStructure& raw, Structure& s) {
  using Key = std::tuple<std::string, int, char, std::string>;
  std::map<Key, int> places;
  std::map<int, int> by_serial;
  bool unique = true;
  int index = 0;
  for (const RawResidue& r : raw.residues)
    for (const RawAtom& a : r.atoms) {
      places.try_emplace({r.chain, r.number, r.insertion, a.name}, index);
      unique = by_serial.try_emplace(a.serial, index).second && unique;
      ++index;
    }
  std::vector<std::array<int, 2>> given;
  for (const auto& link : raw.links) {
    const auto find = [&](const AtomAddress& a) { return places.find({a.chain, a.number, a.insertion, a.atom}); };
    const auto i = find(link[0]), j = find(link[1]);
    if (i != places.end() && j != places.end() && i->second != j->second) given.push_back({i->second, j->second});
  }
  if (!unique && !raw.serial_bonds.empty())
    s.notes.push_back("CONECT records are passed over: serial numbers of atoms occur more than once");
  if (unique)
    for (const auto& [first, second] : raw.serial_bonds) {
      const auto i = by_serial.find(first), j = by_serial.find(second);
      if (i != by_serial.end() && j != by_serial.end() && i->second != j->second) given.push_back({i->second, j->second});
    }
  return given;
}

bool is_mmcif(const std::string& path, const std::string& text) {
  LineReader lines(text);
  while (!lines.done()) {
    const std::string_view line = trim(lines.next());
    if (line.empty() || line[0] == '#') continue;
    return line.starts_with("data_") || (path.find(".cif") != std::string::npos && !line.starts_with("ATOM"));
  }
  return false;
}

}  // namespace

bool is_structure_file(const std::string& path) {
  std::string name = path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name.ends_with(".pdb") || name.ends_with(".ent") || name.ends_with(".cif") || name.ends_with(".mmcif");
}

Structure read_structure(const std::string& path) try {
  const std::string text = read_file(path);
  RawStructure raw = is_mmcif(path, text) ? structure::parse_mmcif(path, text) : structure::parse_pdb(path, text);
  Structure s;
  s.path = path;
  s.models = raw.models;
  s.topology.title = raw.title;
  if (raw.models > 1) s.notes.push_back(fmt::format("{}: the first of {} models is taken", path, raw.models));
  join_alternatives(raw.residues);
  choose_residues(raw.residues, s.notes);
  choose_locations(raw.residues, s.notes);
  std::erase_if(raw.residues, [](const RawResidue& r) { return r.atoms.empty(); });
  add_atoms(raw.residues, s);
  s.box = box_of(path, raw);
  if (s.box && !raw.space_group.empty() && raw.space_group != "P 1" && raw.space_group != "P1")
    s.notes.push_back(
        fmt::format("{}: a crystal with space group {}; only the atoms in the file are taken, the cell is the box", path,
                    printable(raw.space_group)));
  if (raw.symmetry_bonds > 0)
    s.notes.push_back(
        fmt::format("{}: {} bond{} of SSBOND, LINK or struct_conn lead to copies by the symmetry of the crystal, which are not "
                    "in the file, and are left out",
                    path, raw.symmetry_bonds, raw.symmetry_bonds == 1 ? "" : "s"));
  std::vector<bool> ter;
  for (std::size_t r = 0; r < raw.residues.size(); ++r)
    ter.push_back(raw.residues[r].ter || r + 1 == raw.residues.size() || raw.residues[r + 1].chain != raw.residues[r].chain);
  find_bonds(s, ter, given_bonds(raw, s));
  return s;
} catch (const std::bad_alloc&) {
  throw InputError(path + ": the structure does not fit into this machine's memory");
}

}  // namespace uplift
