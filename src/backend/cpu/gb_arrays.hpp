#pragma once
// The per-atom arrays that the kernels of generalized Born read (gb_kernels.hpp), filled from the model's parameters.
#include <algorithm>
#include <cmath>
#include <span>

#include "cpu/gb_kernels.hpp"
#include "physics/gb/born_integral.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/vec3.hpp"
#include "uplift/data/buffer.hpp"
#include "uplift/model/gb_parameters.hpp"

namespace uplift::cpu {

class GbArrays {
 public:
  /// `charges` [atoms] e.
  GbArrays(const GbParameters& parameters, std::span<const double> charges, double inverse_in, double inverse_out)
      : atoms_(static_cast<int>(parameters.rho.size())), padded_((atoms_ + gb_pad - 1) / gb_pad * gb_pad) {
    take_atoms(parameters, charges);
    if (parameters.neck_scale != 0) take_necks(parameters);
    view_.inverse_in = inverse_in;
    view_.inverse_out = inverse_out;
    view_.kappa = parameters.kappa;
  }

  int padded() const { return padded_; }
  const GbAtoms& view() const { return view_; }
  void set_born(int i, double born) {
    born_[at(i)] = born;
    half_inverse_born_[at(i)] = 0.5 / born;
  }
  void set_integral_slope(int i, double slope) { integral_slope_[at(i)] = slope; }

  /// Positions [atoms] nm; the padding is 1 mm away from everything.
  void place(std::span<const Vec3d> x) {
    for (int i = 0; i < atoms_; ++i) {
      x_[at(i)] = x[at(i)].x;
      y_[at(i)] = x[at(i)].y;
      z_[at(i)] = x[at(i)].z;
    }
    for (int i = atoms_; i < padded_; ++i) x_[at(i)] = x[0].x + 1e6;
  }

 private:
  template <class F>
  const double* fill(Buffer<double>& to, double pad, F&& value) {
    to.resize(at(padded_));
    for (int i = 0; i < padded_; ++i) to[at(i)] = (i < atoms_ ? value(at(i)) : pad);
    return to.data();
  }

  void take_atoms(const GbParameters& p, std::span<const double> charges) {
    view_.rho = fill(rho_, 0.1, [&](std::size_t i) { return p.rho[i]; });
    view_.inverse_rho = fill(inverse_rho_, 10, [&](std::size_t i) { return 1 / p.rho[i]; });
    view_.s = fill(s_, 0, [&](std::size_t i) { return p.scaled[i]; });
    view_.s2 = fill(s2_, 0, [&](std::size_t i) { return p.scaled[i] * p.scaled[i]; });
    view_.half_s3 = fill(half_s3_, 0, [&](std::size_t i) { return 0.5 * p.scaled[i] * p.scaled[i] * p.scaled[i]; });
    view_.charge = fill(charge_, 0, [&](std::size_t i) { return std::sqrt(constants::coulomb) * charges[i]; });
    view_.born = fill(born_, 1, [](std::size_t) { return 1.0; });
    view_.half_inverse_born = fill(half_inverse_born_, 0.5, [](std::size_t) { return 0.5; });
    view_.integral_slope = fill(integral_slope_, 0, [](std::size_t) { return 0.0; });
    for (Buffer<double>* b : {&x_, &y_, &z_}) b->resize(at(padded_));
    view_.x = x_.data();
    view_.y = y_.data();
    view_.z = z_.data();
    double most_rho = 0, most_s = 0;
    for (std::size_t i = 0; i < p.rho.size(); ++i) {
      most_rho = std::max(most_rho, p.rho[i]);
      most_s = std::max(most_s, std::abs(p.scaled[i]));
    }
    const double near = std::max(most_rho + most_s, physics::born_far_ratio * most_s);
    view_.near2 = near * near * 1.0001;  // rounding must not take a near pair for a far one
  }

  void take_necks(const GbParameters& p) {
    const int n = p.radius_types;
    radius_type_.resize(at(padded_));
    std::copy(p.radius_type.begin(), p.radius_type.end(), radius_type_.begin());
    for (Buffer<double>& table : neck_) table.resize(at(n * n));
    for (int a = 0; a < n; ++a)
      for (int b = 0; b < n; ++b) {
        neck_[0][at(a * n + b)] = neck_[2][at(b * n + a)] = p.neck_distance[at(a * n + b)];
        neck_[1][at(a * n + b)] = neck_[3][at(b * n + a)] = p.neck_scale * p.neck_height[at(a * n + b)];
      }
    double most_radius = 0;
    for (double r : p.radius) most_radius = std::max(most_radius, r);
    const double reach = 2 * most_radius + gb_neck_cut;
    view_.neck = true;
    view_.neck_far2 = reach * reach * 1.0001;
    view_.neck_cut = gb_neck_cut;
    view_.radius_types = n;
    view_.radius_type = radius_type_.data();
    view_.radius = fill(radius_, 0.1, [&](std::size_t i) { return p.radius[i]; });
    view_.neck_distance = neck_[0].data();
    view_.neck_height = neck_[1].data();
    view_.neck_distance_transposed = neck_[2].data();
    view_.neck_height_transposed = neck_[3].data();
  }

  int atoms_, padded_;
  Buffer<double> x_, y_, z_;
  Buffer<double> rho_, inverse_rho_, s_, s2_, half_s3_, radius_, charge_, born_, half_inverse_born_, integral_slope_, neck_[4];
  Buffer<std::int32_t> radius_type_;
  GbAtoms view_{};
};

}  // namespace uplift::cpu
