#include "domain/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr double eagerness = 0.5;      // how much of the way to equal work a wall goes
constexpr double longest_shift = 0.1;  // of a domain's width

std::array<double, 3> widths_of(const Box& box) {
  const Vec3d w = box.widths();
  return {w.x, w.y, w.z};
}

/// How wide a domain must be. Of four or more along a direction, a halo must not go beyond the next; of two, atoms of one must
/// not reach each other round the far side of the other, since no rank has that picture (RankShare::open). Three are all beside
/// each other.
double least_width(int n, double reach, double overhang) {
  return n > 3 ? reach + std::max(2 * DomainGrid::usual_overhang, overhang) : n == 2 ? reach + overhang : 0;
}

bool fits(const std::array<int, 3>& n, const std::array<double, 3>& w, double reach, double overhang) {
  for (std::size_t d = 0; d < 3; ++d)
    if (w[d] / n[d] < least_width(n[d], reach, overhang)) return false;
  return true;
}

double halo_volume(const std::array<int, 3>& n, const std::array<double, 3>& w, double reach) {
  double own = 1, all = 1;
  for (std::size_t d = 0; d < 3; ++d) {
    own *= w[d] / n[d];
    all *= n[d] > 1 ? std::min(w[d], w[d] / n[d] + reach) : w[d];
  }
  return all - own;
}

/// Best factors of `ranks`, {0, 0, 0} when none fit.
std::array<int, 3> choose(const std::array<double, 3>& w, int ranks, double reach, double overhang) {
  std::array<int, 3> best{0, 0, 0};
  double least = 0;
  for (int x = ranks; x >= 1; --x) {
    if (ranks % x) continue;
    for (int y = ranks / x; y >= 1; --y) {
      if (ranks / x % y) continue;
      const std::array<int, 3> n{x, y, ranks / x / y};
      if (!fits(n, w, reach, overhang)) continue;
      const double volume = halo_volume(n, w, reach);
      if (best[0] > 0 && volume >= least * (1 - 1e-9)) continue;
      best = n;
      least = volume;
    }
  }
  return best;
}

}  // namespace

DomainGrid::DomainGrid(const Box& box, int ranks, double reach, double overhang) {
  const std::array<double, 3> w = widths_of(box);
  overhang = std::max(overhang, usual_overhang);
  counts_ = choose(w, ranks, reach, overhang);
  if (counts_[0] == 0) {
    int fewer = ranks - 1, more = ranks + 1;
    while (choose(w, fewer, reach, overhang)[0] == 0) --fewer;                     // one always fits
    while (more <= 2 * ranks && choose(w, more, reach, overhang)[0] == 0) ++more;  // 8 may fit where 5 and 7 do not
    throw InputError(fmt::format(
        "{} ranks do not fit this box: domains must be at least {:.2f} nm wide where there are four or more "
        "side by side, {:.2f} nm where there are two, and it is {:.2f} x {:.2f} x {:.2f} nm (forces reach that "
        "far{}); start {}{}, or give replicas to the others (compute.replicas)",
        ranks, least_width(4, reach, overhang), least_width(2, reach, overhang), w[0], w[1], w[2],
        overhang > usual_overhang
            ? fmt::format(" beyond atoms that constraints or virtual sites hold together, which stick out by {:.2f} "
                          "nm; constraints: h-bonds hold fewer",
                          overhang)
            : "",
        fewer,
        more <= 2 * ranks ? fmt::format(" or {} ranks", more)
        : fewer == 1      ? " rank"
                          : " ranks"));
  }
  for (std::size_t d = 0; d < 3; ++d)
    for (int k = 0; k <= counts_[d]; ++k) walls_[d].push_back(static_cast<double>(k) / counts_[d]);
}

std::array<int, 3> DomainGrid::cell(int rank) const {
  return {rank / (counts_[1] * counts_[2]), rank / counts_[2] % counts_[1], rank % counts_[2]};
}

int DomainGrid::rank(std::array<int, 3> c) const {
  for (std::size_t d = 0; d < 3; ++d) c[d] = (c[d] % counts_[d] + counts_[d]) % counts_[d];
  return (c[0] * counts_[1] + c[1]) * counts_[2] + c[2];
}

int DomainGrid::owner(const Vec3d& fraction) const {
  const double s[3] = {fraction.x, fraction.y, fraction.z};
  std::array<int, 3> c{0, 0, 0};
  for (std::size_t d = 0; d < 3; ++d) {
    if (counts_[d] == 1) continue;
    const double u = s[d] - std::floor(s[d]);
    // Not-a-number stays somewhere: it is found where it matters.
    const auto above = std::upper_bound(walls_[d].begin() + 1, walls_[d].end() - 1, std::isfinite(u) ? u : 0.0);
    c[d] = static_cast<int>(above - walls_[d].begin()) - 1;
  }
  return rank(c);
}

double DomainGrid::narrowest(int d) const {
  double least = 1;
  for (int k = 0; k < counts_[static_cast<std::size_t>(d)]; ++k) least = std::min(least, high(d, k) - low(d, k));
  return least;
}

void DomainGrid::balance(std::span<const std::int64_t> work, const Box& box, double least) {
  const std::array<double, 3> w = widths_of(box);
  for (std::size_t d = 0; d < 3; ++d) {
    const int n = counts_[d];
    if (n == 1) continue;
    std::vector<double> slab(static_cast<std::size_t>(n), 0.0);
    double total = 0;
    for (std::size_t r = 0; r < work.size(); ++r) {
      slab[static_cast<std::size_t>(cell(static_cast<int>(r))[d])] += static_cast<double>(work[r]);
      total += static_cast<double>(work[r]);
    }
    if (!(total > 0)) continue;
    std::vector<double>& wall = walls_[d];
    const std::vector<double> old = wall;
    // Where work, taken as even within each slab, would be shared out evenly.
    double before = 0;
    int k = 0;
    for (int wanted = 1; wanted < n; ++wanted) {
      const double goal = total * wanted / n;
      while (k < n - 1 && before + slab[static_cast<std::size_t>(k)] < goal) before += slab[static_cast<std::size_t>(k++)];
      const double part = slab[static_cast<std::size_t>(k)] > 0 ? (goal - before) / slab[static_cast<std::size_t>(k)] : 0;
      const auto at = static_cast<std::size_t>(wanted), in = static_cast<std::size_t>(k);
      const double ideal = old[in] + std::clamp(part, 0.0, 1.0) * (old[in + 1] - old[in]);
      const double most = longest_shift * std::min(old[at] - old[at - 1], old[at + 1] - old[at]);
      wall[at] = old[at] + std::clamp(eagerness * (ideal - old[at]), -most, most);
    }
    const double room = n == 3 ? 0.25 / n : least / w[d];
    for (int j = 0; j < n; ++j)
      if (high(static_cast<int>(d), j) - low(static_cast<int>(d), j) < room) {
        wall = old;  // as narrow as they may be
        break;
      }
  }
}

}  // namespace uplift
