// Reciprocal-space PME on the device.
#include <cufft.h>
#include <cuda/pme.cuh>

#include <algorithm>
#include <cmath>

#include "backend/cuda/device_force.cuh"
#include "physics/pme/influence.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/error.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

void check_fft(cufftResult result, const char* what) {
  if (result != CUFFT_SUCCESS)
    throw SimulationError(std::string(what) + ": cuFFT error " + std::to_string(result) + " (is the GPU's memory full?)");
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
class Pme final : public DeviceForce {
  using Complex = std::conditional_t<sizeof(T) == 4, float2, double2>;

 public:
  Pme(const System& system, const PmeParameters& pme, RankLink* link, cudaStream_t stream)
      : pme_(pme), link_(link), all_charges_(system.force_field.charges) {
    std::vector<int> atoms;
    std::vector<double> charges;
    double absolute = 0, largest = 0;
    for (int i = 0; i < system.size(); ++i) {
      const double q = all_charges_[static_cast<std::size_t>(i)];
      if (q == 0) continue;
      atoms.push_back(i);
      charges.push_back(q);
      absolute += std::abs(q);
      largest = std::max(largest, std::abs(q));
    }
    atom_ = DeviceBuffer<int>(atoms);
    charge_ = DeviceBuffer<double>(charges);
    charged_ = static_cast<int>(charges.size());
    none_ = charges.empty();
    const auto [nx, ny, nz] = pme.grid;
    points_ = nx * ny * nz;
    const auto half = static_cast<std::size_t>(nx) * static_cast<std::size_t>(ny) * static_cast<std::size_t>(nz / 2 + 1);
    grid_.resize(static_cast<std::size_t>(points_));
    grid_.clear(stream);
    if (link_) mesh_words_.reserve(grid_.size());
    real_.resize(static_cast<std::size_t>(points_));
    waves_.resize(half);
    influence_.resize(half);
    for (std::size_t d = 0; d < 3; ++d) moduli_[d] = DeviceBuffer<double>(spline_moduli(pme.order, pme.grid[d]));
    mesh_.scale = integer_mesh_scale(absolute, largest, points_, sizeof(T) == 4);
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

  bool steady(const Box& box) const override { return box == box_; }
  void compute(const Request& r, cudaStream_t stream) override {
    if (none_) return;
    set_box(r.box, stream);
    launch_spread<T>(pme_.order, charges(), r.x, mesh_, grid_.data(), stream);
    if (link_)
      mesh_words_.copy_from(grid_.data(), grid_.size(), stream);
    else
      solve(r, r.tally, stream);
  }

  /// Every rank transforms the whole mesh, which integers have made the same everywhere: messages of its size, work that more
  /// ranks do not lessen.
  void finish(const Request& r, cudaStream_t stream) override {
    if (none_ || !link_) return;
    check(cudaStreamSynchronize(stream), "wait for the device");
    link_->sum(std::span(mesh_words_.data(), grid_.size()));
    mesh_words_.copy_to(grid_.data(), grid_.size(), stream);
    solve(r, link_->rank() == 0 ? r.tally : Tally{}, stream);
  }
  void set_share(const RankShare& share, std::span<const Vec3d>, const Box&, cudaStream_t stream) override {
    std::vector<int> atoms;
    std::vector<double> charges;
    share.for_home([&](int i) {
      const double q = all_charges_[static_cast<std::size_t>(i)];
      if (q == 0) return;
      atoms.push_back(i);
      charges.push_back(q);
    });
    atom_.upload_to_front(atoms, stream);
    charge_.upload_to_front(charges, stream);
    check(cudaStreamSynchronize(stream), "wait for the device");
    charged_ = static_cast<int>(charges.size());
  }
  std::int64_t interactions() const override { return charged_; }

 private:
  ChargesView charges() const { return {charged_, atom_.data(), charge_.data()}; }

  void solve(const Request& r, Tally tally, cudaStream_t stream) {
    launch_to_real<T>(grid_.data(), real_.data(), points_, mesh_.scale, stream);
    check_fft(forward(forward_, real_.data(), waves_.data()), "FFT");
    if (tally.any()) r.wait_for_sums(stream);
    launch_convolve<T, Complex>(wave_vectors_, influence_.data(), waves_.data(), r.sums, tally, stream);
    check_fft(backward(backward_, waves_.data(), real_.data()), "FFT");
    r.wait_for_sums(stream);
    launch_gather<T>(pme_.order, charges(), r.x, mesh_, real_.data(), r.sums, stream);
  }

  void set_box(const Box& box, cudaStream_t stream) {
    if (box == box_) return;
    box_ = box;
    const double ax = 1 / box.a.x, by = 1 / box.b.y, cz = 1 / box.c.z;
    const double inverse[3][3] = {
        {ax, -ax * box.b.x * by, ax * (box.b.x * box.c.y * by - box.c.x) * cz}, {0, by, -by * box.c.y * cz}, {0, 0, cz}};
    for (int d = 0; d < 3; ++d)
      for (int c = 0; c < 3; ++c) mesh_.row[d][c] = inverse[d][c];
    wave_vectors_ = {box.a.x,
                     box.b.x,
                     box.b.y,
                     box.c.x,
                     box.c.y,
                     box.c.z,
                     {mesh_.n[0], mesh_.n[1], mesh_.n[2]},
                     pme_.alpha,
                     {moduli_[0].data(), moduli_[1].data(), moduli_[2].data()}};
    launch_influence(wave_vectors_, influence_.data(), stream);
  }

  PmeParameters pme_;
  RankLink* link_;
  std::vector<double> all_charges_;  ///< [atoms]
  PinnedBuffer<MeshInteger<T>> mesh_words_;
  int charged_ = 0;    ///< atoms of this rank
  bool none_ = false;  ///< of the whole system
  Box box_;
  int points_ = 0;
  MeshView mesh_{};
  physics::MeshWaves wave_vectors_{};
  DeviceBuffer<int> atom_;
  DeviceBuffer<double> charge_, moduli_[3];
  DeviceBuffer<MeshInteger<T>> grid_;
  DeviceBuffer<T> real_, influence_;
  DeviceBuffer<Complex> waves_;
  cufftHandle forward_ = 0, backward_ = 0;
};

}  // namespace

std::unique_ptr<DeviceForce> make_device_mesh(const System& system, const PmeParameters& pme, Precision precision,
                                              RankLink* link, cudaStream_t stream) {
  if (system.forces.nonbonded != NonbondedMethod::pme) return nullptr;
  if (precision == Precision::double_) return std::make_unique<Pme<double>>(system, pme, link, stream);
  return std::make_unique<Pme<float>>(system, pme, link, stream);
}

}  // namespace uplift::UPLIFT_DEVICE
