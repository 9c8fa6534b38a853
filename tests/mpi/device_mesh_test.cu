// The mesh that ranks with a device each share, on the emulator: against a naive transform, and with the bits that one rank
// has.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>

#include "backend/cuda/device_mesh_ranks.cuh"
#include "backend/cuda/device_streams.cuh"
#include "domain/decomposition.hpp"
#include "mpi/ranks.hpp"
#include "simt/runtime.hpp"
#include "uplift/core/at.hpp"

namespace uplift {
namespace {

using simt_device::DeviceMeshRanks;
using simt_device::MeshInteger;
using simt_device::MeshRows;
using simt_device::MeshWindow;

constexpr std::array<int, 3> n{7, 12, 9};
constexpr int points = 7 * 12 * 9, half = 9 / 2 + 1;
constexpr double scale = 4;

int place(int x, int y, int z) { return (x % n[0] * n[1] + y % n[1]) * n[2] + z % n[2]; }
/// f(-k) = f(k).
double influence(int kx, int ky, int kz) {
  const auto folded = [](int k, int of) { return std::min(k, of - k); };
  return 1.0 / (1 + folded(kx, n[0]) + 2 * folded(ky, n[1]) * folded(ky, n[1]) + 3 * folded(kz, n[2]));
}

/// Windows go round the end of the cell in one direction or another; the first rank's is the whole mesh, and the third has
/// none.
MeshWindow window_of(int rank, int round) {
  if (rank == 0) return {{0, 0, 0}, {n[0], n[1], n[2]}};
  if (rank == 2) return {{0, 0, 0}, {0, 0, 0}};
  const int s = rank + 3 * round;  // the second time the second of two ranks has planes of its own at both ends of its window
  return {{(2 * rank + 3) % n[0], (5 * s + 4) % n[1], (3 * s + 2) % n[2]}, {4 + 2 * round, 7, 5 - round}};
}
template <class F>
void for_window(const MeshWindow& w, F&& f) {
  int k = 0;
  for (int x = 0; x < w.length[0]; ++x)
    for (int y = 0; y < w.length[1]; ++y)
      for (int z = 0; z < w.length[2]; ++z) f(k++, place(w.start[0] + x, w.start[1] + y, w.start[2] + z));
}
/// [window] what a rank spreads.
std::vector<int> charges_of(int rank, int round) {
  const MeshWindow w = window_of(rank, round);
  std::mt19937 random(static_cast<unsigned>(17 * rank + round));
  std::uniform_int_distribution<int> charge(-9, 9);
  std::vector<int> all(at(w.length[0] * w.length[1] * w.length[2]));
  for (int& q : all) q = charge(random);
  return all;
}
/// [points] what all have spread.
std::vector<int> all_charges(int round) {
  std::vector<int> mesh(at(points), 0);
  for (int r = 0; r < all->size(); ++r) {
    const std::vector<int> own = charges_of(r, round);
    for_window(window_of(r, round), [&](int k, int p) { mesh[at(p)] += own[at(k)]; });
  }
  return mesh;
}
std::vector<double> naive_potential(const std::vector<int>& mesh) {
  const auto wave = [](int k, int x, int of) { return std::polar(1.0, 2 * std::numbers::pi * k * x / of); };
  std::vector<std::complex<double>> waves(at(points), 0), back(at(points), 0);
  const auto transform = [&](const auto& from, auto& to, int sign) {
    for (int a = 0; a < points; ++a)
      for (int b = 0; b < points; ++b)
        to[at(a)] += std::complex<double>(from[at(b)]) * wave(sign * (a / n[2] / n[1]), b / n[2] / n[1], n[0]) *
                     wave(sign * (a / n[2] % n[1]), b / n[2] % n[1], n[1]) * wave(sign * (a % n[2]), b % n[2], n[2]);
  };
  transform(mesh, waves, -1);
  for (int a = 0; a < points; ++a) waves[at(a)] *= influence(a / n[2] / n[1], a / n[2] % n[1], a % n[2]) / scale;
  transform(waves, back, 1);
  std::vector<double> real;
  for (const auto& c : back) real.push_back(c.real());
  return real;
}

template <class T>
class MeshOfRanks {
  using Complex = typename simt_device::FftPlan<T>::Complex;

 public:
  /// `transforming`: of the ranks; 0: all.
  explicit MeshOfRanks(const Communicator& ranks, int transforming = 0)
      : link_(system_, ranks, transforming), mesh_(link_, n, simt::memory_stays_open(), stream_) {}
  MeshRows rows() const { return mesh_.rows(); }
  int planes() const { return mesh_.planes(); }

  std::vector<T> potential(const MeshWindow& window, const std::vector<int>& charges) {
    mesh_.set_window(window, stream_);
    std::vector<T> found;
    for (int again = 0; again < 2; ++again) {  // nothing may be left of the step before
      std::vector<MeshInteger<T>> spread(charges.begin(), charges.end());
      copy(mesh_.charges(), spread.data(), spread.size());
      mesh_.fetch_charges(stream_);
      mesh_.solve(
          scale, [&](Complex* waves) { convolve(waves); }, [] {}, stream_);
      copy<MeshInteger<T>>(spread.data(), mesh_.charges(), spread.size());
      EXPECT_EQ(spread, std::vector<MeshInteger<T>>(spread.size(), 0)) << "the next step adds to it";
      found.resize(charges.size());
      copy(found.data(), mesh_.potential(), found.size());
    }
    return found;
  }

 private:
  template <class V>
  void copy(V* to, const V* from, std::size_t count) {
    if (count > 0) cuda::check(cudaMemcpyAsync(to, from, count * sizeof(V), cudaMemcpyDefault, stream_), "copy");
    cuda::check(cudaStreamSynchronize(stream_), "wait");
  }
  void convolve(Complex* waves) {
    const MeshRows rows = mesh_.rows();
    std::vector<Complex> all(at(n[0] * rows.count * half));
    copy(all.data(), waves, all.size());
    for (std::size_t k = 0; k < all.size(); ++k) {
      const int i = static_cast<int>(k);
      const T f = static_cast<T>(influence(i / half / rows.count, rows.first + i / half % rows.count, i % half));
      all[k] = {all[k].x * f, all[k].y * f};
    }
    copy(waves, all.data(), all.size());
  }

  System system_;
  Decomposition link_;
  simt_device::Stream stream_;
  DeviceMeshRanks<T> mesh_;
};

template <class T>
class DeviceMesh : public ::testing::Test {};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(DeviceMesh, Precisions);

TYPED_TEST(DeviceMesh, IsOneMeshWhateverRanksThereAre) {
  MeshOfRanks<TypeParam> alone(all->split(all->rank(), 0));
  for (int trial = 0; trial < 2 * all->size(); ++trial) {
    const int round = trial % 2;
    MeshOfRanks<TypeParam> shared(*all, 1 + trial / 2);
    const std::vector<int> mesh = all_charges(round);
    const std::vector<double> expected = naive_potential(mesh);
    const MeshWindow own = window_of(all->rank(), round);
    const std::vector<TypeParam> found = shared.potential(own, charges_of(all->rank(), round)),
                                 of_one = alone.potential(window_of(0, round), mesh);
    double largest = 0, worst = 0;
    for (double u : expected) largest = std::max(largest, std::abs(u));
    for_window(own, [&](int k, int p) {
      worst = std::max(worst, std::abs(static_cast<double>(found[at(k)]) - expected[at(p)]));
      EXPECT_EQ(found[at(k)], of_one[at(p)]) << "point " << p << ", trial " << trial;
    });
    EXPECT_LT(worst, (sizeof(TypeParam) == 4 ? 1e-6 : 1e-14) * largest);
  }
}

TYPED_TEST(DeviceMesh, IsDividedAmongRanks) {
  for (int transforming = 1; transforming <= all->size(); ++transforming) {
    const MeshOfRanks<TypeParam> mesh(*all, transforming);
    std::array<std::int64_t, 3> sum{mesh.planes(), mesh.rows().count, mesh.planes() > 0};
    EXPECT_LE(mesh.planes(), (n[0] + transforming - 1) / transforming);
    EXPECT_LE(mesh.rows().count, (n[1] + transforming - 1) / transforming);
    all->sum(std::span<std::int64_t>(sum));
    EXPECT_EQ(sum[0], n[0]);
    EXPECT_EQ(sum[1], n[1]);
    EXPECT_EQ(sum[2], transforming);
  }
}

}  // namespace
}  // namespace uplift
