#include "oracle/pair.hpp"

#include <cmath>
#include <set>

#include "uplift/core/constants.hpp"

namespace uplift::oracle {
namespace {

/// Energy and -dE/dr of one pair at distance r.
struct Radial {
  double energy = 0, force = 0;
};

Radial lennard_jones(const System& s, int i, int j, double r) {
  const ForceField& ff = s.force_field;
  const auto at =
      static_cast<std::size_t>(ff.lj_type[static_cast<std::size_t>(i)] * ff.lj_types + ff.lj_type[static_cast<std::size_t>(j)]);
  const double a = ff.lj_c12[at] / std::pow(r, 12), b = ff.lj_c6[at] / std::pow(r, 6);
  Radial e{a - b, (12 * a - 6 * b) / r};
  const ForceSettings& f = s.forces;
  if (f.nonbonded == NonbondedMethod::no_cutoff || !f.switch_distance || r <= *f.switch_distance) return e;
  const double width = f.cutoff - *f.switch_distance, x = (r - *f.switch_distance) / width;
  const double sw = 1 - 10 * std::pow(x, 3) + 15 * std::pow(x, 4) - 6 * std::pow(x, 5);
  const double slope = (-30 * x * x + 60 * std::pow(x, 3) - 30 * std::pow(x, 4)) / width;
  return {e.energy * sw, e.force * sw - e.energy * slope};
}

Radial coulomb(const System& s, double qq, double r, double alpha) {
  const double root = 2 * alpha / std::sqrt(constants::pi) * std::exp(-alpha * alpha * r * r);
  const double eps = s.forces.reaction_field_dielectric, rc = s.forces.cutoff;
  switch (s.forces.nonbonded) {
    case NonbondedMethod::pme:
      return {qq * std::erfc(alpha * r) / r, qq * (std::erfc(alpha * r) / r + root) / r};
    case NonbondedMethod::reaction_field: {
      const double k = (eps - 1) / (2 * eps + 1) / std::pow(rc, 3), c = 3 * eps / (2 * eps + 1) / rc;
      return {qq * (1 / r + k * r * r - c), qq * (1 / (r * r) - 2 * k * r)};
    }
    case NonbondedMethod::no_cutoff:
      break;
  }
  return {qq / r, qq / (r * r)};
}

}  // namespace

PairResult pairs(const System& s, const std::vector<Vec3d>& x, const Box& box, double alpha) {
  PairResult result;
  result.force.assign(x.size(), {0, 0, 0});
  const std::set<std::array<int, 2>> excluded(s.force_field.exclusions.begin(), s.force_field.exclusions.end());
  const bool bounded = s.forces.nonbonded != NonbondedMethod::no_cutoff;
  const int images = bounded ? 1 : 0;
  const auto apply = [&](std::size_t i, std::size_t j, const Vec3d& d, double r, double force) {
    const Vec3d f = (force / r) * d;
    result.force[i] += f;
    result.force[j] -= f;
    const double dv[3] = {d.x, d.y, d.z}, fv[3] = {f.x, f.y, f.z};
    for (std::size_t a = 0; a < 3; ++a)
      for (std::size_t b = 0; b < 3; ++b) result.virial[3 * a + b] += dv[a] * fv[b];
  };
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      const double qq = constants::coulomb * s.force_field.charges[i] * s.force_field.charges[j];
      const Vec3d nearest = box.image(x[i] - x[j]);
      if (excluded.count({static_cast<int>(i), static_cast<int>(j)})) {
        if (s.forces.nonbonded != NonbondedMethod::pme) continue;
        const double r = std::sqrt(dot(nearest, nearest));
        result.coulomb -= qq * std::erf(alpha * r) / r;
        apply(i, j, nearest, r,
              -qq * (std::erf(alpha * r) / r - 2 * alpha / std::sqrt(constants::pi) * std::exp(-alpha * alpha * r * r)) / r);
        continue;
      }
      for (int u = -images; u <= images; ++u)
        for (int v = -images; v <= images; ++v)
          for (int w = -images; w <= images; ++w) {
            const Vec3d d =
                nearest + static_cast<double>(u) * box.a + static_cast<double>(v) * box.b + static_cast<double>(w) * box.c;
            const double r = std::sqrt(dot(d, d));
            if (bounded && r >= s.forces.cutoff) continue;
            const Radial lj = lennard_jones(s, static_cast<int>(i), static_cast<int>(j), r), c = coulomb(s, qq, r, alpha);
            result.lj += lj.energy;
            result.coulomb += c.energy;
            apply(i, j, d, r, lj.force + c.force);
          }
    }
  return result;
}

}  // namespace uplift::oracle
