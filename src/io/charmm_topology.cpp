// A PSF and its parameters put together.
#include <algorithm>
#include <cmath>
#include <new>
#include <set>

#include "amber_parts.hpp"
#include "charmm_parts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::charmm {
namespace {

using amber::angle_constant;
using amber::bond_constant;
using amber::kj_per_kcal;
using amber::nm_per_angstrom;

std::size_t index(int i) { return static_cast<std::size_t>(i); }

class Assembler {
 public:
  Assembler(Psf psf, Parameters parameters) : psf_(std::move(psf)), p_(std::move(parameters)) {}

  TopologyFile build() {
    name_types();
    bonds();
    elements();
    angles();
    torsions();
    cross_terms();
    exclusions();
    lennard_jones();
    return finished();
  }

  TopologyFile build_without_parameters() {
    ff_.charges = psf_.charges;
    for (const auto& b : psf_.bonds) ff_.bonds.push_back({b[0], b[1], 0, 0});
    elements();
    for (const auto& a : psf_.angles) ff_.angles.push_back({a[0], a[1], a[2], 0, 0});
    for (const auto& d : psf_.dihedrals) ff_.dihedrals.push_back({d[0], d[1], d[2], d[3], 1, 0, 0, false});
    for (const auto& d : psf_.impropers) ff_.impropers.push_back({d[0], d[1], d[2], d[3], 0, 0});
    for (const auto& c : psf_.cross_terms) ff_.cmaps.push_back({c[0], c[1], c[2], c[3], c[7], 0});
    return finished();
  }

 private:
  TopologyFile finished() {
    out_.kind = "CHARMM PSF";
    out_.topology = std::move(psf_.topology);
    out_.force_field = std::move(ff_);
    return std::move(out_);
  }
  [[noreturn]] void fail(const std::string& section, const std::string& message) const {
    const auto line = psf_.section_lines.find(section);
    throw InputError(psf_.path + ":" + std::to_string(line == psf_.section_lines.end() ? 1 : line->second) + ": section !" +
                     section + ": " + message);
  }
  [[noreturn]] void missing(const std::string& section, const char* what, const Types& types, int atom) const {
    std::string names;
    for (const std::string& t : types) names += (names.empty() ? "" : " ") + printable(t);
    fail(section, std::string("no file of system.parameters has the ") + what + " of the types " + names + " (at " +
                      describe_atom(psf_.topology, atom) + "); add the file that has it");
  }
  template <std::size_t N>
  Types types(const std::array<int, N>& atoms) const {
    Types all;
    for (int a : atoms) all.push_back(psf_.topology.atoms[index(a)].type);
    return all;
  }

  /// CHARMM's own PSFs number the types, X-PLOR's name them.
  void name_types() {
    for (std::size_t i = 0; i < psf_.topology.atoms.size(); ++i) {
      std::string& type = psf_.topology.atoms[i].type;
      int number = 0;
      if (!parse_int(type, number) || p_.nonbonded.count(type)) continue;
      const auto at = p_.type_numbers.find(number);
      if (at == p_.type_numbers.end())
        fail("NATOM", describe_atom(psf_.topology, static_cast<int>(i)) + " has type number " + printable(type) +
                          ", and no MASS line of system.parameters has that number; add the topology file (.rtf) that the PSF "
                          "was made with, or write the PSF in X-PLOR's format");
      type = at->second;
    }
    ff_.charges = psf_.charges;
  }

  void bonds() {
    for (const auto& b : psf_.bonds) {
      const auto at = p_.bonds.find(canonical(types(b)));
      if (at == p_.bonds.end()) missing("NBOND", "bond", types(b), b[0]);
      if (at->second.length < 0) fail("NBOND", "a bond length is negative; the parameters are damaged");
      ff_.bonds.push_back({b[0], b[1], at->second.length * nm_per_angstrom, at->second.k * bond_constant});
    }
  }

  /// Elements by MASS lines, else by mass; chemical bonds are all but those that hold the shape of water.
  void elements() {
    Topology& t = psf_.topology;
    for (Atom& a : t.atoms)
      if (const auto at = p_.elements.find(a.type); at != p_.elements.end() && a.mass > 0) a.element = at->second;
    amber::find_elements(ff_.bonds, t);
    for (const auto& b : psf_.bonds) t.bonds.push_back({std::min(b[0], b[1]), std::max(b[0], b[1])});
    const auto key = [](const Bond2& b) { return std::pair(b.i, b.j); };
    std::sort(t.bonds.begin(), t.bonds.end(), [&](const Bond2& a, const Bond2& b) { return key(a) < key(b); });
    t.bonds.erase(std::unique(t.bonds.begin(), t.bonds.end(), [&](const Bond2& a, const Bond2& b) { return key(a) == key(b); }),
                  t.bonds.end());
    std::vector<char> water(t.residues.size());
    for (std::size_t r = 0; r < water.size(); ++r) water[r] = is_water(t, t.residues[r]);
    std::erase_if(t.bonds, [&](const Bond2& b) {
      const Atom &i = t.atoms[index(b.i)], &j = t.atoms[index(b.j)];
      return i.element == 1 && j.element == 1 && i.residue == j.residue && water[index(i.residue)];
    });
  }

  void angles() {
    for (const auto& a : psf_.angles) {
      const auto at = p_.angles.find(canonical(types(a)));
      if (at == p_.angles.end()) missing("NTHETA", "angle", types(a), a[1]);
      ff_.angles.push_back({a[0], a[1], a[2], at->second.angle, at->second.k * angle_constant});
      if (const auto& u = at->second.urey_bradley; u && u->k != 0)
        ff_.urey_bradleys.push_back({a[0], a[2], u->length * nm_per_angstrom, u->k * bond_constant});
    }
  }

  void torsions() {
    // A PSF may list a dihedral once for each of its terms; parameters hold them all.
    std::set<std::array<int, 4>> seen;
    for (const auto& d : psf_.dihedrals) {
      const std::array<int, 4> back{d[3], d[2], d[1], d[0]};
      if (!seen.insert(std::min(d, back)).second) continue;
      const auto* terms = find_torsion(p_.dihedrals, types(d), false);
      if (!terms) missing("NPHI", "dihedral", types(d), d[1]);
      for (const Torsion& t : *terms) add_periodic(d, t, false);
    }
    for (const auto& d : psf_.impropers) {
      const auto* terms = find_torsion(p_.impropers, types(d), true);
      if (!terms) missing("NIMPHI", "improper", types(d), d[0]);
      for (const Torsion& t : *terms)
        if (t.periodicity > 0)
          add_periodic(d, t, true);
        else
          ff_.impropers.push_back({d[0], d[1], d[2], d[3], t.phase, t.k * angle_constant});
    }
  }
  void add_periodic(const std::array<int, 4>& d, const Torsion& t, bool improper) {
    ff_.dihedrals.push_back({d[0], d[1], d[2], d[3], t.periodicity, t.phase, t.k * kj_per_kcal, improper});
  }

  void cross_terms() {
    std::map<Types, int> used;
    for (const auto& c : psf_.cross_terms) {
      if (c[1] != c[4] || c[2] != c[5] || c[3] != c[6])
        fail("NCRTERM", "the two dihedrals at " + describe_atom(psf_.topology, c[1]) +
                            " do not share three atoms in a row, which the engine needs; the file is damaged");
      const Types t = types(c);
      const auto at = p_.cmaps.find(t);
      if (at == p_.cmaps.end()) missing("NCRTERM", "map (CMAP)", t, c[1]);
      const auto [number, fresh] = used.try_emplace(t, static_cast<int>(ff_.cmap_grids.size()));
      if (fresh) ff_.cmap_grids.push_back(at->second);
      ff_.cmaps.push_back({c[0], c[1], c[2], c[3], c[7], number->second});
    }
  }

  /// Atoms one and two bonds apart do not interact; those three bonds apart do so by the special parameters.
  void exclusions() {
    const int atoms = psf_.topology.size();
    std::vector<std::vector<int>> near(index(atoms));
    for (const auto& [i, j] : psf_.bonds) {
      near[index(i)].push_back(j);
      near[index(j)].push_back(i);
    }
    ff_.exclusions = psf_.exclusions;
    for (int first = 0; first < atoms; ++first) {
      std::set<int> seen{first};
      std::vector<int> shell{first};
      for (int step = 1; step <= 3; ++step) {
        std::vector<int> next;
        for (int i : shell)
          for (int j : near[index(i)])
            if (seen.insert(j).second) next.push_back(j);
        for (int j : next)
          if (j > first) {
            ff_.exclusions.push_back({first, j});
            if (step == 3) pairs_.push_back({first, j});
          }
        shell = std::move(next);
      }
    }
    std::sort(ff_.exclusions.begin(), ff_.exclusions.end());
    ff_.exclusions.erase(std::unique(ff_.exclusions.begin(), ff_.exclusions.end()), ff_.exclusions.end());
    std::vector<std::array<int, 2>> explicit_ones = psf_.exclusions;
    std::sort(explicit_ones.begin(), explicit_ones.end());
    std::erase_if(pairs_, [&](const auto& p) { return std::binary_search(explicit_ones.begin(), explicit_ones.end(), p); });
  }

  void lennard_jones() {
    std::map<std::string, int> number;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < psf_.topology.atoms.size(); ++i) {
      const std::string& type = psf_.topology.atoms[i].type;
      const auto [at, fresh] = number.try_emplace(type, static_cast<int>(names.size()));
      if (fresh) {
        names.push_back(type);
        if (!p_.nonbonded.count(type)) missing("NATOM", "NONBONDED line", {type}, static_cast<int>(i));
      }
      ff_.lj_type.push_back(at->second);
    }
    ff_.lj_types = static_cast<int>(names.size());
    for (const std::string& a : names)
      for (const std::string& b : names) {
        const auto [c6, c12] = pair(a, b, false);
        ff_.lj_c6.push_back(c6);
        ff_.lj_c12.push_back(c12);
      }
    for (const auto& [i, j] : pairs_) {
      const auto [c6, c12] = pair(psf_.topology.atoms[index(i)].type, psf_.topology.atoms[index(j)].type, true);
      ff_.pairs14.push_back({i, j, p_.e14_factor * ff_.charges[index(i)] * ff_.charges[index(j)], c6, c12});
    }
  }

  /// E = epsilon ((Rmin/r)^12 - 2 (Rmin/r)^6), in our units.
  std::pair<double, double> pair(const std::string& a, const std::string& b, bool of_14) const {
    double epsilon = 0, rmin = 0;
    if (const auto fix = p_.fixes.find(canonical({a, b})); fix != p_.fixes.end()) {
      epsilon = of_14 ? fix->second.epsilon_14 : fix->second.epsilon;
      rmin = of_14 ? fix->second.rmin_14 : fix->second.rmin;
    } else {
      const Nonbonded &p = p_.nonbonded.at(a), &q = p_.nonbonded.at(b);
      const Radius &r = of_14 ? p.of_14 : p.normal, &s = of_14 ? q.of_14 : q.normal;
      epsilon = std::sqrt(r.epsilon * s.epsilon);
      rmin = p_.geometric ? 2 * std::sqrt(r.half_rmin * s.half_rmin) : r.half_rmin + s.half_rmin;
    }
    const double r6 = std::pow(rmin * nm_per_angstrom, 6), e = epsilon * kj_per_kcal;
    return {2 * e * r6, e * r6 * r6};
  }

  using Bond2 = uplift::Bond;
  Psf psf_;
  Parameters p_;
  ForceField ff_;
  TopologyFile out_;
  std::vector<std::array<int, 2>> pairs_;
};

}  // namespace
}  // namespace uplift::charmm

namespace uplift {

TopologyFile read_psf_terms(const std::string& path) try {
  return charmm::Assembler(charmm::read_psf_file(path), {}).build_without_parameters();
} catch (const std::bad_alloc&) {
  throw InputError(path + ": the system it describes does not fit into this machine's memory");
}

TopologyFile read_psf(const std::string& path, const std::vector<std::string>& files) try {
  if (files.empty())
    throw InputError(
        path +
        ": a PSF holds no parameters; give the files of its force field as system.parameters: [a.rtf, b.prm, c.str] (uplift "
        "convert and info: --parameters)");
  charmm::Psf psf = charmm::read_psf_file(path);
  charmm::Parameters parameters;
  for (const std::string& file : files) charmm::read_parameters(file, parameters);
  return charmm::Assembler(std::move(psf), std::move(parameters)).build();
} catch (const std::bad_alloc&) {
  throw InputError(path + ": the system it describes does not fit into this machine's memory");
}

}  // namespace uplift
