#include "gb.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "uplift/core/at.hpp"

namespace uplift::oracle {
namespace {

constexpr double coulomb = 138.935457644382;  // [kJ nm/mol/e^2]

double distance(const Vec3d& a, const Vec3d& b) { return std::sqrt(dot(a - b, a - b)); }

double screened(const GbSystem& s, double f) { return s.inverse_in - std::exp(-s.parameters.kappa * f) * s.inverse_out; }

}  // namespace

double born_integral_by_shells(double r, double rho, double s) {
  double sum = 0;
  if (s > r + rho) sum += 1 / rho - 1 / (s - r);  // whole shells
  const double low = std::max(rho, std::abs(r - s)), high = r + s;
  if (high <= low) return sum;
  const int steps = 20000;
  const double h = (high - low) / steps;
  for (int k = 0; k <= steps; ++k) {
    const double radius = low + k * h;
    const double cosine = std::clamp((radius * radius + r * r - s * s) / (2 * radius * r), -1.0, 1.0);
    const double weight = k == 0 || k == steps ? 1 : (k % 2 ? 4 : 2);
    sum += weight * h / 3 * (1 - cosine) / (2 * radius * radius);
  }
  return sum;
}

double born_integral(double r, double rho, double s) {
  const double upper = r + s;
  if (upper <= rho) return 0;
  const double lower = std::max(rho, std::abs(r - s));
  double integral = 1 / lower - 1 / upper + (r - s * s / r) * (1 / (upper * upper) - 1 / (lower * lower)) / 4 +
                    std::log(lower / upper) / (2 * r);
  if (s - r > rho) integral += 2 * (1 / rho - 1 / lower);
  return integral / 2;
}

double neck(double r, double reach, double d0, double m0) {
  if (r >= reach) return 0;
  const double angstroms = 10 * (r - d0);
  return m0 / (1 + std::pow(angstroms, 2) + 0.3 * std::pow(angstroms, 6));
}

std::vector<double> born_radii(const GbSystem& system, const std::vector<Vec3d>& x) {
  const GbParameters& p = system.parameters;
  std::vector<double> radii;
  for (int i = 0; i < static_cast<int>(x.size()); ++i) {
    long double sum = 0;  // the differences of gb_force() live on the last digits
    for (int j = 0; j < static_cast<int>(x.size()); ++j) {
      if (i == j) continue;
      const double r = distance(x[at(i)], x[at(j)]);
      sum += born_integral(r, p.rho[at(i)], p.scaled[at(j)]);
      if (p.neck_scale > 0) {
        const std::size_t entry = at(p.radius_type[at(i)] * p.radius_types + p.radius_type[at(j)]);
        sum += p.neck_scale * neck(r, p.radius[at(i)] + p.radius[at(j)] + 0.68, p.neck_distance[entry], p.neck_height[entry]);
      }
    }
    const double integral = static_cast<double>(sum);
    const double psi = p.rho[at(i)] * integral;
    const double correction =
        p.form == BornRadiusForm::inverse
            ? integral
            : std::tanh(p.alpha[at(i)] * psi - p.beta[at(i)] * psi * psi + p.gamma[at(i)] * psi * psi * psi) / p.radius[at(i)];
    radii.push_back(1 / (1 / p.rho[at(i)] - correction));
  }
  return radii;
}

double gb_energy(const GbSystem& system, const std::vector<Vec3d>& x) {
  const std::vector<double> born = born_radii(system, x);
  long double energy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {  // both orders and i = j, hence the half
      const double r = distance(x[i], x[j]);
      const double f = std::sqrt(r * r + born[i] * born[j] * std::exp(-r * r / (4 * born[i] * born[j])));
      energy -= 0.5 * coulomb * screened(system, f) * system.charges[i] * system.charges[j] / f;
    }
    if (system.ace) {
      const double radius = system.parameters.radius[i];
      energy += 4 * std::numbers::pi * 2.25936 * std::pow(radius + 0.14, 2) * std::pow(radius / born[i], 6);
    }
  }
  return static_cast<double>(energy);
}

Vec3d gb_force(const GbSystem& system, std::vector<Vec3d> x, int atom, double h) {
  const Vec3d start = x[at(atom)];
  const auto along = [&](const Vec3d& direction) {
    return -slope(
        [&](double d) {
          x[at(atom)] = start + d * direction;
          return gb_energy(system, x);
        },
        0, h);
  };
  return {along({1, 0, 0}), along({0, 1, 0}), along({0, 0, 1})};
}

double slope(const std::function<double(double)>& f, double r, double h) {
  return (8 * (f(r + h) - f(r - h)) - (f(r + 2 * h) - f(r - 2 * h))) / (12 * h);
}

}  // namespace uplift::oracle
