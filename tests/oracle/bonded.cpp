#include "bonded.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace uplift::oracle {
namespace {

// Periodic cubic spline by second derivatives M, knots one apart: M[i-1] + 4 M[i] + M[i+1] = 6 (y[i-1] - 2 y[i] + y[i+1]),
// solved by Gaussian elimination with pivots.
std::vector<double> second_derivatives(const std::vector<double>& y) {
  const std::size_t n = y.size();
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1, 0));
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t next = (i + 1) % n, last = (i + n - 1) % n;
    a[i][i] += 4;
    a[i][next] += 1;
    a[i][last] += 1;
    a[i][n] = 6 * (y[last] - 2 * y[i] + y[next]);
  }
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c; r < n; ++r)
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    std::swap(a[c], a[pivot]);
    for (std::size_t r = 0; r < n; ++r)
      if (r != c && a[r][c] != 0) {
        const double factor = a[r][c] / a[c][c];
        for (std::size_t k = c; k <= n; ++k) a[r][k] -= factor * a[c][k];
      }
  }
  std::vector<double> m(n);
  for (std::size_t i = 0; i < n; ++i) m[i] = a[i][n] / a[i][i];
  return m;
}

// Value and slope at s, in units of the knots' distance.
std::pair<double, double> spline(const std::vector<double>& y, double s) {
  const std::vector<double> m = second_derivatives(y);
  const int n = static_cast<int>(y.size());
  const double cell = std::floor(s), u = s - cell, v = 1 - u;
  const int i = ((static_cast<int>(cell) % n) + n) % n, j = (i + 1) % n;
  const auto at = [](const std::vector<double>& w, int k) { return w[static_cast<std::size_t>(k)]; };
  const double value =
      at(m, i) * v * v * v / 6 + at(m, j) * u * u * u / 6 + (at(y, i) - at(m, i) / 6) * v + (at(y, j) - at(m, j) / 6) * u;
  const double slope = -at(m, i) * v * v / 2 + at(m, j) * u * u / 2 - (at(y, i) - at(m, i) / 6) + (at(y, j) - at(m, j) / 6);
  return {value, slope};
}

class Sum {
 public:
  Sum(const std::vector<Vec3d>& x, const Box& box) : x_(x), box_(box) { result_.forces.resize(x.size(), Vec3d{0, 0, 0}); }

  // One term on the atoms listed, each placed next to the one before it; `energy` takes their dual positions.
  template <int Atoms, class F>
  void add(EnergyTerm term, const std::array<int, Atoms>& atoms, F&& energy) {
    constexpr int N = 3 * Atoms;
    std::array<Vec3d, Atoms> place;
    std::array<Vec3<test::Dual<N>>, Atoms> p;
    for (std::size_t a = 0; a < Atoms; ++a) {
      const Vec3d& here = x_[static_cast<std::size_t>(atoms[a])];
      place[a] = a == 0 ? Vec3d{0, 0, 0} : place[a - 1] + box_.image(here - x_[static_cast<std::size_t>(atoms[a - 1])]);
      p[a] = test::dual_position<N>(place[a], static_cast<int>(a));
    }
    const test::Dual<N> e = energy(p);
    result_.energies[term] += e.value;
    for (std::size_t a = 0; a < Atoms; ++a) {
      const Vec3d f = test::dual_force(e, static_cast<int>(a));
      result_.forces[static_cast<std::size_t>(atoms[a])] += f;
      const double r[3] = {place[a].x, place[a].y, place[a].z}, g[3] = {f.x, f.y, f.z};
      for (std::size_t w = 0; w < 9; ++w) result_.energies.virial[w] += r[w / 3] * g[w % 3];
      for (double component : g) result_.largest = std::max(result_.largest, std::abs(component));
    }
  }
  BondedSums take() { return std::move(result_); }

 private:
  const std::vector<Vec3d>& x_;
  const Box& box_;
  BondedSums result_;
};

}  // namespace

CmapValue cmap(const CmapGrid& grid, double phi, double psi) {
  const double pi = 3.14159265358979323846;
  const std::size_t n = static_cast<std::size_t>(grid.resolution);
  const double per_radian = static_cast<double>(n) / (2 * pi);
  std::vector<double> value(n), slope(n);
  for (std::size_t row = 0; row < n; ++row) {
    const auto first = grid.energy.begin() + static_cast<std::ptrdiff_t>(row * n);
    std::tie(value[row], slope[row]) = spline({first, first + grid.resolution}, (psi + pi) * per_radian);
  }
  const auto [energy, along_phi] = spline(value, (phi + pi) * per_radian);
  return {energy, along_phi * per_radian, spline(slope, (phi + pi) * per_radian).first * per_radian};
}

BondedSums bonded(const System& system, const std::vector<Vec3d>& x, const Box& box) {
  const ForceField& ff = system.force_field;
  Sum sum(x, box);
  for (const auto& b : ff.bonds)
    sum.add<2>(EnergyTerm::bond, {b.i, b.j}, [&](const auto& p) { return bond_energy(p[0], p[1], b.r0, b.k); });
  for (const auto& u : ff.urey_bradleys)
    sum.add<2>(EnergyTerm::urey_bradley, {u.i, u.k},
               [&](const auto& p) { return bond_energy(p[0], p[1], u.r0, u.force_constant); });
  for (const auto& a : ff.angles)
    sum.add<3>(EnergyTerm::angle, {a.i, a.j, a.k},
               [&](const auto& p) { return angle_energy(p[0], p[1], p[2], a.theta0, a.force_constant); });
  for (const auto& d : ff.dihedrals)
    sum.add<4>(EnergyTerm::dihedral, {d.i, d.j, d.k, d.l}, [&](const auto& p) {
      return periodic_energy(dihedral(p[0], p[1], p[2], p[3]), d.periodicity, d.phase, d.barrier);
    });
  for (const auto& d : ff.impropers)
    sum.add<4>(EnergyTerm::improper, {d.i, d.j, d.k, d.l},
               [&](const auto& p) { return improper_energy(dihedral(p[0], p[1], p[2], p[3]), d.phi0, d.force_constant); });
  for (const auto& c : ff.cmaps)
    sum.add<5>(EnergyTerm::cmap, {c.i, c.j, c.k, c.l, c.m}, [&](const auto& p) {
      const auto phi = dihedral(p[0], p[1], p[2], p[3]), psi = dihedral(p[1], p[2], p[3], p[4]);
      const CmapValue v = cmap(ff.cmap_grids[static_cast<std::size_t>(c.map)], phi.value, psi.value);
      return test::Dual<15>::chain(v.energy, v.slope_phi, phi, v.slope_psi, psi);
    });
  for (const auto& q : ff.pairs14) {
    sum.add<2>(EnergyTerm::lj_14, {q.i, q.j}, [&](const auto& p) { return lj14_energy(p[0], p[1], q.c6, q.c12); });
    sum.add<2>(EnergyTerm::coulomb_14, {q.i, q.j},
               [&](const auto& p) { return coulomb14_energy(p[0], p[1], q.charge_product); });
  }
  return sum.take();
}

}  // namespace uplift::oracle
