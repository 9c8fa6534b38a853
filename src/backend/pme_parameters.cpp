#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr double largest_mesh = 2147483648.0;  // 2^31 points
constexpr double bytes_per_point = 16;  // integer mesh, potential, half-complex mesh and influence table, in single precision

/// Sizes that FFT libraries do in one pass each way: cuFFT (13.0, H200) takes up to twice as long for those with a factor of
/// 13 or two of 7 and 11, and for 75 (benchmarks/results/gpu-fft-sizes.json).
bool is_quick(int n) {
  if (n == 75) return false;
  for (int p : {2, 3, 5})
    while (n % p == 0) n /= p;
  return n == 1 || n == 7 || n == 11;
}

int mesh_size(double wanted, int order) {
  if (!(wanted < largest_mesh / 2))
    throw InputError(
        "the PME mesh would need " + std::to_string(wanted) +
        " points in one direction (box length, cutoff and tolerance do not fit together); loosen forces.pme.tolerance "
        "or lengthen forces.cutoff");
  int n = std::max(static_cast<int>(std::ceil(wanted)), std::max(order, 6));
  while (!is_quick(n)) ++n;
  return n;
}

std::string text(const std::array<int, 3>& grid) {
  return std::to_string(grid[0]) + " x " + std::to_string(grid[1]) + " x " + std::to_string(grid[2]);
}

void check_mesh(const std::array<int, 3>& grid, int order) {
  double points = 1;
  for (int n : grid) {
    if (n < order)
      throw InputError("PME grid " + text(grid) + " has fewer than " + std::to_string(order) +
                       " points in one direction (a spline of order " + std::to_string(order) +
                       " would overlap itself); give a finer forces.pme.grid");
    points *= n;
  }
  if (points > largest_mesh)
    throw InputError("PME grid " + text(grid) +
                     " has more than 2^31 points; give a coarser forces.pme.grid or a looser tolerance");
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (memory > 0 && points * bytes_per_point > memory)
    throw InputError("PME grid " + text(grid) + " needs " + std::to_string(points * bytes_per_point / 1e9) +
                     " GB, more than this machine has; give a coarser forces.pme.grid or a looser tolerance");
}

}  // namespace

PmeParameters resolve_pme(const ForceSettings& settings, const Box& box) {
  if (settings.nonbonded != NonbondedMethod::pme) return {};
  const PmeSettings& pme = settings.pme;
  if (!(box.periodic() && box.volume() > 0 && std::isfinite(box.volume())))
    throw InputError("PME needs a periodic box and there is none; give system.box or set forces.nonbonded to no-cutoff");
  if (pme.order < 4 || pme.order > 6)
    throw InputError("PME order " + std::to_string(pme.order) + " is not available; set forces.pme.order to 4, 5 or 6");
  if (pme.alpha.has_value() != pme.grid.has_value())
    throw InputError("forces.pme.alpha and forces.pme.grid belong together; give both, or a tolerance alone");
  PmeParameters result;
  result.order = pme.order;
  if (pme.alpha) {
    if (!(*pme.alpha > 0 && std::isfinite(*pme.alpha)))
      throw InputError("forces.pme.alpha must be positive and finite, it is " + std::to_string(*pme.alpha) + " /nm");
    result.alpha = *pme.alpha;
    result.grid = *pme.grid;
    check_mesh(result.grid, result.order);
    return result;
  }
  if (!(pme.tolerance > 0 && pme.tolerance < 0.5))
    throw InputError("forces.pme.tolerance must lie between 0 and 0.5; 5e-4 is usual");
  if (!(settings.cutoff > 0 && std::isfinite(settings.cutoff))) throw InputError("forces.cutoff must be positive for PME");
  // OpenMM's estimates (user guide, "Coulomb interaction with particle mesh Ewald"): 2 tol = exp(-(alpha rc)^2), and for order
  // 5 a mesh of 2 alpha L / (3 tol^(1/5)) points. The error of order p goes as the p-th power of the spacing, hence tol^(1/p)
  // for the others. L is the length of the box vector: what the mesh resolves along a is |m| < n/(2|a|), whatever the angles.
  result.alpha = std::sqrt(-std::log(2 * pme.tolerance)) / settings.cutoff;
  const double per_length = 2 * result.alpha / (3 * std::pow(pme.tolerance, 1.0 / pme.order));
  const Vec3d edges[3] = {box.a, box.b, box.c};
  for (int d = 0; d < 3; ++d)
    result.grid[static_cast<std::size_t>(d)] = mesh_size(per_length * std::sqrt(dot(edges[d], edges[d])), pme.order);
  check_mesh(result.grid, result.order);
  return result;
}

double integer_mesh_scale(double absolute, double largest, double points, bool narrow) {
  const double bound = narrow ? std::min(absolute, 32 * largest + 8 * absolute / points) : absolute;
  const double range = narrow ? 2147483392.0 : 4611686018427387904.0;  // below 2^31 in float, 2^62
  return std::exp2(std::floor(std::log2(bound > 0 ? range / (bound * 1.001) : 1)));
}

}  // namespace uplift
