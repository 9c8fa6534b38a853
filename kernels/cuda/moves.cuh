#pragma once
// All of a step between two evaluations of the forces in one kernel: kicks, drifts, noise and constraints, move after move,
// with the atoms of one constraint group in the registers of one thread. State is double, in the input's order. What the moves
// of all atoms share (heat, thermostats, the step) is in device memory, so that nobody waits for the host.
#include <cuda/placing.cuh>

#include "physics/constrain/settle.hpp"
#include "physics/integrate/nose_hoover.hpp"
#include "uplift/backend/backend.hpp"
#include "uplift/backend/bias_factors.hpp"

namespace uplift::UPLIFT_DEVICE {

struct AtomsView {
  int count;
  Vec3d *x, *v;                ///< [count] nm, nm/ps
  Vec3d* saved;                ///< [count] nm, of SavePositions; atoms without constraints have none
  const double* inverse_mass;  ///< [count] 1/Da; 0 for virtual sites
  const double* mass;          ///< [count] Da
};

enum class MoveKind {
  kick,
  drift,
  noise,
  save,
  constrain_positions,
  constrain_velocities,
  constrain_velocities_at_saved,
  count_heat,
  sum_kinetic,
  transform
};
struct Move {
  MoveKind kind;
  double dt;  ///< kick, drift, constrain_positions; count_heat: the sign
  double weight[most_force_levels], boost_weight;
  double decay, spread;  ///< noise
  std::uint64_t seed;
  int substep;
};
inline constexpr int most_moves = 16;
/// A sequence of moves. Positions that were saved before it are loaded if `loads_saved`, those that later ones need stored if
/// `stores_saved`.
struct Moves {
  int count;
  bool loads_saved, stores_saved;
  const Fixed* force[most_force_levels];  ///< nullptr: none
  double tolerance;
  Move move[most_moves];
};

/// What all atoms share.
struct Shared {
  std::int64_t step;           ///< keys the noise
  double heat;                 ///< State::heat
  Fixed heat_change;           ///< counted since
  Fixed kinetic, momentum[3];  ///< sums for what follows
  double factor;               ///< MoveKind::transform: v = factor v + shift, of atoms with mass
  Vec3d shift;
  physics::NoseHooverChain chain;
  BiasState bias;
  LevelFactors factors[most_force_levels];  ///< of each level's forces
  int failed_water, failed_constraint;      ///< lowest that could not be met, INT_MAX: none
  long long failed_step;                    ///< the first
};

/// Groups of atoms that move together, by kind: stars of 1 to 3 arms about one atom, rigid waters, atoms without constraints,
/// and all others. What takes longest comes first.
enum UnitKind { unit_general, unit_star3, unit_star2, unit_star1, unit_water, unit_single, unit_kinds };
struct UnitsView {
  int count[unit_kinds];
  const int* atoms[unit_kinds];              ///< [count][atoms of a unit], the star's centre first
  const physics::WaterShape<double>* shape;  ///< [waters]
  const double* length[unit_kinds];          ///< stars: [count][arms] nm
  const int* first_constraint[unit_kinds];   ///< stars: [count], as errors name them
  // General groups: any atoms, any constraints between them.
  const int *group_start, *group_atoms;  ///< [count + 1], atoms
  const int *bond_start, *bond_atoms;    ///< [count + 1], [constraints][2] places in the group
  const double* bond_length;             ///< [constraints]
};

/// `placing`: where the moved atoms are, the pair list hears at once; null: from nobody.
void launch_moves(const AtomsView& atoms, const UnitsView& units, const Moves& moves, Shared* shared,
                  const Placing<float>* placing, cudaStream_t stream);

/// Kernels of one thread, on Shared alone.
/// The boosts, from the tallies of the levels and what of the energy is no force's [kJ/mol]. `ends_step`: as launch_end_step.
struct TalliesView {
  const Fixed* energy[most_force_levels];  ///< [energy_term_count] each; nullptr: none
};
void launch_bias(Shared* shared, const TalliesView& tallies, double constants, const ApplyBias& stage, bool ends_step,
                 cudaStream_t stream);
/// State::heat takes what was counted, and the step ends: what comes next has the next number.
void launch_end_step(Shared* shared, cudaStream_t stream);
/// What could not be met is forgotten.
void launch_forget_failures(Shared* shared, cudaStream_t stream);
void launch_set_step(Shared* shared, std::int64_t step, cudaStream_t stream);
void launch_add_heat(Shared* shared, double amount, cudaStream_t stream);
/// The factor of v-rescale, or of the Nose-Hoover chain, from the kinetic energy that was summed.
void launch_rescale(Shared* shared, const RescaleVelocities& stage, int degrees_of_freedom, cudaStream_t stream);
void launch_move_chain(Shared* shared, const MoveNoseHooverChain& stage, int degrees_of_freedom, cudaStream_t stream);
/// The shift that takes the momentum away that was summed.
void launch_stop_drift(Shared* shared, double total_mass, cudaStream_t stream);

}  // namespace uplift::UPLIFT_DEVICE
