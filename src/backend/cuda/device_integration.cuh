#pragma once
// The moving part of the device backend: state in device memory, every stage of an integrator but the forces. Queues work and
// waits for nothing, but where it says so.
#include <cuda/descent.cuh>
#include <cuda/device_buffer.cuh>
#include <cuda/integrate.cuh>
#include <cuda/molecules.cuh>

#include <array>
#include <bit>
#include <cstddef>
#include <string>
#include <utility>

#include "backend/cuda/device_energies.cuh"
#include "backend/cuda/device_ranks.cuh"
#include "uplift/backend/atom_groups.hpp"
#include "uplift/model/system.hpp"

namespace uplift::UPLIFT_DEVICE {

/// Groups of atoms that moves keep together, in device memory.
class Units {
 public:
  explicit Units(const System& system);
  UnitsView view() const;
  /// From now on those of atoms that are at home.
  void set_share(const RankShare& share, cudaStream_t stream);
  std::int64_t count() const { return constrained_; }  ///< constraints and waters that are solved here
  int water(int number) const { return water_[static_cast<std::size_t>(number)]; }  ///< of the system, of those here
  const std::vector<Constraint>& constraints() const {
    return constraints_;
  }  ///< in the order that Shared::failed_constraint counts

 private:
  struct Lists {
    std::vector<int> atoms, first_constraint;
    std::vector<double> length;
  };
  struct Groups {
    std::vector<int> group_start{0}, group_atoms, bond_start{0}, bond_atoms;
    std::vector<double> bond_length;
    int add(const Groups& from, int u);
  };
  template <class F>
  void put(F&& at_home, cudaStream_t stream);

  std::vector<Constraint> constraints_;
  Lists all_[unit_kinds];  ///< of the system
  std::vector<physics::WaterShape<double>> all_shapes_;
  Groups all_groups_;
  std::vector<int> water_;
  std::int64_t constrained_ = 0;
  int count_[unit_kinds] = {};
  DeviceBuffer<int> atoms_[unit_kinds], first_constraint_[unit_kinds];
  DeviceBuffer<double> length_[unit_kinds];
  DeviceBuffer<physics::WaterShape<double>> shapes_;
  DeviceBuffer<int> group_start_, group_atoms_, bond_start_, bond_atoms_;
  DeviceBuffer<double> bond_length_;
};

/// As launch_worst_force() packs it.
inline WorstForce worst_force_of(unsigned long long packed) {
  return {static_cast<int>(~static_cast<unsigned>(packed)),
          static_cast<double>(std::bit_cast<float>(static_cast<unsigned>(packed >> 32)))};
}

class DeviceIntegration {
 public:
  DeviceIntegration(const System& system, double tolerance, cudaStream_t stream);

  /// Several ranks share the system. `ranks` outlives this.
  void set_ranks(DeviceRanks& ranks);
  void set_share();
  std::int64_t constraints() const { return units_.count() + site_count_; }  ///< waters and virtual sites included
  /// Arrays that move with atoms: positions first.
  std::vector<void*> carried();
  Vec3d* mutable_positions() { return x_.data(); }
  /// What has been counted since anybody took it, or null when there is none: it is to be summed over ranks.
  Fixed* take_heat() { return std::exchange(heat_counted_, false) ? &shared_.data()->heat_change : nullptr; }

  void upload(const State& state);
  void download(State& state) const;  ///< waits
  AtomsView atoms() {
    return {static_cast<int>(x_.size()), x_.data(), v_.data(), saved_.data(), inverse_mass_.data(), mass_.data()};
  }
  const Box& box() const { return box_; }
  const Vec3d* positions() const { return x_.data(); }

  /// The number of the step whose stages come.
  void set_step(std::int64_t step);
  /// The device counts on by itself, on a stream that comes after the step's last moves and before the next step; and so does
  /// the host.
  void queue_end_of_step(cudaStream_t stream) { launch_end_step(shared_.data(), stream); }
  void step_has_ended() { ++step_; }
  void queue_bias(const TalliesView& tallies, double constants, const ApplyBias& stage, bool ends_step, cudaStream_t stream) {
    launch_bias(shared_.data(), tallies, constants, stage, ends_step, stream);
  }
  /// What all atoms share: the boosts and the factors of each level's forces among it. Waits.
  Shared look() const;
  /// Any stage but ComputeForces and ApplyBias. Stages are gathered into as few kernels as may be: flush() queues what has been
  /// gathered.
  void run(const Stage& stage, const LevelForces& levels);
  /// `placing`: as of launch_moves().
  void flush(const Placing<float>* placing = nullptr);
  /// Does the kernel of moves bring every atom to its place? Virtual sites follow it.
  bool moves_all() const { return has_moves() && site_count_ == 0; }
  bool has_moves() const { return moves_.count > 0; }
  void spread_site_forces(const SumsView& sums, bool virial) {
    launch_spread_sites(atoms(), sites_view(), sums, virial, stream_);
  }

  /// What a snapshot has besides positions, queued on the stream.
  std::size_t size() const { return x_.size(); }
  const Vec3d* velocities() const { return v_.data(); }
  void queue_accelerations(const LevelForces& levels, DescentMaxima* maxima) {
    launch_accelerate(atoms(), view_of(levels), shared_.data(), maxima, stream_);
  }
  /// Boosts and factors, with forces that are kept.
  void keep_shared() { kept_shared_.copy_from(shared_, stream_); }
  void put_shared_back() { shared_.copy_from(kept_shared_, stream_); }
  void forget_failures() { launch_forget_failures(shared_.data(), stream_); }
  const Shared* shared() const { return shared_.data(); }
  // Added to sums that are clear.
  void queue_kinetic_energy(Fixed* sums) { launch_moments(atoms(), home(), sums, stream_); }
  void queue_worst_force(const LevelForces& levels, unsigned long long* worst) {
    launch_worst_force(home(), view_of(levels), shared_.data(), worst, stream_);
  }
  void queue_molecular_sums(const LevelForces& levels, Fixed* sums) {
    launch_molecular_sums(atoms(), molecules_by_size(), view_of(levels), shared_.data(), sums, stream_);
  }
  /// What check_constraints() throws, from a copy of `shared`; empty: nothing.
  std::string constraint_failure(const Shared& shared) const;

  /// Throws SimulationError when a constraint could not be met since the last upload. Waits.
  void check_constraints() const;
  double kinetic_energy();                                     ///< waits
  Backend::WorstForce worst_force(const LevelForces& levels);  ///< waits

 private:
  SitesView sites_view() const { return {site_count_, site_atoms_.data(), site_parameters_.data()}; }
  AtomList home() const { return ranks_ ? ranks_->home() : AtomList{static_cast<int>(x_.size()), nullptr}; }
  void put_sites();
  static LevelsView view_of(const LevelForces& levels);
  MoleculesBySize molecules_by_size() const;
  void put_molecules();
  void scale_box(const ScaleBox& stage);
  Move& add(MoveKind kind);
  void add_kick(const Kick& stage, const LevelForces& levels);
  void sum_kinetic();

  const System& system_;
  double tolerance_;
  cudaStream_t stream_;
  DeviceRanks* ranks_ = nullptr;  ///< null: one rank
  bool heat_counted_ = false;
  int site_count_ = 0, molecule_count_ = 0;
  Box box_, kept_box_;
  double total_mass_ = 0;
  int degrees_of_freedom_;
  std::int64_t step_ = -1;  ///< that the device has
  Moves moves_{};
  Units units_;
  DeviceBuffer<Vec3d> x_, v_, saved_, kept_, kept_v_;
  DeviceBuffer<double> mass_, inverse_mass_;
  std::vector<int> first_of_molecule_;  ///< [molecules] lowest atom
  SpreadMolecules spread_;
  DeviceBuffer<int> small_molecules_, large_molecules_, molecules_, molecule_start_, molecule_atoms_, site_atoms_,
      spread_of_atom_;
  DeviceBuffer<double> spread_mass_;
  DeviceBuffer<Fixed> spread_sums_;  ///< of molecules that ranks may share, [6] each
  DeviceBuffer<double> site_parameters_;
  DeviceBuffer<Shared> shared_, kept_shared_;
  mutable PinnedBuffer<Vec3d> fetched_x_, fetched_v_;  ///< on their way to whoever asks
  mutable PinnedBuffer<Shared> fetched_shared_;
  DeviceBuffer<Fixed> sums_;
  DeviceBuffer<unsigned long long> worst_;
};

}  // namespace uplift::UPLIFT_DEVICE
