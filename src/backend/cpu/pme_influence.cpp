#include "pme_influence.hpp"

#include <cmath>

#include "physics/pme/bspline.hpp"
#include "physics/pme/influence.hpp"
#include "uplift/core/constants.hpp"

namespace uplift::cpu {
namespace {

template <int order>
void samples(double* at) {
  const auto b = physics::bspline_weights<order>(0.0);
  for (int j = 0; j < order; ++j) at[j] = b.value[j];
}

int folded(int k, int n) { return k < (n + 1) / 2 ? k : k - n; }
bool nyquist(int k, int n) { return 2 * k == n; }

}  // namespace

std::vector<double> spline_moduli(int order, int n) {
  double spline[6] = {};
  order == 4 ? samples<4>(spline) : order == 5 ? samples<5>(spline) : samples<6>(spline);
  std::vector<double> moduli(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) {
    double re = 0, im = 0;
    for (int j = 0; j < order; ++j) {
      const double phase = 2 * constants::pi * static_cast<double>(static_cast<long long>(j) * k % n) / n;
      re += spline[j] * std::cos(phase);
      im += spline[j] * std::sin(phase);
    }
    moduli[static_cast<std::size_t>(k)] = re * re + im * im;
  }
  for (int k = 0; k < n; ++k)
    if (moduli[static_cast<std::size_t>(k)] < 1e-7)
      moduli[static_cast<std::size_t>(k)] =
          (moduli[static_cast<std::size_t>((k + n - 1) % n)] + moduli[static_cast<std::size_t>((k + 1) % n)]) / 2;
  return moduli;
}

template <class T>
InfluenceTable<T>::InfluenceTable(const PmeParameters& pme)
    : pme_(pme), block_(static_cast<std::size_t>(pme.grid[0]) * static_cast<std::size_t>(pme.grid[2] / 2 + 1)) {
  for (std::size_t d = 0; d < 3; ++d) moduli_[d] = spline_moduli(pme.order, pme.grid[d]);
  table_.resize(block_ * static_cast<std::size_t>(pme.grid[1]));
}

template <class T>
Vec3d InfluenceTable<T>::wave(int kx, int ky, int kz) const {
  const double mx = kx / box_.a.x;
  const double my = (ky - mx * box_.b.x) / box_.b.y;
  return {mx, my, (kz - mx * box_.c.x - my * box_.c.y) / box_.c.z};
}

// The mirror image -k of a mesh point, folded: other than the negative of k itself when an index lies at the middle of an even
// mesh.
template <class T>
Vec3d InfluenceTable<T>::mirrored(int kx, int ky, int kz) const {
  const auto [nx, ny, nz] = pme_.grid;
  return wave(folded((nx - kx) % nx, nx), folded((ny - ky) % ny, ny), folded((nz - kz) % nz, nz));
}

template <class T>
double InfluenceTable<T>::value(int kx, int ky, int kz) const {
  if (kx == 0 && ky == 0 && kz == 0) return 0;
  const auto [nx, ny, nz] = pme_.grid;
  const Vec3d m = wave(folded(kx, nx), folded(ky, ny), folded(kz, nz));
  double e = physics::reciprocal_energy(dot(m, m), pme_.alpha, box_.volume());
  if (nyquist(kx, nx) || nyquist(ky, ny) || nyquist(kz, nz)) {
    // A skewed box: k and -k fold to vectors of different lengths. Their mean keeps the mesh real and the forces the gradient.
    const Vec3d other = mirrored(kx, ky, kz);
    e = (e + physics::reciprocal_energy(dot(other, other), pme_.alpha, box_.volume())) / 2;
  }
  return 2 * e / modulus(kx, ky, kz);
}

template <class T>
std::array<double, 6> InfluenceTable<T>::virial(int kx, int ky, int kz) const {
  std::array<double, 6> w{};
  if (kx == 0 && ky == 0 && kz == 0) return w;
  const auto [nx, ny, nz] = pme_.grid;
  const Vec3d waves[2] = {wave(folded(kx, nx), folded(ky, ny), folded(kz, nz)), mirrored(kx, ky, kz)};
  const int images = nyquist(kx, nx) || nyquist(ky, ny) || nyquist(kz, nz) ? 2 : 1;
  for (int i = 0; i < images; ++i) {
    const Vec3d& m = waves[i];
    const double m2 = dot(m, m);
    const double e = 2 * physics::reciprocal_energy(m2, pme_.alpha, box_.volume()) / (modulus(kx, ky, kz) * images);
    const double f = physics::reciprocal_virial_factor(m2, pme_.alpha);
    const double tensor[6] = {1 - f * m.x * m.x, -f * m.x * m.y, -f * m.x * m.z,
                              1 - f * m.y * m.y, -f * m.y * m.z, 1 - f * m.z * m.z};
    for (std::size_t c = 0; c < 6; ++c) w[c] += e * tensor[c];
  }
  return w;
}

template <class T>
void InfluenceTable<T>::set_box(const Box& box, const Threads& threads) {
  box_ = box;
  const auto [nx, ny, nz] = pme_.grid;
  const int width = nx, half = nz / 2 + 1;
  threads.for_each(ny, [&](int ky, int) {
    T* out = table_.data() + static_cast<std::size_t>(ky) * block_;
    for (int kx = 0; kx < width; ++kx)
      for (int kz = 0; kz < half; ++kz) *out++ = static_cast<T>(value(kx, ky, kz));
  });
}

template class InfluenceTable<float>;
template class InfluenceTable<double>;

}  // namespace uplift::cpu
