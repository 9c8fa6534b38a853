#pragma once
// The moving part of the CPU backend: state in double and in atom order, every stage of an integrator but the forces.
#include <array>
#include <span>
#include <vector>

#include "cpu/constrain_kernels.hpp"
#include "cpu/force_sums.hpp"
#include "cpu/integrate_kernels.hpp"
#include "cpu/threads.hpp"
#include "physics/integrate/nose_hoover.hpp"
#include "uplift/backend/atom_groups.hpp"
#include "uplift/backend/backend.hpp"
#include "uplift/backend/bias_factors.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift::cpu {

/// Solves the constraints of a system on [3 * atoms] arrays in double. Rigid water goes to SETTLE; an atom with up to four
/// others bound to it alone (hydrogens, as a rule) is swept in SIMD lanes; whatever else hangs together is swept by one thread,
/// one group after the other, in the order of the input. Results do not depend on the number of threads.
class CpuConstraints {
 public:
  /// `tolerance`: relative error of a constrained length.
  CpuConstraints(const System& system, double tolerance, const Threads& threads);

  /// From now on those of atoms that are at home.
  void set_share(const RankShare& share);
  std::int64_t count() const { return count_; }  ///< constraints and waters that are solved here

  /// x onto the constraints that `before` met; v += displacement / dt. Throws SimulationError naming atoms and deviation.
  void positions(double dt, const double* before, double* x, double* v) const;
  /// Removes velocity along every constraint.
  void velocities(const double* x, double* v) const;

 private:
  struct Waters {
    std::vector<int> o, h1, h2;
    std::vector<double> mass_o, mass_h, ra, rb, rc, oh;
    int count = 0;  ///< of those added, without copies that fill the last register
    void clear();
    void add(const Waters& from, int k);
    WaterList list() const {
      return {o.data(), h1.data(), h2.data(), mass_o.data(), mass_h.data(), ra.data(), rb.data(), rc.data(), oh.data()};
    }
  };
  struct Stars {
    int arms = 0;
    std::array<std::vector<int>, most_arms + 1> atoms;
    std::array<std::vector<double>, most_arms + 1> inverse_mass;
    std::array<std::vector<double>, most_arms> length2;
    int count = 0;  ///< as for Waters
    StarList list() const;
    void clear();
    void add(const Stars& from, int k);
  };
  /// Constraints that share atoms: `count` of constraints_ from `first`.
  struct Group {
    int first, count;
  };

  void add_waters();
  void sort_constraints();
  bool add_star(const Group& group);
  void note_first(int atom, int kind, int place);
  template <class F>
  void choose(F&& for_atoms);
  void shake(const Group& group, double dt, const double* before, double* x, double* v) const;
  void rattle(const Group& group, const double* x, double* v) const;
  [[noreturn]] void torn(int oxygen) const;
  [[noreturn]] void not_met(int i, int j, double length, const double* x) const;

  const System& system_;
  const Threads& threads_;
  double tolerance_;
  std::vector<double> inverse_mass_;                ///< [atoms] 1/Da
  Waters all_waters_, waters_;                      ///< of the system; of this rank, padded
  std::array<Stars, most_arms> all_stars_, stars_;  ///< by number of arms, from one
  std::vector<Constraint> constraints_;             ///< those of groups, group by group
  std::vector<Group> all_groups_, groups_;
  /// [atoms] what an atom is the first of, as its kind (0 water, 1 to most_arms stars, then groups) and its place in that list;
  /// -1: nothing.
  std::vector<int> kind_, place_;
  std::int64_t count_ = 0;
};

class CpuIntegration {
 public:
  /// `tolerance`: relative error of a constrained length.
  CpuIntegration(const System& system, double tolerance, const Threads& threads, RankLink* link = nullptr);

  /// The link has another share. Arrays that move with atoms: what a share that changes must carry.
  void set_share();
  std::vector<std::byte*> carried();
  std::vector<Vec3d>& mutable_positions() { return x_; }
  std::int64_t constraints() const { return constraints_.count() + static_cast<std::int64_t>(sites_.size()); }
  const std::vector<std::vector<AtomRange>>& pieces() const { return pieces_; }

  void upload(const State& state);
  void download(State& state) const;
  std::span<const Vec3d> positions() const { return x_; }
  const Box& box() const { return box_; }

  /// Forces of each level, those with empty sums have none, and what a bias makes of them.
  struct Levels {
    std::array<ForceSums, most_force_levels> sums;
    std::array<LevelFactors, most_force_levels> factors;
  };
  /// Any stage but ComputeForces and ApplyBias. Throws SimulationError when a constraint cannot be met.
  void run(const Stage& stage, const Levels& levels, std::int64_t step);
  /// Passes the forces on virtual sites to their parents; zero remains on the site. The virial becomes that of the parents'
  /// forces.
  void spread_virtual_site_forces(ForceSums& sums) const;
  double kinetic_energy() const;  ///< [kJ/mol]
  std::vector<PhaseTime> phases() const { return {integrate_, constrain_}; }

 private:
  void kick(const Kick& stage, const Levels& levels);
  void drift(const Drift& stage);
  void ornstein_uhlenbeck(const OrnsteinUhlenbeck& stage, std::int64_t step);
  void rescale_velocities(const RescaleVelocities& stage, std::int64_t step);
  void move_chain(const MoveNoseHooverChain& stage);
  void rescale(const physics::Rescaling& by);
  void save_positions();
  void place_sites();
  void remove_com_motion();
  void scale_box(const ScaleBox& stage);
  template <class F>
  void for_home(F&& f) const;  ///< f(first, last) on ranges of the atoms at home, side by side
  template <class F>
  double exact_sum(F&& f) const;  ///< over atoms, in whole numbers: the same for any number of threads and ranks
  void scale_molecule(int molecule, const ScaleBox& stage, const Vec3d& centre, const Vec3d& momentum, double mass);

  const System& system_;
  const Threads& threads_;
  RankLink* link_;
  const IntegrateKernels& kernels_;
  CpuConstraints constraints_;
  std::vector<std::vector<AtomRange>> pieces_;  ///< of the atoms at home, a task each
  std::vector<int> sites_, site_of_;            ///< virtual sites at home; [atoms] which one an atom is, or -1
  MoleculeAtoms molecules_;
  SpreadMolecules spread_;
  std::vector<Vec3d> x_, v_, saved_, kept_, kept_v_;
  Box box_, kept_box_;
  double heat_ = 0;
  physics::NoseHooverChain chain_;
  int degrees_of_freedom_;
  std::vector<double> inverse_mass3_;      ///< [3 * atoms] 1/Da, 0 for virtual sites
  std::vector<double> inverse_sqrt_mass_;  ///< [atoms]
  PhaseTime integrate_{"integrate", 0, 0}, constrain_{"constraints", 0, 0};
};

}  // namespace uplift::cpu
