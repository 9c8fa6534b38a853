// Angles, dihedrals with the 1-4 pairs that hang on them, CHAMBER's terms, CMAP.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "amber_parts.hpp"
#include "prmtop_parts.hpp"

namespace uplift::prmtop {
namespace {

using amber::kj_per_kcal;
constexpr std::size_t most_maps = 99;  ///< their sections are numbered with two digits

class DihedralList {
 public:
  DihedralList(const Source& s, const Nonbonded& nonbonded, Bonded& out)
      : s_(s), usual_(nonbonded.usual), left_(nonbonded.pairs), out_(out) {}

  void add_all() {
    for (const PeriodicDihedral& d : s_.ff.dihedrals) add(d);
    while (!left_.empty()) add_pair(left_.begin()->first);
  }

 private:
  void add(PeriodicDihedral d) {
    if (d.periodicity != 0) return put(d);
    // Cosines of opposite sign add up to a constant, and every program knows a periodicity of one.
    d.barrier *= (1 + std::cos(d.phase)) / 2;
    if (d.barrier == 0) return;
    d.periodicity = 1;
    for (const double phase : {0.0, constants::pi}) {
      d.phase = phase;
      put(d);
    }
  }

  void put(PeriodicDihedral d) {
    Scales scales = usual_;
    const auto pair = d.improper ? left_.end() : left_.find({std::min(d.i, d.l), std::max(d.i, d.l)});
    const bool counts = pair != left_.end();
    if (counts) {
      scales = pair->second;
      left_.erase(pair);
    }
    // Signs of the third and fourth number say what the term is, and zero has none. Backwards the angle is the same.
    if (d.k == 0 || d.l == 0) {
      std::swap(d.i, d.l);
      std::swap(d.j, d.k);
    }
    const int kind = out_.dihedral_kinds.number(
        {d.barrier / kj_per_kcal, static_cast<double>(d.periodicity), d.phase, scales[0], scales[1]});
    bool hydrogen = false;
    for (int i : {d.i, d.j, d.k, d.l}) hydrogen |= s_.topology.atoms[at(i)].element == 1;
    auto& list = out_.dihedrals[hydrogen ? 0 : 1];
    list.insert(list.end(), {3 * d.i, 3 * d.j, counts ? 3 * d.k : -3 * d.k, d.improper ? -3 * d.l : 3 * d.l, kind});
  }

  /// A 1-4 pair without a dihedral gets one that has no energy, on bonds between its atoms.
  void add_pair(const std::array<int, 2> pair) {
    for (int j : partners(pair[0]))
      for (int k : partners(j))
        if (k != pair[0] && j != pair[1] && partners(k).contains(pair[1])) return put({pair[0], j, k, pair[1], 1, 0, 0, false});
    s_.cannot("the atoms of the 1-4 pair of " + s_.name(pair[0]) + " and " + s_.name(pair[1]) + " are not three bonds apart");
  }
  const std::set<int>& partners(int atom) {
    if (partners_.empty()) {
      partners_.resize(s_.topology.atoms.size());
      for (const Bond& b : s_.topology.bonds) {
        partners_[at(b.i)].insert(b.j);
        partners_[at(b.j)].insert(b.i);
      }
    }
    return partners_[at(atom)];
  }

  const Source& s_;
  Scales usual_;
  std::map<std::array<int, 2>, Scales> left_;
  Bonded& out_;
  std::vector<std::set<int>> partners_;
};

/// Decimals as force fields give them, in kcal/mol: five, or all that there are.
Reals format_of(const std::vector<double>& energies) {
  for (double e : energies)
    if (std::abs(e) > 999 || std::abs(e * 1e5 - std::round(e * 1e5)) > 1e-6) return Reals::nine_digits;
  return Reals::five_decimals;
}

}  // namespace

Bonded bonded(const Source& s, const Nonbonded& nonbonded) {
  Bonded out;
  add_bonds(s, out);
  for (const HarmonicAngle& a : s.ff.angles) {
    bool hydrogen = false;
    for (int i : {a.i, a.j, a.k}) hydrogen |= s.topology.atoms[at(i)].element == 1;
    auto& list = out.angles[hydrogen ? 0 : 1];
    const int kind = out.angle_kinds.number({a.force_constant / amber::angle_constant, a.theta0});
    list.insert(list.end(), {3 * a.i, 3 * a.j, 3 * a.k, kind});
  }
  DihedralList(s, nonbonded, out).add_all();
  for (const UreyBradley& u : s.ff.urey_bradleys) {
    if (u.force_constant == 0) continue;
    const int kind = out.urey_bradley_kinds.number({u.force_constant / amber::bond_constant, u.r0 / amber::nm_per_angstrom});
    out.urey_bradleys.insert(out.urey_bradleys.end(), {u.i + 1, u.k + 1, kind});
  }
  for (const HarmonicImproper& d : s.ff.impropers) {
    if (d.force_constant == 0) continue;
    const int kind = out.improper_kinds.number({d.force_constant / amber::angle_constant, d.phi0});
    out.impropers.insert(out.impropers.end(), {d.i + 1, d.j + 1, d.k + 1, d.l + 1, kind});
  }
  return out;
}

void put_cmaps(const Source& s, bool chamber, SectionText& out) {
  if (s.ff.cmaps.empty()) return;
  std::map<int, int> numbers;  // of the maps that are used
  std::vector<const CmapGrid*> grids;
  std::vector<int> index, resolutions;
  for (const CmapTorsion& t : s.ff.cmaps) {
    const auto [place, is_new] = numbers.try_emplace(t.map, static_cast<int>(grids.size()) + 1);
    if (is_new) grids.push_back(&s.ff.cmap_grids[at(t.map)]);
    index.insert(index.end(), {t.i + 1, t.j + 1, t.k + 1, t.l + 1, t.m + 1, place->second});
  }
  if (grids.size() > most_maps) s.cannot("there are " + std::to_string(grids.size()) + " CMAP tables, more than 99");
  const std::string prefix = chamber ? "CHARMM_CMAP_" : "CMAP_";
  for (const CmapGrid* g : grids) resolutions.push_back(g->resolution);
  out.integers(prefix + "COUNT", {static_cast<int>(s.ff.cmaps.size()), static_cast<int>(grids.size())}, "2I8");
  out.integers(prefix + "RESOLUTION", resolutions, "20I4");
  for (std::size_t g = 0; g < grids.size(); ++g) {
    std::vector<double> energies;
    for (double e : grids[g]->energy) energies.push_back(e / kj_per_kcal);
    out.reals(fmt::format("{}PARAMETER_{:02d}", prefix, g + 1), energies, format_of(energies));
  }
  out.integers(prefix + "INDEX", index, "6I8");
}

}  // namespace uplift::prmtop
