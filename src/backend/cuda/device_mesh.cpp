// Reciprocal-space PME on the device.
#include <cuda/pme.cuh>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "backend/cuda/device_force.cuh"
#include "backend/cuda/device_mesh_ranks.cuh"
#include "backend/cuda/device_ranks.cuh"
#include "physics/pme/influence.hpp"
#include "uplift/backend/mesh_waves.hpp"
#include "uplift/backend/pme_setup.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

/// How far atoms may move before they are shared out among ranks anew [nm].
constexpr double most_slack = 0.1;

template <class T>
class Pme final : public DeviceForce {
  using Complex = typename FftPlan<T>::Complex;

 public:
  Pme(const System& system, const PmeParameters& pme, RankLink* link, cudaStream_t stream)
      : pme_(pme), link_(link), stream_(stream), all_charges_(system.force_field.charges) {
    double absolute = 0, largest = 0;
    for (double q : all_charges_) {
      charged_ += q != 0;
      absolute += std::abs(q);
      largest = std::max(largest, std::abs(q));
    }
    std::vector<int> atoms(all_charges_.size());
    std::iota(atoms.begin(), atoms.end(), 0);
    atom_ = DeviceBuffer<int>(atoms);
    charge_ = DeviceBuffer<double>(all_charges_);
    listed_ = system.size();
    none_ = largest == 0;
    const auto [nx, ny, nz] = pme.grid;
    points_ = nx * ny * nz;
    if (link_) {
      divide();
    } else {
      rows_ = {0, ny};
      grid_.resize(static_cast<std::size_t>(points_));
      grid_.clear(stream);
      real_.resize(static_cast<std::size_t>(points_));
      waves_.resize(waves_here());
      forward_.make_forward(nx, ny, nz, stream);
      backward_.make_backward(nx, ny, nz, stream);
    }
    for (std::size_t d = 0; d < 3; ++d) moduli_[d] = DeviceBuffer<double>(spline_moduli(pme.order, pme.grid[d]));
    mesh_.scale = integer_mesh_scale(absolute, largest, points_, sizeof(T) == 4);
    for (int d = 0; d < 3; ++d) mesh_.n[d] = mesh_.window.length[d] = pme.grid[static_cast<std::size_t>(d)];
  }

  bool steady(const Box& box) const override { return none_ || box == box_; }
  /// A barostat that tries a box may go back to the one before: its influence function is kept, and in its place again, where
  /// captured steps look for it.
  void set_box(const Box& box, cudaStream_t stream) override {
    if (none_ || box == box_) return;
    std::swap(box_, box_before_);
    std::swap(influence_, influence_before_);
    const bool known = box == box_;
    take_box(box);
    if (known) return;
    influence_.make_room(waves_here());
    launch_influence(wave_vectors_, rows_, influence_.data(), stream);
  }
  void compute(const Request& r, cudaStream_t stream) override {
    if (none_) return;
    set_box(r.box, stream);
    launch_spread<T>(pme_.order, charges(), r.x, mesh_, ranks_ ? ranks_->charges() : grid_.data(), stream);
    if (ranks_) return ranks_->fetch_charges(stream);
    launch_to_real<T>(grid_.data(), real_.data(), points_, mesh_.scale, stream);
    forward_.forward(real_.data(), waves_.data());
    convolve(r, waves_.data(), stream);
    backward_.backward(waves_.data(), real_.data());
    gather(r, real_.data(), stream);
  }
  void finish(const Request& r, const std::function<void()>& meanwhile, cudaStream_t stream) override {
    if (none_ || !ranks_) return;
    ranks_->solve(
        mesh_.scale, [&](Complex* waves) { convolve(r, waves, stream); }, meanwhile, stream);
    gather(r, ranks_->potential(), stream);
  }
  bool sees_halo() const override { return false; }
  double slack() const override { return ranks_ ? most_slack : std::numeric_limits<double>::infinity(); }
  void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box, cudaStream_t stream) override {
    std::vector<int> atoms;
    share.for_home([&](int i) {
      if (all_charges_[static_cast<std::size_t>(i)] != 0) atoms.push_back(i);
    });
    atom_.upload_to_front(atoms, stream);
    if (ranks_->outdated()) divide();
    set_box(box, stream);
    mesh_.window = window_of(atoms, x);
    if (!none_) ranks_->set_window(mesh_.window, stream);
    check(cudaStreamSynchronize(stream), "wait for the device");
    charged_ = listed_ = static_cast<int>(atoms.size());
  }
  std::int64_t interactions() const override { return charged_; }
  void take_order(const int* atoms, cudaStream_t stream) override {
    check(cudaMemcpyAsync(atom_.data(), atoms, atom_.size() * sizeof(int), cudaMemcpyDeviceToDevice, stream),
          "copy on the device");
  }

 private:
  /// The mesh among the ranks.
  void divide() {
    check(cudaStreamSynchronize(stream_), "wait for the device");
    ranks_.emplace(*link_, pme_.grid, direct_messages(*link_), stream_);
    check(cudaStreamSynchronize(stream_), "wait for the device");
    rows_ = ranks_->rows();
    box_ = box_before_ = Box{};  // influence functions were of other rows
  }

  ChargesView charges() const { return {listed_, atom_.data(), charge_.data()}; }

  std::size_t waves_here() const {
    return static_cast<std::size_t>(pme_.grid[0]) * static_cast<std::size_t>(rows_.count) *
           static_cast<std::size_t>(pme_.grid[2] / 2 + 1);
  }
  void convolve(const Request& r, Complex* waves, cudaStream_t stream) {
    if (r.tally.any()) r.wait_for_sums(stream);
    launch_convolve<T, Complex>(wave_vectors_, rows_, influence_.data(), waves, r.sums, r.tally, stream);
  }
  void gather(const Request& r, const T* potential, cudaStream_t stream) {
    r.wait_for_sums(stream);
    launch_gather<T>(pme_.order, charges(), r.x, mesh_, potential, r.sums, stream);
  }

  /// The shortest stretch along each direction, round the end of the cell if need be, of all points that these atoms may need
  /// before they are shared out anew.
  MeshWindow window_of(const std::vector<int>& atoms, std::span<const Vec3d> x) const {
    MeshWindow window{};
    for (int d = 0; d < 3; ++d) {
      const int n = mesh_.n[d];
      const double(&row)[3] = mesh_.row[d];
      const double margin = 1.01 * most_slack * n * std::sqrt(row[0] * row[0] + row[1] * row[1] + row[2] * row[2]) + 1e-3;
      const int reach = static_cast<int>(2 * margin) + pme_.order + 1;
      std::vector<char> needed(static_cast<std::size_t>(n), 0);
      for (int i : atoms) {
        const Vec3d& r = x[static_cast<std::size_t>(i)];
        const double s = row[0] * r.x + row[1] * r.y + row[2] * r.z, low = (s - std::floor(s)) * n - margin;
        const int first = std::isfinite(low) ? static_cast<int>(std::floor(low)) : 0;
        for (int k = 0; k < std::min(n, reach); ++k) needed[static_cast<std::size_t>(((first + k) % n + n) % n)] = 1;
      }
      // What is left out is the longest stretch that nobody needs.
      int longest = 0, after = 0;
      for (int from = 0, empty = 0; from < 2 * n; ++from) {
        empty = needed[static_cast<std::size_t>(from % n)] ? 0 : empty + 1;
        if (std::min(empty, n) > longest) longest = std::min(empty, n), after = from + 1;
      }
      window.start[d] = longest == 0 ? 0 : after % n;
      window.length[d] = n - longest;
    }
    return window;
  }

  void take_box(const Box& box) {
    box_ = box;
    const double ax = 1 / box.a.x, by = 1 / box.b.y, cz = 1 / box.c.z;
    const double inverse[3][3] = {
        {ax, -ax * box.b.x * by, ax * (box.b.x * box.c.y * by - box.c.x) * cz}, {0, by, -by * box.c.y * cz}, {0, 0, cz}};
    for (int d = 0; d < 3; ++d)
      for (int c = 0; c < 3; ++c) mesh_.row[d][c] = inverse[d][c];
    wave_vectors_ = mesh_waves(box, pme_, {moduli_[0].data(), moduli_[1].data(), moduli_[2].data()});
  }

  PmeParameters pme_;
  RankLink* link_;
  cudaStream_t stream_;              ///< of evaluations, which plans of transforms are for
  std::vector<double> all_charges_;  ///< [atoms]
  int listed_ = 0;                   ///< atoms; of several ranks those at home with charges
  int charged_ = 0;                  ///< of these
  bool none_ = false;                ///< of the whole system
  Box box_, box_before_;
  int points_ = 0;
  MeshView mesh_{};
  physics::MeshWaves wave_vectors_{};
  DeviceBuffer<int> atom_;
  DeviceBuffer<double> charge_, moduli_[3];
  DeviceBuffer<MeshInteger<T>> grid_;
  DeviceBuffer<T> real_, influence_, influence_before_;
  DeviceBuffer<Complex> waves_;
  FftPlan<T> forward_, backward_;
  MeshRows rows_{};                          ///< that are convolved here
  std::optional<DeviceMeshRanks<T>> ranks_;  ///< with a link; then what the whole mesh needs is empty
};

}  // namespace

std::unique_ptr<DeviceForce> make_device_mesh(const System& system, const PmeParameters& pme, Precision precision,
                                              RankLink* link, cudaStream_t stream) {
  if (system.forces.nonbonded != NonbondedMethod::pme) return nullptr;
  if (precision == Precision::double_) return std::make_unique<Pme<double>>(system, pme, link, stream);
  return std::make_unique<Pme<float>>(system, pme, link, stream);
}

}  // namespace uplift::UPLIFT_DEVICE
