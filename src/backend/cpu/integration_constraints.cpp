#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <string>

#include "physics/constrain/settle.hpp"
#include "uplift/backend/cpu/integration.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"

namespace uplift::cpu {
namespace {

constexpr int water_block = 256;  // waters a task
constexpr int star_block = 128;
constexpr int most_iterations = 1000;  // coupled constraints of a protein take some tens

Vec3d load(const double* base, int atom) { return {base[3 * at(atom)], base[3 * at(atom) + 1], base[3 * at(atom) + 2]}; }
void add(double* base, int atom, const Vec3d& d) {
  base[3 * at(atom)] += d.x;
  base[3 * at(atom) + 1] += d.y;
  base[3 * at(atom) + 2] += d.z;
}

template <class T>
void pad_with_last(std::vector<T>& values) {
  while (!values.empty() && values.size() % constraint_pad != 0) values.push_back(values.back());
}

/// The lowest of what several tasks report, so that the message does not depend on who came first; -1: none.
class FirstFailure {
 public:
  void report(int entry) {
    if (entry < 0) return;
    int seen = lowest_.load();
    while ((seen < 0 || entry < seen) && !lowest_.compare_exchange_weak(seen, entry)) {
    }
  }
  int entry() const { return lowest_.load(); }

 private:
  std::atomic<int> lowest_{-1};
};

}  // namespace

StarList CpuConstraints::Stars::list() const {
  StarList list{};
  list.arms = arms;
  for (std::size_t a = 0; a <= at(arms); ++a) {
    list.atoms[a] = atoms[a].data();
    list.inverse_mass[a] = inverse_mass[a].data();
    if (a < at(arms)) list.length2[a] = length2[a].data();
  }
  return list;
}

CpuConstraints::CpuConstraints(const System& system, double tolerance, const Threads& threads)
    : system_(system), threads_(threads), tolerance_(tolerance) {
  for (double m : system.masses) inverse_mass_.push_back(m > 0 ? 1 / m : 0);
  for (int a = 0; a < most_arms; ++a) all_stars_[at(a)].arms = stars_[at(a)].arms = a + 1;
  kind_.assign(at(system.size()), -1);
  place_.assign(at(system.size()), -1);
  add_waters();
  sort_constraints();
  choose([&](auto&& f) {
    for (int i = 0; i < system.size(); ++i) f(i);
  });
}

void CpuConstraints::set_share(const RankShare& share) {
  choose([&](auto&& f) { share.for_home(f); });
}

void CpuConstraints::note_first(int atom, int kind, int place) {
  kind_[at(atom)] = kind;
  place_[at(atom)] = place;
}

/// Lists of what these atoms are the first of.
template <class F>
void CpuConstraints::choose(F&& for_atoms) {
  waters_.clear();
  for (Stars& s : stars_) s.clear();
  groups_.clear();
  count_ = 0;
  for_atoms([&](int atom) {
    const int kind = kind_[at(atom)], place = place_[at(atom)];
    if (kind < 0) return;
    ++count_;
    if (kind == 0)
      waters_.add(all_waters_, place);
    else if (kind <= most_arms)
      stars_[at(kind - 1)].add(all_stars_[at(kind - 1)], place);
    else
      groups_.push_back(all_groups_[at(place)]);
  });
  for (std::vector<int>* v : {&waters_.o, &waters_.h1, &waters_.h2}) pad_with_last(*v);
  for (std::vector<double>* v : {&waters_.mass_o, &waters_.mass_h, &waters_.ra, &waters_.rb, &waters_.rc, &waters_.oh})
    pad_with_last(*v);
  for (Stars& s : stars_) {
    for (auto& v : s.atoms) pad_with_last(v);
    for (auto& v : s.inverse_mass) pad_with_last(v);
    for (auto& v : s.length2) pad_with_last(v);
  }
}

void CpuConstraints::Waters::clear() {
  for (auto* v : {&o, &h1, &h2}) v->clear();
  for (auto* v : {&mass_o, &mass_h, &ra, &rb, &rc, &oh}) v->clear();
  count = 0;
}
void CpuConstraints::Waters::add(const Waters& from, int k) {
  const std::size_t n = at(k);
  o.push_back(from.o[n]);
  h1.push_back(from.h1[n]);
  h2.push_back(from.h2[n]);
  mass_o.push_back(from.mass_o[n]);
  mass_h.push_back(from.mass_h[n]);
  ra.push_back(from.ra[n]);
  rb.push_back(from.rb[n]);
  rc.push_back(from.rc[n]);
  oh.push_back(from.oh[n]);
  ++count;
}
void CpuConstraints::Stars::clear() {
  for (auto& v : atoms) v.clear();
  for (auto& v : inverse_mass) v.clear();
  for (auto& v : length2) v.clear();
  count = 0;
}
void CpuConstraints::Stars::add(const Stars& from, int k) {
  for (std::size_t a = 0; a <= at(arms); ++a) {
    atoms[a].push_back(from.atoms[a][at(k)]);
    inverse_mass[a].push_back(from.inverse_mass[a][at(k)]);
    if (a < at(arms)) length2[a].push_back(from.length2[a][at(k)]);
  }
  ++count;
}

void CpuConstraints::add_waters() {
  for (const RigidWater& w : system_.rigid_waters) {
    const auto shape =
        physics::WaterShape<double>::from(system_.masses[at(w.oxygen)], system_.masses[at(w.hydrogen1)], w.oh, w.hh);
    note_first(w.oxygen, 0, static_cast<int>(all_waters_.o.size()));
    all_waters_.o.push_back(3 * w.oxygen);
    all_waters_.h1.push_back(3 * w.hydrogen1);
    all_waters_.h2.push_back(3 * w.hydrogen2);
    all_waters_.mass_o.push_back(shape.mass_o);
    all_waters_.mass_h.push_back(shape.mass_h);
    all_waters_.ra.push_back(shape.ra);
    all_waters_.rb.push_back(shape.rb);
    all_waters_.rc.push_back(shape.rc);
    all_waters_.oh.push_back(w.oh);
  }
}

/// Sorts constraints into groups that share atoms, and groups into stars and the rest.
void CpuConstraints::sort_constraints() {
  std::vector<int> root(at(system_.size()));
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](int i) {
    while (root[at(i)] != i) i = root[at(i)] = root[at(root[at(i)])];
    return i;
  };
  for (const Constraint& c : system_.constraints) {
    const int a = find(c.i), b = find(c.j);
    root[at(std::max(a, b))] = std::min(a, b);
  }
  std::vector<Constraint> sorted = system_.constraints;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Constraint& a, const Constraint& b) { return find(a.i) < find(b.i); });
  for (std::size_t first = 0; first < sorted.size();) {
    std::size_t last = first;
    while (last < sorted.size() && find(sorted[last].i) == find(sorted[first].i)) ++last;
    const Group group{static_cast<int>(constraints_.size()), static_cast<int>(last - first)};
    constraints_.insert(constraints_.end(), sorted.begin() + static_cast<std::ptrdiff_t>(first),
                        sorted.begin() + static_cast<std::ptrdiff_t>(last));
    if (add_star(group))
      constraints_.resize(at(group.first));
    else {
      note_first(constraints_[at(group.first)].i, most_arms + 1, static_cast<int>(all_groups_.size()));
      all_groups_.push_back(group);
    }
    first = last;
  }
}

/// True when every constraint of the group joins one atom with an atom of its own.
bool CpuConstraints::add_star(const Group& group) {
  if (group.count > most_arms) return false;
  const Constraint* c = &constraints_[at(group.first)];
  const auto shared = [&](int atom) {
    return std::all_of(c, c + group.count, [&](const Constraint& k) { return k.i == atom || k.j == atom; });
  };
  int centre = inverse_mass_[at(c->i)] <= inverse_mass_[at(c->j)] ? c->i : c->j;  // of a single bond the heavier atom
  if (!shared(centre)) centre = c->i + c->j - centre;
  if (!shared(centre)) return false;
  Stars& stars = all_stars_[at(group.count - 1)];
  note_first(centre, group.count, static_cast<int>(stars.atoms[0].size()));
  const auto put = [&](std::size_t place, int atom) {
    stars.atoms[place].push_back(3 * atom);
    stars.inverse_mass[place].push_back(inverse_mass_[at(atom)]);
  };
  put(0, centre);
  for (int k = 0; k < group.count; ++k) {
    put(at(k + 1), c[k].i + c[k].j - centre);
    stars.length2[at(k)].push_back(c[k].length * c[k].length);
  }
  return true;
}

void CpuConstraints::positions(double dt, const double* before, double* x, double* v) const {
  const ConstrainKernels& kernels = select_constrain_kernels();
  FirstFailure failure;
  const WaterList waters = waters_.list();
  threads_.for_blocks(waters_.count, water_block, [&](int first, int last, int) {
    failure.report(kernels.settle_positions(waters, first, last, 1 / dt, before, x, v));
  });
  if (failure.entry() >= 0) torn(waters_.o[at(failure.entry())] / 3);
  for (const Stars& s : stars_) {
    const StarList list = s.list();
    threads_.for_blocks(s.count, star_block, [&](int first, int last, int) {
      failure.report(kernels.shake_stars(list, first, last, tolerance_, 1 / dt, before, x, v));
    });
    if (failure.entry() >= 0) {
      const std::size_t k = at(failure.entry());
      not_met(s.atoms[0][k] / 3, s.atoms[1][k] / 3, std::sqrt(s.length2[0][k]), x);
    }
  }
  threads_.for_each(static_cast<int>(groups_.size()), [&](int g, int) { shake(groups_[at(g)], dt, before, x, v); });
}

void CpuConstraints::velocities(const double* x, double* v) const {
  const ConstrainKernels& kernels = select_constrain_kernels();
  FirstFailure failure;
  const WaterList waters = waters_.list();
  threads_.for_blocks(waters_.count, water_block,
                      [&](int first, int last, int) { kernels.settle_velocities(waters, first, last, x, v); });
  for (const Stars& s : stars_) {
    const StarList list = s.list();
    threads_.for_blocks(s.count, star_block,
                        [&](int first, int last, int) { failure.report(kernels.rattle_stars(list, first, last, x, v)); });
    if (failure.entry() >= 0) {
      const std::size_t k = at(failure.entry());
      not_met(s.atoms[0][k] / 3, s.atoms[1][k] / 3, std::sqrt(s.length2[0][k]), x);
    }
  }
  threads_.for_each(static_cast<int>(groups_.size()), [&](int g, int) { rattle(groups_[at(g)], x, v); });
}

/// SHAKE (Ryckaert, Ciccotti and Berendsen, J. Comput. Phys. 23, 327 (1977)) on one group, sweep after sweep in a fixed order.
void CpuConstraints::shake(const Group& group, double dt, const double* before, double* x, double* v) const {
  double worst = 0;
  int culprit = group.first;
  for (int iteration = 0; iteration < most_iterations; ++iteration) {
    worst = 0;
    for (int k = group.first; k < group.first + group.count; ++k) {
      const Constraint& c = constraints_[at(k)];
      const Vec3d d = load(x, c.i) - load(x, c.j);
      const double error = dot(d, d) - c.length * c.length, relative = std::abs(error) / (2 * c.length * c.length);
      if (!(relative <= worst)) {
        worst = relative;
        culprit = k;
      }
      if (relative <= 0.5 * tolerance_) continue;
      const Vec3d reference = load(before, c.i) - load(before, c.j);
      const double wi = inverse_mass_[at(c.i)], wj = inverse_mass_[at(c.j)];
      const double g = error / (2 * (wi + wj) * dot(d, reference));
      add(x, c.i, (-g * wi) * reference);
      add(x, c.j, (g * wj) * reference);
      add(v, c.i, (-g * wi / dt) * reference);
      add(v, c.j, (g * wj / dt) * reference);
    }
    if (worst <= tolerance_) return;
    if (!std::isfinite(worst)) break;
  }
  const Constraint& c = constraints_[at(culprit)];
  not_met(c.i, c.j, c.length, x);
}

/// The velocity half of RATTLE (Andersen, J. Comput. Phys. 52, 24 (1983)): until no length changes by more than its tolerance
/// in a ps.
void CpuConstraints::rattle(const Group& group, const double* x, double* v) const {
  for (int iteration = 0; iteration < most_iterations; ++iteration) {
    double worst = 0;
    for (int k = group.first; k < group.first + group.count; ++k) {
      const Constraint& c = constraints_[at(k)];
      const Vec3d d = load(x, c.i) - load(x, c.j);
      const double rate = dot(d, load(v, c.i) - load(v, c.j)) / dot(d, d);  // [1/ps]
      if (!(std::abs(rate) <= worst)) worst = std::abs(rate);
      const double wi = inverse_mass_[at(c.i)], wj = inverse_mass_[at(c.j)];
      add(v, c.i, (-rate * wi / (wi + wj)) * d);
      add(v, c.j, (rate * wj / (wi + wj)) * d);
    }
    if (worst <= tolerance_) return;
    if (!std::isfinite(worst)) break;
  }
  const Constraint& c = constraints_[at(group.first)];
  not_met(c.i, c.j, c.length, x);
}

// A step far too large leaves no real solution; a NaN must not wander into the trajectory.
void CpuConstraints::torn(int oxygen) const {
  throw SimulationError("the water with " + describe_atom(system_.topology, oxygen) +
                        " was torn apart in one step (forces too large for the time step)");
}

void CpuConstraints::not_met(int i, int j, double length, const double* x) const {
  const Vec3d d = load(x, i) - load(x, j);
  const double apart = std::sqrt(dot(d, d));
  // Equal lengths would read as a contradiction: it is another bond of the group, or an earlier sweep, that failed.
  const std::string how = !std::isfinite(apart) ? ": their positions are no longer numbers"
                          : std::abs(apart - length) < 1e-6
                              ? ""
                              : ": the two are " + std::to_string(apart) + " nm apart instead of " + std::to_string(length);
  throw SimulationError("the constraints of " + describe_atom(system_.topology, i) + " and " +
                        describe_atom(system_.topology, j) + " cannot be met" + how +
                        " (forces too large for the step, as where atoms overlap or the time step is too long)");
}

}  // namespace uplift::cpu
