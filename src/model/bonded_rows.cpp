#include "uplift/model/bonded_rows.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "uplift/core/assert.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/model/cmap_spline.hpp"

namespace uplift {
namespace {

std::size_t index(int i) { return static_cast<std::size_t>(i); }

std::vector<BondedRow> bonds(const ForceField& ff) {
  std::vector<BondedRow> rows;
  for (const HarmonicBond& b : ff.bonds) rows.push_back({{b.i, b.j}, {b.r0, b.k}, 0});
  return rows;
}
std::vector<BondedRow> urey_bradleys(const ForceField& ff) {
  std::vector<BondedRow> rows;
  for (const UreyBradley& u : ff.urey_bradleys) rows.push_back({{u.i, u.k}, {u.r0, u.force_constant}, 0});
  return rows;
}
std::vector<BondedRow> angles(const ForceField& ff) {
  std::vector<BondedRow> rows;
  for (const HarmonicAngle& a : ff.angles) rows.push_back({{a.i, a.j, a.k}, {a.theta0, a.force_constant}, 0});
  return rows;
}
std::vector<BondedRow> impropers(const ForceField& ff) {
  std::vector<BondedRow> rows;
  for (const HarmonicImproper& d : ff.impropers)
    rows.push_back({{d.i, d.j, d.k, d.l}, {std::cos(d.phi0), std::sin(d.phi0), d.force_constant}, 0});
  return rows;
}
std::vector<BondedRow> pairs14(const ForceField& ff) {
  std::vector<BondedRow> rows;
  for (const Pair14& p : ff.pairs14) rows.push_back({{p.i, p.j}, {constants::coulomb * p.charge_product, p.c6, p.c12}, 0});
  return rows;
}

/// Dihedrals on the same four atoms share one geometry: their terms become one Fourier series. Keyed by its highest multiple.
std::map<int, std::vector<BondedRow>> dihedrals(const ForceField& ff) {
  std::map<std::array<int, 5>, std::vector<const PeriodicDihedral*>> series;
  for (const PeriodicDihedral& d : ff.dihedrals) {
    const std::array<int, 5> forward{d.i, d.j, d.k, d.l, 0},
        backward{d.l, d.k, d.j, d.i, 0};  // the angle is the same either way
    series[std::min(forward, backward)].push_back(&d);
  }
  std::map<int, std::vector<BondedRow>> rows;
  for (const auto& [atoms, terms] : series) {
    int order = 0;
    for (const auto* d : terms) order = std::max(order, d->periodicity);
    BondedRow row{atoms, std::vector<double>(index(2 * order + 1)), 0};
    for (const auto* d : terms) {
      UPLIFT_EXPECT(d->periodicity >= 0);
      row.parameters[0] += d->barrier;
      const double cosine = d->barrier * std::cos(d->phase), sine = d->barrier * std::sin(d->phase);
      if (d->periodicity == 0) {
        row.parameters[0] += cosine;
      } else {
        row.parameters[index(2 * d->periodicity - 1)] += cosine;
        row.parameters[index(2 * d->periodicity)] += sine;
      }
    }
    rows[order].push_back(std::move(row));
  }
  return rows;
}

std::vector<BondedRow> cmaps(const ForceField& ff) {
  std::vector<int> start{0};
  for (const CmapGrid& grid : ff.cmap_grids) start.push_back(start.back() + 16 * grid.resolution * grid.resolution);
  std::vector<BondedRow> rows;
  for (const CmapTorsion& c : ff.cmaps) {
    UPLIFT_EXPECT(c.map >= 0 && index(c.map) < ff.cmap_grids.size());
    rows.push_back(
        {{c.i, c.j, c.k, c.l, c.m}, {static_cast<double>(ff.cmap_grids[index(c.map)].resolution), 1.0}, start[index(c.map)]});
  }
  return rows;
}

}  // namespace

std::vector<BondedRows> bonded_rows(const ForceField& ff) {
  std::vector<BondedRows> all;
  const auto add = [&](BondedRows list) {
    if (list.rows.empty()) return;
    std::stable_sort(list.rows.begin(), list.rows.end(),
                     [](const BondedRow& a, const BondedRow& b) { return a.atoms < b.atoms; });
    all.push_back(std::move(list));
  };
  add({BondedKind::bond, EnergyTerm::bond, EnergyTerm::bond, 2, 2, 1, 0, bonds(ff)});
  add({BondedKind::bond, EnergyTerm::urey_bradley, EnergyTerm::urey_bradley, 2, 2, 1, 0, urey_bradleys(ff)});
  add({BondedKind::angle, EnergyTerm::angle, EnergyTerm::angle, 3, 2, 1, 0, angles(ff)});
  for (auto& [order, rows] : dihedrals(ff))
    add({BondedKind::dihedral, EnergyTerm::dihedral, EnergyTerm::dihedral, 4, 2 * order + 1, 0, order, std::move(rows)});
  add({BondedKind::improper, EnergyTerm::improper, EnergyTerm::improper, 4, 3, 2, 0, impropers(ff)});
  add({BondedKind::cmap, EnergyTerm::cmap, EnergyTerm::cmap, 5, 2, 1, 0, cmaps(ff)});
  add({BondedKind::pair14, EnergyTerm::lj_14, EnergyTerm::coulomb_14, 2, 3, 0, 0, pairs14(ff)});
  return all;
}

std::vector<BondedRows> bonded_rows(const ForceField& ff, TorsionGroup group, bool inside) {
  std::vector<BondedRows> rows = bonded_rows(ff);
  std::erase_if(rows, [&](const BondedRows& list) {
    const bool in_group =
        group != TorsionGroup::none &&
        (list.kind == BondedKind::dihedral || (list.kind == BondedKind::cmap && group == TorsionGroup::dihedrals_and_cmap));
    return in_group != inside;
  });
  return rows;
}

std::vector<double> cmap_table(const ForceField& ff) {
  std::vector<double> all;
  for (const CmapGrid& grid : ff.cmap_grids) {
    const std::vector<double> coefficients = cmap_coefficients(grid);
    all.insert(all.end(), coefficients.begin(), coefficients.end());
  }
  return all;
}

}  // namespace uplift
