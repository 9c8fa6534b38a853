// Implicit solvent on the device.
#include <cuda/gb.cuh>

#include <algorithm>
#include <cmath>

#include "backend/cuda/device_force.cuh"
#include "physics/gb/born_integral.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/model/gb_parameters.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

class ImplicitSolvent final : public DeviceForce {
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
    view_ = {static_cast<int>(n),
             keep(p.rho),
             keep(p.scaled),
             keep(p.radius),
             keep(charge),
             or_zeros(p.alpha),
             or_zeros(p.beta),
             or_zeros(p.gamma),
             p.form == BornRadiusForm::tanh,
             settings.surface == SurfaceModel::ace,
             1 / settings.solute_dielectric,
             1 / settings.solvent_dielectric,
             p.kappa,
             near * near * 1.0001,
             necks ? p.radius_types : 0,
             gb_neck_cut,
             radius_type_.data(),
             necks ? keep(p.neck_distance) : nullptr,
             necks ? keep(height) : nullptr,
             room(),
             room(),
             room(),
             room()};
  }
  /// Without a cutoff nothing is shared.
  void set_share(const RankShare&, std::span<const Vec3d>, const Box&, cudaStream_t) override {}
  void compute(const Request& r, cudaStream_t stream) override {
    r.wait_for_sums(stream);
    if (view_.count > 0) launch_gb(view_, r.x, r.sums, r.tally, stream);
  }

 private:
  std::vector<DeviceBuffer<double>> arrays_;
  DeviceBuffer<int> radius_type_;
  GbView view_{};
};

}  // namespace

std::unique_ptr<DeviceForce> make_device_solvent(const System& system) {
  return system.forces.implicit_solvent ? std::make_unique<ImplicitSolvent>(system) : nullptr;
}

}  // namespace uplift::UPLIFT_DEVICE
