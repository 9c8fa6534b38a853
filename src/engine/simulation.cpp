#include "uplift/engine/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/blow_up.hpp"
#include "engine/snapshot.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/random.hpp"
#include "uplift/engine/pressure.hpp"
#include "uplift/model/imaging.hpp"

namespace uplift {
namespace {

constexpr std::int64_t check_every = 100;  // steps between looks at the largest force

}  // namespace

Simulation::Simulation(const System& system, Backend& backend, State state, const DynamicsSettings& dynamics,
                       std::optional<StageStart> continued, BiasCourse bias)
    : system_(system),
      backend_(backend),
      dynamics_(dynamics),
      bias_(std::move(bias)),
      integrator_(make_integrator(dynamics, bias_.plan)),
      step_(state.step),
      start_(continued.value_or(StageStart{state.step, state.time})),
      time_(state.time),
      state_(std::move(state)) {
  if (dynamics_.pressure)
    barostat_.emplace(system_, *dynamics_.pressure, dynamics_, continued ? state_.barostat : std::vector<double>{});
  UPLIFT_EXPECT(system.torsions_apart == boosted_torsions(bias_.plan.bias));
  if (continued) {
    if (state_.bias) set_bias(integrator_, bias_.plan.bias = *state_.bias);
    backend_.upload(state_);
    return;
  }
  state_.list.clear();
  make_molecules_whole(system_, state_);  // constraints and molecular centres take distances as they are
  backend_.upload(state_);
  const Stage settle_in[] = {SavePositions{}, ConstrainPositions{dynamics_.timestep}, PlaceVirtualSites{}};
  // Coordinates from a file meet the constraints only roughly; the velocity that this adds is not wanted, so the given ones go
  // back.
  backend_.run(settle_in, {}, step_);
  backend_.verify();
  State placed;
  backend_.download(placed);
  placed.v = state_.v;
  backend_.upload(placed);
  const Stage align[] = {ConstrainVelocities{}};
  backend_.run(align, {}, step_);
}

void Simulation::begin() {
  compute_energies();
  check();
  record(plan(step_));
}

void Simulation::compute_energies() {
  backend_.run(integrator_.forces, ForcePlan{.energies = true, .virial = state_.box.periodic()}, step_);
  energies_step_ = step_;
  begun_ = true;
}

void Simulation::step() {
  UPLIFT_EXPECT(begun_);  // the first kick needs forces
  const StepPlan p = plan(step_ + 1);
  if (dynamics_.ramp) set_temperature(integrator_, target_temperature(step_ + 1));
  try {
    backend_.run(integrator_.stages, p.forces, step_ + 1);
  } catch (const SimulationError& e) {
    report_failure(system_, backend_, {step_ + 1, time_ + dynamics_.timestep}, e.what());
  }
  if (p.remove_com) {
    const Stage stages[] = {RemoveComMotion{}};
    backend_.run(stages, p.forces, step_ + 1);
  }
  ++step_;
  time_ = start_.time + static_cast<double>(step_ - start_.step) * dynamics_.timestep;
  if (p.barostat) barostat_->act(backend_, integrator_.forces, target_temperature(step_), step_, p.reports);
  if (p.reports) energies_step_ = step_;
  if (p.check) check();
  record(p);
  if (bias_.update_every > 0 && (step_ - start_.step) % bias_.update_every == 0) update_bias();
}

/// Forces of the present positions change with the parameters; what that does to V* counts as heat.
void Simulation::update_bias() {
  State now;
  backend_.download(now);
  const double before = backend_.energies().bias.boost();
  set_bias(integrator_, bias_.plan.bias = bias_.update(now.statistics));
  std::vector<Stage> apply;
  for (const Stage& stage : integrator_.forces)
    if (std::holds_alternative<ApplyBias>(stage)) apply.push_back(stage);
  backend_.run(apply, {}, step_);
  const Stage count[] = {AddHeat{backend_.energies().bias.boost() - before}};
  backend_.run(count, {}, step_);
  energies_step_ = -1;  // the virial of the boosted forces is another
}

double Simulation::target_temperature(std::int64_t step) const {
  if (!dynamics_.ramp) return dynamics_.temperature;
  const double passed = static_cast<double>(step - start_.step) * dynamics_.timestep / dynamics_.ramp->time;
  return dynamics_.ramp->from + std::clamp(passed, 0.0, 1.0) * (dynamics_.ramp->to - dynamics_.ramp->from);
}

StepPlan Simulation::plan(std::int64_t step) const {
  StepPlan p;
  p.wanted = p.late_wanted = {false, false, false, false};
  for (const Recorder* r : recorders_) {
    if (!r->due(step)) continue;
    const bool late = r->takes() == Takes::late_frame;
    (late ? p.late : p.record) = true;
    Wanted& all = late ? p.late_wanted : p.wanted;
    const Wanted one = r->wanted();
    all.forces |= one.forces;
    all.energies |= one.energies;
    all.positions |= one.positions;
    all.velocities |= one.velocities;
  }
  p.barostat = barostat_ && barostat_->due(step);
  p.reports = p.wanted.energies || p.late_wanted.energies;
  p.forces.energies = p.reports || p.barostat;
  p.forces.virial = state_.box.periodic() && (p.reports || (p.barostat && barostat_->needs_virial()));
  p.remove_com = system_.remove_com && dynamics_.com_removal_every > 0 && step % dynamics_.com_removal_every == 0;
  p.check = p.record || step % check_every == 0;
  return p;
}

void Simulation::check() {
  try {
    backend_.verify();
  } catch (const SimulationError& e) {
    report_failure(system_, backend_, {step_, time_}, e.what());
  }
  check_for_blow_up(system_, backend_, {step_, time_}, target_temperature(step_));
}

State Simulation::state() const {
  State now;
  backend_.download(now);
  now.step = step_;
  now.time = time_;
  if (barostat_) now.barostat = barostat_->memory();
  if (bias_.update_every > 0) now.bias = bias_.plan.bias;
  return now;
}

State Simulation::checkpoint_state() {
  check();  // a state that has blown up must not take the place of a good one
  State now = state();
  now.list = backend_.list_origin();
  return now;
}

State Simulation::full_step_state() {
  UPLIFT_EXPECT(begun_);  // takes forces
  if (!integrator_.to_full_step.empty()) backend_.run(integrator_.to_full_step, {}, step_);
  return state();
}

/// Energies are those of the present step: worked out now if nobody asked for them then.
std::unique_ptr<Snapshot> Simulation::snapshot(const Wanted& wanted) {
  if (wanted.energies && (!begun_ || energies_step_ != step_)) compute_energies();
  return take_snapshot(system_, backend_,
                       {wanted.positions, wanted.velocities, wanted.forces, wanted.energies, integrator_.to_full_step}, step_);
}

Frame Simulation::observe(const Wanted& wanted) {
  const std::unique_ptr<Snapshot> now = snapshot({false, wanted.energies, false, false});
  state_ = state();
  if (wanted.forces) backend_.download_forces(forces_);
  Frame frame{observables_of(system_, now->get(), bias_.plan.bias), state_, forces_};
  if (!wanted.energies && bias_.plan.boosts()) frame.energies.bias = backend_.energies().bias;
  if (!std::isfinite(frame.kinetic + (wanted.energies ? frame.energies.boosted_potential() : 0)))
    report_failure(system_, backend_, {step_, time_}, "the energy is not a number");
  return frame;
}

void Simulation::replace(std::vector<Vec3d> x, std::vector<Vec3d> v, const Box& box) {
  const double before = observe({false, true}).conserved;
  State other = state();
  other.x = std::move(x);
  other.v = std::move(v);
  other.box = box;
  backend_.upload(other);
  state_.box = box;
  compute_energies();
  const Stage count[] = {AddHeat{observe({false, true}).conserved - before}};
  backend_.run(count, {}, step_);
}

void Simulation::record(const StepPlan& plan) {
  std::vector<Recorder*> due;  // as the plan found them
  for (Recorder* r : recorders_)
    if (r->due(step_)) due.push_back(r);
  if (plan.late) {
    const LateFrame frame = late_frame(plan.late_wanted);
    for (Recorder* r : due)
      if (r->takes() == Takes::late_frame) r->record_late(frame);
  }
  if (!plan.record) return;
  const Frame frame = observe(plan.wanted);
  for (Recorder* r : due)
    if (r->takes() == Takes::frame) r->record(frame);
}

/// One that is there at once is looked at here, where the backend can be asked for more than the frame knows.
LateFrame Simulation::late_frame(const Wanted& wanted) {
  try {
    LateFrame frame(system_, step_, time_, target_temperature(step_), snapshot(wanted), bias_.plan.bias);
    if (frame.ready()) frame.get();
    return frame;
  } catch (const SimulationError&) {
    check();  // it says more
    throw;
  }
}

void draw_velocities(const System& system, double temperature, std::uint64_t seed, State& state) {
  state.v.resize(state.x.size());
  Vec3d momentum{0, 0, 0};
  double total = 0;
  for (int i = 0; i < state.size(); ++i) {
    const double m = system.masses[at(i)];
    state.v[at(i)] =
        m > 0 ? std::sqrt(constants::boltzmann * temperature / m) * gaussian3(seed, NoisePurpose::initial_velocities, 0, i)
              : Vec3d{0, 0, 0};
    momentum += m * state.v[at(i)];
    total += m;
  }
  if (!system.remove_com || !(total > 0)) return;
  for (int i = 0; i < state.size(); ++i)
    if (system.masses[at(i)] > 0) state.v[at(i)] -= (1 / total) * momentum;
}

void make_molecules_whole(const System& system, State& state) {
  if (state.box.periodic()) MoleculeTree(system).make_whole(state.box, state.x);
}

}  // namespace uplift
