#pragma once
// The influence function of one box: energy per squared structure factor at every point of the half-complex mesh, and the
// virial.
#include <array>
#include <vector>

#include "cpu/threads.hpp"
#include "physics/pme/influence.hpp"
#include "uplift/backend/backend.hpp"
#include "uplift/core/box.hpp"
#include "uplift/data/buffer.hpp"

namespace uplift::cpu {

/// Table [ny][nx][nz/2 + 1], in the order in which the solver visits it.
template <class T>
class InfluenceTable {
 public:
  explicit InfluenceTable(const PmeParameters& pme);
  /// The table of the box before it is kept: a barostat may go back to that.
  void set_box(const Box& box, const Threads& threads);
  /// d(energy)/dQ factors of row block ky: potential(k) = table(k) Q(k), energy = sum of table |Q|^2 / 2.
  const T* block(int ky) const { return table_.data() + static_cast<std::size_t>(ky) * block_; }
  /// How often a point of the half mesh counts: once where it is its own mirror image along z, else twice.
  double weight(int kz) const { return kz == 0 || 2 * kz == pme_.grid[2] ? 1 : 2; }
  /// Virial of point k [kJ/mol/e^2] per squared structure factor: xx xy xz yy yz zz.
  std::array<double, 6> virial(int kx, int ky, int kz) const {
    const physics::Symmetric w = waves_.virial(kx, ky, kz);
    return {w.xx, w.xy, w.xz, w.yy, w.yz, w.zz};
  }

 private:
  PmeParameters pme_;
  std::size_t block_;
  std::vector<double> moduli_[3];
  physics::MeshWaves waves_{};
  Box box_, box_before_;
  Buffer<T> table_, table_before_;
};

}  // namespace uplift::cpu
