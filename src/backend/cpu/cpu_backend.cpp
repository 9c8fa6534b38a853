#include "uplift/backend/cpu/cpu_backend.hpp"

#include <sched.h>

#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>

#include "cpu/cpu_isa.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/cpu/integration.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/assert.hpp"

namespace uplift::cpu {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Cores that this process may use: the affinity mask that Slurm, taskset or a container gave it.
int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

/// A force term and the time it has taken.
struct TimedTerm {
  std::unique_ptr<ForceTerm> term;
  PhaseTime time;
};

class CpuBackend final : public Backend {
 public:
  CpuBackend(const System& system, const Box& box, const CpuOptions& options)
      : precision_(options.precision),
        threads_(options.threads > 0 ? options.threads : usable_cores()),
        atoms_(system.size()),
        integration_(system, options.constraint_tolerance, threads_) {
    if (system.forces.nonbonded == NonbondedMethod::pme) pme_ = resolve_pme(system.forces, box);
    // PME before the pairs: the mesh is what another device or thread group would overlap with them.
    if (system.forces.nonbonded == NonbondedMethod::pme) add(make_pme_term(system, pme_, precision_, threads_));
    add(make_nonbonded_term(system, pme_, precision_, threads_));
    add(make_implicit_solvent_term(system, precision_, threads_));
    add(make_bonded_term(system, precision_, threads_));
    add(make_restraint_term(system, precision_, threads_));
  }

  std::string name() const override { return "cpu"; }
  std::string description() const override {
    return processor_name() + ", " + isa_name(active_isa()) + " kernels, " + std::to_string(threads_.count()) +
           (threads_.count() == 1 ? " thread, " : " threads, ") + (precision_ == Precision::double_ ? "double" : "mixed") + " precision";
  }

  void upload(const State& state) override {
    integration_.upload(state);
    for (ForceSums& level : levels_) level = ForceSums{};
    if (!state.list_x.empty())
      for (TimedTerm& t : terms_) t.term->restore_list(state.list_x, state.box);
  }
  std::vector<Vec3d> list_positions() const override {
    for (const TimedTerm& t : terms_)
      if (std::vector<Vec3d> x = t.term->list_positions(); !x.empty()) return x;
    return {};
  }
  void download(State& state) const override { integration_.download(state); }
  Box box() const override { return integration_.box(); }

  void download_forces(std::vector<Vec3d>& f) const override {
    f.resize(static_cast<std::size_t>(atoms_));
    for (std::size_t i = 0; i < f.size(); ++i) f[i] = force_on(i);
  }

  void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) override {
    for (const Stage& stage : stages) {
      if (const auto* forces = std::get_if<ComputeForces>(&stage))
        compute_forces(*forces, plan);
      else
        integration_.run(stage, levels_, step);
    }
  }

  Energies energies() const override { return energies_; }
  double kinetic_energy() const override { return integration_.kinetic_energy(); }

  WorstForce worst_force() const override {
    WorstForce worst;
    for (int i = 0; i < atoms_; ++i) {
      const Vec3d f = force_on(static_cast<std::size_t>(i));
      const double magnitude = std::sqrt(dot(f, f));
      if (magnitude > worst.magnitude || worst.atom < 0) worst = {i, magnitude};
    }
    return worst;
  }

  PmeParameters pme() const override { return pme_; }

  std::vector<PhaseTime> phases() const override {
    std::vector<PhaseTime> all;
    for (const TimedTerm& t : terms_) {
      const std::vector<PhaseTime> own = t.term->phases();
      if (own.empty())
        all.push_back(t.time);
      else
        all.insert(all.end(), own.begin(), own.end());
    }
    const std::vector<PhaseTime> moves = integration_.phases();
    all.insert(all.end(), moves.begin(), moves.end());
    return all;
  }

 private:
  void add(std::unique_ptr<ForceTerm> term) {
    if (!term) return;
    PhaseTime time{term->name(), 0, 0};
    terms_.push_back({std::move(term), std::move(time)});
  }

  Vec3d force_on(std::size_t i) const {
    Fixed f[3] = {0, 0, 0};
    for (const ForceSums& level : levels_)
      if (level.force.size() > 0)
        for (std::size_t c = 0; c < 3; ++c) f[c] += level.force[3 * i + c];
    return {from_fixed(f[0]), from_fixed(f[1]), from_fixed(f[2])};
  }

  void compute_forces(const ComputeForces& stage, const ForcePlan& plan) {
    ForceSums& sums = levels_[static_cast<std::size_t>(stage.level)];
    const ForceGroups groups = stage.groups & plan.groups;
    const ForceRequest request{integration_.positions(), integration_.box(), plan.energies && stage.last, plan.virial && stage.last};
    if (sums.force.empty()) sums.force.resize(3 * static_cast<std::size_t>(atoms_));
    sums.clear();
    for (TimedTerm& t : terms_) {
      if (!has(groups, t.term->group())) continue;
      const auto start = Clock::now();
      t.term->compute(request, sums);
      t.time.seconds += seconds_since(start);
      ++t.time.calls;
    }
    integration_.spread_virtual_site_forces(sums);
    // Of all levels: complete once the last of them has been computed.
    if (request.energies)
      for (std::size_t k = 0; k < sums.energy.size(); ++k)
        energies_.term[k] = total([k](const ForceSums& level) { return level.energy[k]; });
    if (request.virial)
      for (std::size_t k = 0; k < sums.virial.size(); ++k)
        energies_.virial[k] = total([k](const ForceSums& level) { return level.virial[k]; });
  }

  template <class F>
  double total(F&& f) const {
    Fixed sum = 0;
    for (const ForceSums& level : levels_) sum += f(level);
    return from_fixed(sum);
  }

  Precision precision_;
  Threads threads_;
  int atoms_;
  CpuIntegration integration_;
  PmeParameters pme_;
  std::vector<TimedTerm> terms_;
  std::array<ForceSums, most_force_levels> levels_;
  Energies energies_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(const System& system, const Box& box, const CpuOptions& options) {
  return std::make_unique<CpuBackend>(system, box, options);
}

}  // namespace uplift::cpu
