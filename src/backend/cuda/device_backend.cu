// The backend on a device: forces and state stay there. The same source for the GPU and for the emulator.
#include <cuda/bonded.cuh>
#include <cuda/gb.cuh>
#include <cuda/pme.cuh>
#include <cufft.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "backend/cuda/device_integration.cuh"
#include "physics/gb/born_integral.hpp"
#include "physics/pme/influence.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/backend/dispersion.hpp"
#include "uplift/backend/erf_table.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/model/gb_parameters.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

physics::ImageCell image_cell(const Box& box) {
  if (!box.periodic()) return {};
  return {box.a.x, box.b.x, box.b.y, box.c.x, box.c.y, box.c.z, 1 / box.a.x, 1 / box.b.y, 1 / box.c.z};
}
bool same_box(const Box& a, const Box& b) {
  return a.a.x == b.a.x && a.b.x == b.b.x && a.b.y == b.b.y && a.c.x == b.c.x && a.c.y == b.c.y && a.c.z == b.c.z;
}

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

/// What one evaluation works on.
struct Request {
  const Vec3d* x;
  Box box;
  SumsView sums;
  bool tally;
};

class Bonded {
 public:
  Bonded(const System& system, bool mixed) : mixed_(mixed), table_(cmap_table(system.force_field)) {
    for (const BondedRows& rows : bonded_rows(system.force_field)) {
      std::vector<int> atoms, start;
      std::vector<double> parameters;
      for (const BondedRow& row : rows.rows) {
        atoms.insert(atoms.end(), row.atoms.begin(), row.atoms.begin() + rows.atoms_per_row);
        parameters.insert(parameters.end(), row.parameters.begin(), row.parameters.end());
        start.push_back(row.table_start);
      }
      lists_.push_back({rows.kind, DeviceBuffer<int>(atoms), DeviceBuffer<int>(start), DeviceBuffer<double>(parameters), {}});
      List& list = lists_.back();
      list.view = {static_cast<int>(rows.rows.size()), rows.atoms_per_row, rows.parameters_per_row, rows.order, list.atoms.data(), list.parameters.data(),
                   list.table_start.data(), table_.data(), static_cast<int>(rows.first), static_cast<int>(rows.second)};
    }
  }
  void compute(const Request& r, cudaStream_t stream) {
    for (const List& list : lists_) launch_bonded(list.kind, list.view, r.x, image_cell(r.box), r.sums, r.tally, mixed_, stream);
  }

 private:
  struct List {
    BondedKind kind;
    DeviceBuffer<int> atoms, table_start;
    DeviceBuffer<double> parameters;
    BondedView view;
  };
  bool mixed_;
  DeviceBuffer<double> table_;
  std::vector<List> lists_;
};

class ForceGroupTerm {
 public:
  virtual ~ForceGroupTerm() = default;
  virtual void compute(const Request& request, cudaStream_t stream) = 0;
};

template <class real>
class Pairs final : public ForceGroupTerm {
 public:
  Pairs(const System& system, const PmeParameters& pme)
      : atoms_(system.size()), alpha_(pme.alpha), charge_(system.force_field.charges), type_(system.force_field.lj_type), sites_(static_cast<std::size_t>(atoms_)) {
    const ForceSettings& f = system.forces;
    const ForceField& ff = system.force_field;
    const bool periodic = f.nonbonded != NonbondedMethod::no_cutoff;
    form_ = f.nonbonded == NonbondedMethod::pme ? CoulombForm::ewald : periodic ? CoulombForm::reaction_field : CoulombForm::plain;
    std::vector<real> c6(ff.lj_c6.begin(), ff.lj_c6.end()), c12(ff.lj_c12.begin(), ff.lj_c12.end());
    c6_ = DeviceBuffer<real>(c6);
    c12_ = DeviceBuffer<real>(c12);
    std::vector<std::vector<int>> excluded(static_cast<std::size_t>(atoms_));
    std::vector<int> pairs;
    for (const auto& [i, j] : ff.exclusions) {
      excluded[static_cast<std::size_t>(i)].push_back(j);
      excluded[static_cast<std::size_t>(j)].push_back(i);
      pairs.insert(pairs.end(), {i, j});
    }
    std::vector<int> start{0}, all;
    for (std::vector<int>& of : excluded) {
      std::sort(of.begin(), of.end());
      all.insert(all.end(), of.begin(), of.end());
      start.push_back(static_cast<int>(all.size()));
    }
    exclusion_start_ = DeviceBuffer<int>(start);
    exclusions_ = DeviceBuffer<int>(all);
    pairs_ = DeviceBuffer<int>(pairs);
    const double cutoff = periodic ? f.cutoff : std::numeric_limits<double>::infinity(), eps = f.reaction_field_dielectric, rc = f.cutoff;
    p_.atoms = atoms_;
    p_.types = ff.lj_types;
    p_.c6 = c6_.data();
    p_.c12 = c12_.data();
    p_.exclusion_start = exclusion_start_.data();
    p_.exclusions = exclusions_.data();
    p_.periodic = periodic;
    p_.cutoff2 = static_cast<real>(cutoff * cutoff);
    p_.switching = periodic && f.switch_distance.has_value();
    if (p_.switching) {
      p_.switch_on = static_cast<real>(*f.switch_distance);
      p_.switch_inverse_width = static_cast<real>(1 / (rc - *f.switch_distance));
    }
    p_.rf_k = static_cast<real>((eps - 1) / (2 * eps + 1) / (rc * rc * rc));
    p_.rf_c = static_cast<real>(3 * eps / (2 * eps + 1) / rc);
    if (form_ == CoulombForm::ewald) p_.erf = make_erf_table<real>(alpha_, rc, sizeof(real) == 4 ? 3e-8 : 1e-15);
  }

  void compute(const Request& r, cudaStream_t stream) override {
    if (atoms_ == 0) return;
    const Box& b = r.box;
    const double a[6] = {b.a.x, b.b.x, b.c.x, b.b.y, b.c.y, b.c.z}, unit = sizeof(real) == 4 ? 0x1p-32 : 1.0;
    for (int k = 0; k < 6; ++k) p_.a[k] = p_.periodic ? static_cast<real>(a[k] * unit) : real(k == 0 || k == 3 || k == 5);
    const BoxView box = p_.periodic ? BoxView{a[0], a[1], a[2], a[3], a[4], a[5]} : BoxView{};
    launch_pair_sites(r.x, charge_.data(), type_.data(), atoms_, box, sites_.data(), stream);
    launch_pairs(form_, p_, sites_.data(), r.sums, r.tally, stream);
    if (form_ == CoulombForm::ewald)
      launch_excluded(pairs_.data(), static_cast<int>(pairs_.size() / 2), r.x, charge_.data(), image_cell(b), alpha_, r.sums, r.tally, stream);
  }

 private:
  int atoms_;
  double alpha_;
  CoulombForm form_;
  PairParameters<real> p_{};
  DeviceBuffer<real> c6_, c12_;
  DeviceBuffer<double> charge_;
  DeviceBuffer<int> type_, exclusion_start_, exclusions_, pairs_;
  DeviceBuffer<PairSite<real>> sites_;
};

void check_fft(cufftResult result, const char* what) {
  if (result != CUFFT_SUCCESS) throw SimulationError(std::string(what) + ": cuFFT error " + std::to_string(result) + " (is the GPU's memory full?)");
}
cufftType forward_type(float) { return CUFFT_R2C; }
cufftType forward_type(double) { return CUFFT_D2Z; }
cufftType backward_type(float) { return CUFFT_C2R; }
cufftType backward_type(double) { return CUFFT_Z2D; }
cufftResult forward(cufftHandle plan, float* in, float2* out) { return cufftExecR2C(plan, in, out); }
cufftResult forward(cufftHandle plan, double* in, double2* out) { return cufftExecD2Z(plan, in, out); }
cufftResult backward(cufftHandle plan, float2* in, float* out) { return cufftExecC2R(plan, in, out); }
cufftResult backward(cufftHandle plan, double2* in, double* out) { return cufftExecZ2D(plan, in, out); }

template <class T>
class Pme final : public ForceGroupTerm {
  using Complex = std::conditional_t<sizeof(T) == 4, float2, double2>;

 public:
  Pme(const System& system, const PmeParameters& pme, cudaStream_t stream) : pme_(pme) {
    std::vector<int> atoms;
    std::vector<double> charges;
    double absolute = 0;
    for (int i = 0; i < system.size(); ++i) {
      const double q = system.force_field.charges[static_cast<std::size_t>(i)];
      if (q == 0) continue;
      atoms.push_back(i);
      charges.push_back(q);
      absolute += std::abs(q);
    }
    atom_ = DeviceBuffer<int>(atoms);
    charge_ = DeviceBuffer<double>(charges);
    const auto [nx, ny, nz] = pme.grid;
    points_ = nx * ny * nz;
    const auto half = static_cast<std::size_t>(nx) * static_cast<std::size_t>(ny) * static_cast<std::size_t>(nz / 2 + 1);
    grid_.resize(static_cast<std::size_t>(points_));
    grid_.clear(stream);
    real_.resize(static_cast<std::size_t>(points_));
    waves_.resize(half);
    influence_.resize(half);
    for (std::size_t d = 0; d < 3; ++d) moduli_[d] = DeviceBuffer<double>(spline_moduli(pme.order, pme.grid[d]));
    // The mesh holds all charges on one point: 2^62 of its units. A power of two, so that scaling rounds nothing.
    mesh_.scale = std::exp2(std::floor(std::log2(0x1p61 / std::max(absolute, 1.0))));
    for (int d = 0; d < 3; ++d) mesh_.n[d] = pme.grid[static_cast<std::size_t>(d)];
    check_fft(cufftPlan3d(&forward_, nx, ny, nz, forward_type(T())), "make an FFT plan");
    check_fft(cufftPlan3d(&backward_, nx, ny, nz, backward_type(T())), "make an FFT plan");
    check_fft(cufftSetStream(forward_, stream), "FFT stream");
    check_fft(cufftSetStream(backward_, stream), "FFT stream");
  }
  ~Pme() override {
    cufftDestroy(forward_);
    cufftDestroy(backward_);
  }
  Pme(const Pme&) = delete;
  Pme& operator=(const Pme&) = delete;

  void compute(const Request& r, cudaStream_t stream) override {
    if (charge_.empty()) return;
    set_box(r.box, stream);
    const ChargesView charges{static_cast<int>(charge_.size()), atom_.data(), charge_.data()};
    launch_spread<T>(pme_.order, charges, r.x, mesh_, grid_.data(), stream);
    launch_to_real(grid_.data(), real_.data(), points_, mesh_.scale, stream);
    check_fft(forward(forward_, real_.data(), waves_.data()), "FFT");
    launch_convolve<T, Complex>(wave_vectors_, influence_.data(), waves_.data(), r.sums, r.tally, stream);
    check_fft(backward(backward_, waves_.data(), real_.data()), "FFT");
    launch_gather<T>(pme_.order, charges, r.x, mesh_, real_.data(), r.sums, stream);
  }

 private:
  void set_box(const Box& box, cudaStream_t stream) {
    if (same_box(box, box_)) return;
    box_ = box;
    const double ax = 1 / box.a.x, by = 1 / box.b.y, cz = 1 / box.c.z;
    const double inverse[3][3] = {{ax, -ax * box.b.x * by, ax * (box.b.x * box.c.y * by - box.c.x) * cz}, {0, by, -by * box.c.y * cz}, {0, 0, cz}};
    for (int d = 0; d < 3; ++d)
      for (int c = 0; c < 3; ++c) mesh_.row[d][c] = mesh_.n[d] * inverse[d][c];
    wave_vectors_ = {box.a.x, box.b.x, box.b.y, box.c.x, box.c.y, box.c.z, {mesh_.n[0], mesh_.n[1], mesh_.n[2]}, pme_.alpha,
                     {moduli_[0].data(), moduli_[1].data(), moduli_[2].data()}};
    launch_influence(wave_vectors_, influence_.data(), stream);
  }

  PmeParameters pme_;
  Box box_;
  int points_ = 0;
  MeshView mesh_{};
  physics::MeshWaves wave_vectors_{};
  DeviceBuffer<int> atom_;
  DeviceBuffer<double> charge_, moduli_[3];
  DeviceBuffer<Fixed> grid_;
  DeviceBuffer<T> real_, influence_;
  DeviceBuffer<Complex> waves_;
  cufftHandle forward_ = 0, backward_ = 0;
};

class Restraints {
 public:
  explicit Restraints(const System& system) : restraints_(system.position_restraints), box_(system.reference_box) {
    std::vector<int> atoms;
    std::vector<Vec3d> arm;
    std::vector<double> k;
    for (const PositionRestraint& r : restraints_) {
      atoms.push_back(r.atom);
      arm.push_back(r.reference - r.centre);
      k.push_back(r.k);
    }
    atoms_ = DeviceBuffer<int>(atoms);
    arm_ = DeviceBuffer<Vec3d>(arm);
    k_ = DeviceBuffer<double>(k);
  }
  void compute(const Request& r, cudaStream_t stream) {
    if (restraints_.empty()) return;
    if (centre_.empty() || !same_box(r.box, at_)) {
      std::vector<Vec3d> centre;
      for (const PositionRestraint& one : restraints_)
        centre.push_back(box_.periodic() && r.box.periodic() ? r.box.position(box_.fraction(one.centre)) : one.centre);
      centre_ = DeviceBuffer<Vec3d>(centre);
      at_ = r.box;
    }
    launch_restraints({static_cast<int>(restraints_.size()), atoms_.data(), centre_.data(), arm_.data(), k_.data()}, r.x, image_cell(r.box), r.sums, r.tally, stream);
  }

 private:
  std::vector<PositionRestraint> restraints_;
  Box box_, at_;
  DeviceBuffer<int> atoms_;
  DeviceBuffer<Vec3d> centre_, arm_;
  DeviceBuffer<double> k_;
};

class ImplicitSolvent final : public ForceGroupTerm {
 public:
  explicit ImplicitSolvent(const System& system) {
    const GbParameters p = gb_parameters(system);
    const ImplicitSolventSettings& settings = *system.forces.implicit_solvent;
    const std::size_t n = p.rho.size();
    std::vector<double> charge(n), height = p.neck_height;
    double most_rho = 0, most_s = 0;
    for (std::size_t i = 0; i < n; ++i) {
      charge[i] = std::sqrt(constants::coulomb) * system.force_field.charges[i];
      most_rho = std::max(most_rho, p.rho[i]);
      most_s = std::max(most_s, std::abs(p.scaled[i]));
    }
    for (double& h : height) h *= p.neck_scale;
    const auto keep = [&](const std::vector<double>& values) {
      arrays_.emplace_back(values);
      return arrays_.back().data();
    };
    const auto room = [&] {
      arrays_.emplace_back(n);
      return arrays_.back().data();
    };
    const std::vector<double> zeros(n, 0.0);
    const auto or_zeros = [&](const std::vector<double>& values) { return keep(values.empty() ? zeros : values); };
    const double near = std::max(most_rho + most_s, physics::born_far_ratio * most_s);
    const bool necks = p.neck_scale != 0;
    if (necks) radius_type_ = DeviceBuffer<int>(p.radius_type);
    view_ = {static_cast<int>(n), keep(p.rho), keep(p.scaled), keep(p.radius), keep(charge), or_zeros(p.alpha), or_zeros(p.beta), or_zeros(p.gamma),
             p.form == BornRadiusForm::tanh, settings.surface == SurfaceModel::ace, 1 / settings.solute_dielectric, 1 / settings.solvent_dielectric, p.kappa,
             near * near * 1.0001, necks ? p.radius_types : 0, gb_neck_cut, radius_type_.data(), necks ? keep(p.neck_distance) : nullptr,
             necks ? keep(height) : nullptr, room(), room(), room(), room()};
  }
  void compute(const Request& r, cudaStream_t stream) override {
    if (view_.count > 0) launch_gb(view_, r.x, r.sums, r.tally, stream);
  }

 private:
  std::vector<DeviceBuffer<double>> arrays_;
  DeviceBuffer<int> radius_type_;
  GbView view_{};
};

class DeviceBackend final : public Backend {
 public:
  DeviceBackend(const System& system, const Box& box, const DeviceOptions& options)
      : system_(system), precision_(options.precision), integration_(system, options.constraint_tolerance, stream_),
        bonded_(system, options.precision == Precision::mixed), restraints_(system) {
    if (system.forces.implicit_solvent) solvent_ = std::make_unique<ImplicitSolvent>(system);
    const bool wide = precision_ == Precision::double_ || system.forces.nonbonded == NonbondedMethod::no_cutoff;
    if (system.forces.nonbonded == NonbondedMethod::pme) {
      pme_ = resolve_pme(system.forces, box);
      if (precision_ == Precision::double_)
        mesh_ = std::make_unique<Pme<double>>(system, pme_, stream_);
      else
        mesh_ = std::make_unique<Pme<float>>(system, pme_, stream_);
      for (double q : system.force_field.charges) {
        net_charge_ += q;
        squared_charge_ += q * q;
      }
    }
    if (wide)
      pairs_ = std::make_unique<Pairs<double>>(system, pme_);
    else
      pairs_ = std::make_unique<Pairs<float>>(system, pme_);
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
  }
  void download(State& state) const override { integration_.download(state); }
  Box box() const override { return integration_.box(); }

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
    for (const Stage& stage : stages) {
      if (const auto* forces = std::get_if<ComputeForces>(&stage)) {
        compute(*forces, plan);
        continue;
      }
      std::array<const Fixed*, most_force_levels> levels{};
      for (std::size_t l = 0; l < levels.size(); ++l) levels[l] = levels_[l].force.data();
      integration_.run(stage, levels, step);
    }
    integration_.check_constraints();
  }

  Energies energies() const override { return energies_; }
  double kinetic_energy() const override { return integration_.kinetic_energy(); }
  WorstForce worst_force() const override {
    std::vector<Vec3d> f;
    download_forces(f);
    WorstForce worst;
    for (std::size_t i = 0; i < f.size(); ++i) {
      const double magnitude = std::sqrt(dot(f[i], f[i]));
      if (magnitude > worst.magnitude || worst.atom < 0) worst = {static_cast<int>(i), magnitude};
    }
    return worst;
  }
  PmeParameters pme() const override { return pme_; }
  std::vector<PhaseTime> phases() const override { return {}; }

 private:
  static constexpr const char* device_name = UPLIFT_DEVICE_NAME;
  static constexpr std::size_t tallies = energy_term_count + 9;
  struct Level {
    DeviceBuffer<Fixed> force, tally;  ///< energies, then the virial
    std::vector<Fixed> known;          ///< the tally on the host
    Energies constants;                ///< what needs no device
  };

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
    if (has(groups, ForceGroup::pme_reciprocal) && mesh_) mesh_->compute(request, stream_);
    if (has(groups, ForceGroup::nonbonded)) pairs_->compute(request, stream_);
    if (has(groups, ForceGroup::implicit_solvent) && solvent_) solvent_->compute(request, stream_);
    if (has(groups, ForceGroup::bonded)) bonded_.compute(request, stream_);
    if (has(groups, ForceGroup::restraints)) restraints_.compute(request, stream_);
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
    if (has(groups, ForceGroup::pme_reciprocal) && mesh_) {
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
  Bonded bonded_;
  Restraints restraints_;
  std::unique_ptr<ForceGroupTerm> pairs_, mesh_, solvent_;
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
