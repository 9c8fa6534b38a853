#pragma once
// The influence function of one box: energy per squared structure factor at every point of the half-complex mesh, and the
// virial.
#include <array>
#include <vector>

#include "cpu/threads.hpp"
#include "uplift/backend/backend.hpp"
#include "uplift/core/box.hpp"
#include "uplift/data/buffer.hpp"

namespace uplift::cpu {

/// |1/b(k)|^2 of Essmann 1995, eq. 4.4: squared modulus of the transform of a spline sampled on n points. Where it vanishes
/// (odd orders at k = n/2) it is the mean of its neighbours, as in Essmann's and OpenMM's programs.
std::vector<double> spline_moduli(int order, int n);

/// Table [ny][nx][nz/2 + 1], in the order in which the solver visits it.
template <class T>
class InfluenceTable {
 public:
  explicit InfluenceTable(const PmeParameters& pme);
  void set_box(const Box& box, const Threads& threads);
  /// d(energy)/dQ factors of row block ky: potential(k) = table(k) Q(k), energy = sum of table |Q|^2 / 2.
  const T* block(int ky) const { return table_.data() + static_cast<std::size_t>(ky) * block_; }
  /// How often a point of the half mesh counts: once where it is its own mirror image along z, else twice.
  double weight(int kz) const { return kz == 0 || 2 * kz == pme_.grid[2] ? 1 : 2; }
  /// Virial of point k [kJ/mol/e^2] per squared structure factor: xx xy xz yy yz zz.
  std::array<double, 6> virial(int kx, int ky, int kz) const;

 private:
  double modulus(int kx, int ky, int kz) const {
    return moduli_[0][static_cast<std::size_t>(kx)] * moduli_[1][static_cast<std::size_t>(ky)] *
           moduli_[2][static_cast<std::size_t>(kz)];
  }
  Vec3d wave(int kx, int ky, int kz) const;
  Vec3d mirrored(int kx, int ky, int kz) const;
  double value(int kx, int ky, int kz) const;

  PmeParameters pme_;
  Box box_;
  std::size_t block_;
  std::vector<double> moduli_[3];
  Buffer<T> table_;
};

}  // namespace uplift::cpu
