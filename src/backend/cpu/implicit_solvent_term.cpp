// Generalized Born on the CPU: three passes over all pairs (gb_kernels.hpp) with work per atom between them. Between the
// passes, and in the end, sums are in fixed point, so neither threads nor tiles leave a trace in the result.
// Double in both precisions: gb_kernels.hpp says why.
#include <algorithm>
#include <chrono>
#include <vector>

#include "backend/cpu/gb_arrays.hpp"
#include "physics/gb/born_energy.hpp"
#include "physics/gb/born_radius.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"

namespace uplift::cpu {
namespace {

constexpr int tile_rows = 64, small_tile_rows = 32;
constexpr int small_system = 2048;  // atoms; smaller ones get smaller tiles, for enough tasks
constexpr int atom_block = 256;     // atoms a task of the work between the passes
constexpr int planes = 5;           // sums an atom: force x y z, dE/dB, Born integral

class ImplicitSolventTerm final : public ForceTerm {
 public:
  ImplicitSolventTerm(const System& system, const Threads& threads)
      : threads_(threads),
        kernels_(select_gb_kernels()),
        parameters_(gb_parameters(system)),
        charges_(system.force_field.charges),
        surface_(system.forces.implicit_solvent->surface == SurfaceModel::ace),
        medium_{1 / system.forces.implicit_solvent->solute_dielectric, 1 / system.forces.implicit_solvent->solvent_dielectric,
                parameters_.kappa},
        atoms_(system.size()),
        arrays_(parameters_, charges_, medium_.inverse_in, medium_.inverse_out),
        born_slope_(at(atoms_)),
        radius_slope_(at(atoms_)),
        sums_(at(threads.count())),
        energy_(at(threads.count()), 0) {
    for (auto& of_thread : sums_) of_thread.resize(at(planes) * at(arrays_.padded()));
    make_tiles();
  }

  std::string name() const override { return "implicit solvent"; }
  ForceGroup group() const override { return ForceGroup::implicit_solvent; }
  void set_share(const RankShare&, std::span<const Vec3d>, const Box&) override { UPLIFT_EXPECT(false); }  // never decomposed
  std::vector<PhaseTime> phases() const override { return {integral_time_, pair_time_, chain_time_}; }

  // No virial: there is no box.
  void compute(const ForceRequest& request, ForceSums& sums) override {
    if (atoms_ == 0) return;
    timed(integral_time_, [&] {
      arrays_.place(request.x);
      over_tiles([&](const GbTile& tile, int thread) { kernels_.integrals(arrays_.view(), tile, plane(thread, 4)); });
      find_radii(request.energies);
    });
    timed(pair_time_, [&] {
      over_tiles([&](const GbTile& tile, int thread) {
        std::int64_t* const to[4] = {plane(thread, 0), plane(thread, 1), plane(thread, 2), plane(thread, 3)};
        kernels_.pairs(arrays_.view(), tile, to, request.energies ? &energy_[at(thread)] : nullptr);
      });
      find_slopes();
    });
    timed(chain_time_, [&] {
      over_tiles([&](const GbTile& tile, int thread) {
        std::int64_t* const to[3] = {plane(thread, 0), plane(thread, 1), plane(thread, 2)};
        kernels_.chain(arrays_.view(), tile, to);
      });
      hand_over(request.energies, sums);
    });
  }

 private:
  template <class F>
  static void timed(PhaseTime& phase, F&& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    phase.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++phase.calls;
  }
  std::int64_t* plane(int thread, int which) { return sums_[at(thread)].data() + at(which) * at(arrays_.padded()); }
  template <class F>
  void over_tiles(F&& f) {
    threads_.for_each(static_cast<int>(tiles_.size()), [&](int task, int thread) { f(tiles_[at(task)], thread); });
  }
  /// Sum of a plane over the threads, which is left at zero.
  std::int64_t take(int which, int atom) {
    std::int64_t total = 0;
    for (int t = 0; t < threads_.count(); ++t) {
      std::int64_t& part = plane(t, which)[atom];
      add_wrapping(total, part);
      part = 0;
    }
    return total;
  }

  /// Longest rows first, so that the last tasks to start are short.
  void make_tiles() {
    const int rows = atoms_ < small_system ? small_tile_rows : tile_rows;
    for (int i = 0; i < atoms_; i += rows)
      for (int j = i / gb_pad * gb_pad; j < arrays_.padded(); j += gb_tile_columns)
        tiles_.push_back({i, std::min(i + rows, atoms_), j, std::min(j + gb_tile_columns, arrays_.padded())});
  }

  /// Born radii from the integrals; the energy of every charge with itself and of the surface, and their dE/dB.
  void find_radii(bool energies) {
    const GbParameters& p = parameters_;
    threads_.for_blocks(atoms_, atom_block, [&](int first, int last, int thread) {
      for (int n = first; n < last; ++n) {
        const std::size_t i = at(n);
        const double integral = static_cast<double>(take(4, n)) / gb_integral_scale;
        const auto born = p.form == BornRadiusForm::inverse
                              ? physics::born_radius_inverse(integral, p.rho[i])
                              : physics::born_radius_tanh(integral, p.rho[i], p.radius[i], p.alpha[i], p.beta[i], p.gamma[i]);
        arrays_.set_born(n, born.radius);
        radius_slope_[i] = born.slope;
        const auto self = physics::born_self(constants::coulomb * charges_[i] * charges_[i], born.radius, medium_);
        double energy = self.energy;
        born_slope_[i] = self.slope;
        if (surface_) {
          const auto ace = physics::ace_surface(p.radius[i], born.radius);
          energy += ace.energy;
          born_slope_[i] += ace.slope;
        }
        if (energies) add_wrapping(energy_[at(thread)], fixed_energy(energy));
      }
    });
  }

  /// dE/dI of every atom.
  void find_slopes() {
    threads_.for_blocks(atoms_, atom_block, [&](int first, int last, int) {
      for (int i = first; i < last; ++i)
        arrays_.set_integral_slope(i, (from_fixed(take(3, i)) + born_slope_[at(i)]) * radius_slope_[at(i)]);
    });
  }

  void hand_over(bool energies, ForceSums& sums) {
    threads_.for_blocks(atoms_, atom_block, [&](int first, int last, int) {
      for (int i = first; i < last; ++i)
        for (int c = 0; c < 3; ++c) add_wrapping(sums.force[at(3 * i + c)], take(c, i));
    });
    for (Fixed& e : energy_) {
      if (energies) add_wrapping(sums.energy[static_cast<std::size_t>(EnergyTerm::implicit_solvent)], e);
      e = 0;
    }
  }

  Threads threads_;
  const GbKernels& kernels_;
  GbParameters parameters_;
  std::vector<double> charges_;  ///< [e]
  bool surface_;
  physics::Dielectric<double> medium_;
  int atoms_;
  GbArrays arrays_;
  std::vector<double> born_slope_, radius_slope_;  ///< dE/dB of the atom alone, dB/dI
  std::vector<GbTile> tiles_;
  std::vector<Buffer<std::int64_t>> sums_;  ///< one a thread: [planes * padded]
  std::vector<Fixed> energy_;               ///< one a thread
  PhaseTime integral_time_{"GB Born radii", 0, 0}, pair_time_{"GB pairs", 0, 0}, chain_time_{"GB chain rule", 0, 0};
};

}  // namespace

std::unique_ptr<ForceTerm> make_implicit_solvent_term(const System& system, Precision, const Threads& threads) {
  if (!system.forces.implicit_solvent) return nullptr;
  return std::make_unique<ImplicitSolventTerm>(system, threads);
}

}  // namespace uplift::cpu
