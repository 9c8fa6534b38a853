#include "constraints.hpp"

#include <cmath>
#include <cstddef>
#include <utility>

#include "uplift/core/at.hpp"

namespace uplift::oracle {
namespace {

using Real = long double;
using Matrix = std::vector<std::vector<Real>>;
struct Vector {
  Real x, y, z;
};

Vector minus(const Vector& a, const Vector& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
Real product(const Vector& a, const Vector& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
void add(Vector& a, Real s, const Vector& b) { a = {a.x + s * b.x, a.y + s * b.y, a.z + s * b.z}; }

std::vector<Vector> widen(const std::vector<Vec3d>& a) {
  std::vector<Vector> b;
  for (const Vec3d& r : a) b.push_back({r.x, r.y, r.z});
  return b;
}
void narrow(const std::vector<Vector>& a, std::vector<Vec3d>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    b[i] = {static_cast<double>(a[i].x), static_cast<double>(a[i].y), static_cast<double>(a[i].z)};
}

/// Gauss elimination with pivots.
std::vector<Real> solve(Matrix a, std::vector<Real> b) {
  const std::size_t n = b.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < n; ++r)
      if (std::fabs(a[r][c]) > std::fabs(a[pivot][c])) pivot = r;
    std::swap(a[c], a[pivot]);
    std::swap(b[c], b[pivot]);
    for (std::size_t r = c + 1; r < n; ++r) {
      const Real f = a[r][c] / a[c][c];
      for (std::size_t k = c; k < n; ++k) a[r][k] -= f * a[c][k];
      b[r] -= f * b[c];
    }
  }
  for (std::size_t c = n; c-- > 0;) {
    for (std::size_t k = c + 1; k < n; ++k) b[c] -= a[c][k] * b[k];
    b[c] /= a[c][c];
  }
  return b;
}

/// d (length k) / d (multiplier l) up to a factor: along[k] . (what a unit impulse along push[l] does to rod k).
Matrix response(const std::vector<Rod>& rods, const std::vector<double>& mass, const std::vector<Vector>& along,
                const std::vector<Vector>& push) {
  Matrix a(rods.size(), std::vector<Real>(rods.size(), 0));
  for (std::size_t k = 0; k < rods.size(); ++k)
    for (std::size_t l = 0; l < rods.size(); ++l) {
      Real w = 0;
      if (rods[k].i == rods[l].i) w += 1 / static_cast<Real>(mass[at(rods[k].i)]);
      if (rods[k].i == rods[l].j) w -= 1 / static_cast<Real>(mass[at(rods[k].i)]);
      if (rods[k].j == rods[l].i) w -= 1 / static_cast<Real>(mass[at(rods[k].j)]);
      if (rods[k].j == rods[l].j) w += 1 / static_cast<Real>(mass[at(rods[k].j)]);
      a[k][l] = w * product(along[k], push[l]);
    }
  return a;
}

std::vector<Vector> directions(const std::vector<Rod>& rods, const std::vector<Vector>& x) {
  std::vector<Vector> d;
  for (const Rod& r : rods) d.push_back(minus(x[at(r.i)], x[at(r.j)]));
  return d;
}

void push(const std::vector<Rod>& rods, const std::vector<double>& mass, const std::vector<Real>& g,
          const std::vector<Vector>& along, std::vector<Vector>& a) {
  for (std::size_t k = 0; k < rods.size(); ++k) {
    add(a[at(rods[k].i)], -g[k] / static_cast<Real>(mass[at(rods[k].i)]), along[k]);
    add(a[at(rods[k].j)], g[k] / static_cast<Real>(mass[at(rods[k].j)]), along[k]);
  }
}

}  // namespace

void constrain_positions(const std::vector<Rod>& rods, const std::vector<double>& mass, const std::vector<Vec3d>& before,
                         std::vector<Vec3d>& x) {
  const std::vector<Vector> reference = directions(rods, widen(before));
  std::vector<Vector> now = widen(x);
  for (int iteration = 0; iteration < 100; ++iteration) {
    const std::vector<Vector> d = directions(rods, now);
    std::vector<Real> error;
    Real worst = 0;
    for (std::size_t k = 0; k < rods.size(); ++k) {
      const Real l2 = static_cast<Real>(rods[k].length) * rods[k].length;
      error.push_back((product(d[k], d[k]) - l2) / 2);
      worst = std::fmax(worst, std::fabs(error[k]) / l2);
    }
    if (worst < 1e-17L) break;
    push(rods, mass, solve(response(rods, mass, d, reference), error), reference, now);
  }
  narrow(now, x);
}

void constrain_velocities(const std::vector<Rod>& rods, const std::vector<double>& mass, const std::vector<Vec3d>& x,
                          std::vector<Vec3d>& v) {
  const std::vector<Vector> d = directions(rods, widen(x));
  std::vector<Vector> now = widen(v);
  std::vector<Real> rate;
  for (std::size_t k = 0; k < rods.size(); ++k) rate.push_back(product(d[k], minus(now[at(rods[k].i)], now[at(rods[k].j)])));
  push(rods, mass, solve(response(rods, mass, d, d), rate), d, now);
  narrow(now, v);
}

}  // namespace uplift::oracle
