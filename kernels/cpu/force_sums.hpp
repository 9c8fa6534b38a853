#pragma once
// Where the CPU's force terms put their results: order-free sums in fixed point (uplift/core/fixed_point.hpp).
#include <array>
#include <atomic>
#include <span>

#include "cpu/threads.hpp"
#include "uplift/core/box.hpp"
#include "uplift/core/fixed_point.hpp"
#include "uplift/data/buffer.hpp"
#include "uplift/model/energies.hpp"

namespace uplift::cpu {

/// What a force term is asked for. Positions are in atom order, unwrapped, double; virtual sites already placed.
struct ForceRequest {
  std::span<const Vec3d> x;  ///< [atoms] nm
  Box box;
  bool energies = false;
  bool virial = false;
  bool every_step = false;  ///< energies are wanted at every step of the stage (a boost goes by them)
};

/// Totals in atom order. Terms run one after the other; within a term, threads either own disjoint atoms, or keep private sums
/// and add them at the end, or use add_atomic().
struct ForceSums {
  Buffer<Fixed> force;                            ///< [3 * atoms], x y z interleaved, unit 2^-32 kJ/mol/nm
  std::array<Fixed, energy_term_count> energy{};  ///< unit 2^-32 kJ/mol
  std::array<Fixed, 9> virial{};                  ///< unit 2^-32 kJ/mol, row-major, sum of r (x) f

  void clear() {
    force.clear();
    energy.fill(0);
    virial.fill(0);
  }
  void add_atomic(int atom, const Vec3d& f) {
    std::atomic_ref<Fixed>(force[3 * static_cast<std::size_t>(atom)]).fetch_add(fixed_force(f.x), std::memory_order_relaxed);
    std::atomic_ref<Fixed>(force[3 * static_cast<std::size_t>(atom) + 1])
        .fetch_add(fixed_force(f.y), std::memory_order_relaxed);
    std::atomic_ref<Fixed>(force[3 * static_cast<std::size_t>(atom) + 2])
        .fetch_add(fixed_force(f.z), std::memory_order_relaxed);
  }
  void add_fixed_energy(EnergyTerm term, Fixed e) {
    std::atomic_ref<Fixed>(energy[static_cast<std::size_t>(term)]).fetch_add(e, std::memory_order_relaxed);
  }
  void add_fixed_virial(int component, Fixed w) {
    std::atomic_ref<Fixed>(virial[static_cast<std::size_t>(component)]).fetch_add(w, std::memory_order_relaxed);
  }
  /// xx yy zz xy xz yz into the full tensor.
  void add_symmetric_virial(const Fixed* w) {
    constexpr int place[6] = {0, 4, 8, 1, 2, 5}, mirror[6] = {-1, -1, -1, 3, 6, 7};
    for (int k = 0; k < 6; ++k) {
      add_fixed_virial(place[k], w[k]);
      if (mirror[k] >= 0) add_fixed_virial(mirror[k], w[k]);
    }
  }
  void add_energy_atomic(EnergyTerm term, double e) { add_fixed_energy(term, fixed_energy(e)); }
  void add_virial_atomic(int component, double w) { add_fixed_virial(component, fixed_energy(w)); }
  /// One number for the whole system, which no clamp may cut: that of 13 million atoms of water is 1e9 kJ/mol. Sums that go
  /// round come back, so only totals must fit.
  void add_whole_energy(EnergyTerm term, double e) { add_fixed_energy(term, fixed_whole(e)); }
  void add_whole_virial(int component, double w) { add_fixed_virial(component, fixed_whole(w)); }
};

}  // namespace uplift::cpu
