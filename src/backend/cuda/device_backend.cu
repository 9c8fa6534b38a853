// The backend on a device: forces and state stay there. The same source for the GPU and for the emulator.
#include <algorithm>
#include <cmath>
#include <memory>

#include "backend/cuda/device_force.cuh"
#include "backend/cuda/device_integration.cuh"
#include "physics/pme/influence.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/backend/dispersion.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/error.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "make a stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class DeviceBackend final : public Backend {
 public:
  DeviceBackend(const System& system, const Box& box, const DeviceOptions& options)
      : system_(system), precision_(options.precision), integration_(system, options.constraint_tolerance, stream_) {
    if (system.forces.nonbonded == NonbondedMethod::pme) {
      pme_ = resolve_pme(system.forces, box);
      for (double q : system.force_field.charges) {
        net_charge_ += q;
        squared_charge_ += q * q;
      }
    }
    forces_ = {{{ForceGroup::pme_reciprocal, make_device_mesh(system, pme_, precision_, stream_)},
                {ForceGroup::nonbonded, make_device_pairs(system, pme_, precision_, stream_)},
                {ForceGroup::implicit_solvent, make_device_solvent(system)},
                {ForceGroup::bonded, make_device_bonded(system, precision_)},
                {ForceGroup::restraints, make_device_restraints(system)}}};
    if (system.forces.nonbonded != NonbondedMethod::no_cutoff && system.forces.dispersion_correction) dispersion_ = dispersion_correction_times_volume(system);
  }

  std::string name() const override { return device_name; }
  std::string description() const override {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, 0), "ask for the GPU");
    return std::string(properties.name) + ", " + (precision_ == Precision::double_ ? "double" : "mixed") + " precision";
  }

  void upload(const State& state) override {
    integration_.upload(state);
    for (Level& level : levels_) level = Level{};
    if (state.list_x.empty()) return;
    for (const auto& [group, force] : forces_)
      if (force) force->restore_list(state.list_x, state.box, stream_);
  }
  void download(State& state) const override { integration_.download(state); }
  Box box() const override { return integration_.box(); }
  std::vector<Vec3d> list_positions() const override {
    for (const auto& [group, force] : forces_)
      if (group == ForceGroup::nonbonded) return force->list_positions(stream_);
    return {};
  }

  void download_forces(std::vector<Vec3d>& f) const override {
    std::vector<Fixed> sum(3 * static_cast<std::size_t>(system_.size()), 0), one;
    for (const Level& level : levels_) {
      if (level.force.empty()) continue;
      level.force.download(one, stream_);
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += one[k];
    }
    f.resize(static_cast<std::size_t>(system_.size()));
    for (std::size_t i = 0; i < f.size(); ++i) f[i] = {from_fixed(sum[3 * i]), from_fixed(sum[3 * i + 1]), from_fixed(sum[3 * i + 2])};
  }

  void run(std::span<const Stage> stages, const ForcePlan& plan, std::int64_t step) override {
    const auto has_stage = [&](auto kind) {
      return std::any_of(stages.begin(), stages.end(), [](const Stage& s) { return std::holds_alternative<decltype(kind)>(s); });
    };
    const bool whole_step = has_stage(ComputeForces{}) && has_stage(Drift{});
    if (whole_step) integration_.set_step(step);
    for (const Stage& stage : stages) {
      if (const auto* forces = std::get_if<ComputeForces>(&stage)) {
        integration_.flush();
        compute(*forces, plan);
      } else {
        integration_.run(stage, level_forces());
      }
    }
    integration_.flush();
    if (whole_step) integration_.end_step();
  }

  void verify() override {
    integration_.check_constraints();
    for (const auto& [group, force] : forces_)
      if (force) force->inspect(stream_);
  }

  Energies energies() const override { return energies_; }
  double kinetic_energy() const override { return integration_.kinetic_energy(); }
  WorstForce worst_force() const override { return integration_.worst_force(level_forces()); }
  PmeParameters pme() const override { return pme_; }
  std::vector<PhaseTime> phases() const override {
    std::vector<PhaseTime> all;
    for (const auto& [group, force] : forces_)
      if (force)
        for (PhaseTime& phase : force->phases(stream_)) all.push_back(std::move(phase));
    return all;
  }

 private:
  static constexpr const char* device_name = UPLIFT_DEVICE_NAME;
  static constexpr std::size_t tallies = energy_term_count + 9;
  struct Level {
    DeviceBuffer<Fixed> force, tally;  ///< energies, then the virial
    std::vector<Fixed> known;          ///< the tally on the host
    Energies constants;                ///< what needs no device
  };

  std::array<const Fixed*, most_force_levels> level_forces() const {
    std::array<const Fixed*, most_force_levels> forces{};
    for (std::size_t l = 0; l < forces.size(); ++l) forces[l] = levels_[l].force.data();
    return forces;
  }

  void compute(const ComputeForces& stage, const ForcePlan& plan) {
    Level& level = levels_[static_cast<std::size_t>(stage.level)];
    const ForceGroups groups = stage.groups & plan.groups;
    const bool tally = (plan.energies || plan.virial) && stage.last;
    level.force.resize(3 * static_cast<std::size_t>(system_.size()));
    level.tally.resize(tallies);
    level.force.clear(stream_);
    level.tally.clear(stream_);
    const Box box = integration_.box();
    const Request request{integration_.positions(), box, {level.force.data(), level.tally.data(), level.tally.data() + energy_term_count}, tally};
    for (const auto& [group, force] : forces_)
      if (force && has(groups, group)) force->compute(request, stream_);
    integration_.spread_site_forces(request.sums, tally);
    if (!tally) return;
    level.tally.download(level.known, stream_);
    level.constants = constants_of(groups, box);
    add_levels();
  }

  /// Parts of the energy that depend on the box alone.
  Energies constants_of(ForceGroups groups, const Box& box) const {
    Energies e;
    const auto along_the_diagonal = [&](double w) {
      for (std::size_t k : {0u, 4u, 8u}) e.virial[k] += w;
    };
    if (has(groups, ForceGroup::nonbonded) && dispersion_.energy != 0) {
      e[EnergyTerm::dispersion_correction] = dispersion_.energy / box.volume();
      along_the_diagonal(dispersion_.virial / box.volume());
    }
    if (has(groups, ForceGroup::pme_reciprocal) && pme_.order > 0) {
      const double background = physics::background_energy(net_charge_, pme_.alpha, box.volume());
      e[EnergyTerm::coulomb_reciprocal] = physics::self_energy(squared_charge_, pme_.alpha) + background;
      along_the_diagonal(background);
    }
    return e;
  }

  void add_levels() {
    energies_ = Energies{};
    for (const Level& level : levels_) {
      if (level.known.empty()) continue;
      for (std::size_t k = 0; k < energy_term_count; ++k) energies_.term[k] += from_fixed(level.known[k]) + level.constants.term[k];
      for (std::size_t k = 0; k < 9; ++k) energies_.virial[k] += from_fixed(level.known[energy_term_count + k]) + level.constants.virial[k];
    }
  }

  const System& system_;
  Precision precision_;
  Stream stream_;
  mutable DeviceIntegration integration_;  // reading the kinetic energy uses its scratch memory
  struct GroupForce {
    ForceGroup group;
    std::unique_ptr<DeviceForce> force;
  };
  std::array<GroupForce, 5> forces_;
  PmeParameters pme_;
  DispersionCorrection dispersion_;
  double net_charge_ = 0, squared_charge_ = 0;
  std::array<Level, most_force_levels> levels_;
  Energies energies_;
};

}  // namespace

int device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

std::unique_ptr<Backend> make_backend(const System& system, const Box& box, const DeviceOptions& options) {
  return std::make_unique<DeviceBackend>(system, box, options);
}

}  // namespace uplift::UPLIFT_DEVICE
