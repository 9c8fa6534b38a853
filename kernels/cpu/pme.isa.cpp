// Spread and gather. Spline weights are worked out for a register full of atoms at a time; the mesh is then visited atom by
// atom, one row of z (order values, padded with zero weights to 4 or 8) per vector.
#include <type_traits>

#include "cpu/pme_kernels.hpp"
#include "cpu/simd.hpp"
#include "physics/pme/bspline.hpp"
#include "uplift/core/fixed_point.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

template <int order>
inline constexpr int row_width = order <= 4 ? 4 : 8;

/// Weights of a batch of atoms: x and y per point, z as rows ready to load.
template <int order, class T>
struct Batch {
  static constexpr int size = Pack<T>::width;
  alignas(64) T x[order][size], y[order][size];
  alignas(64) T dx[order][size], dy[order][size];
  alignas(64) T z[size][row_width<order>], dz[size][row_width<order>];

  UPLIFT_HD Batch() {
    for (int a = 0; a < size; ++a)
      for (int j = order; j < row_width<order>; ++j) z[a][j] = dz[a][j] = 0;
  }

  template <bool derivatives>
  UPLIFT_HD void fill(const PmeAtom<T>* atoms, int count) {
    alignas(64) T w[3][size];
    for (int a = 0; a < size; ++a) {
      const PmeAtom<T>& atom = atoms[a < count ? a : 0];
      w[0][a] = atom.wx;
      w[1][a] = atom.wy;
      w[2][a] = atom.wz;
    }
    const auto bx = physics::bspline_weights<order>(Pack<T>::load(w[0]));
    const auto by = physics::bspline_weights<order>(Pack<T>::load(w[1]));
    const auto bz = physics::bspline_weights<order>(Pack<T>::load(w[2]));
    alignas(64) T column[order][size], slope[order][size];
    for (int j = 0; j < order; ++j) {
      bx.value[j].store(x[j]);
      by.value[j].store(y[j]);
      bz.value[j].store(column[j]);
      if constexpr (derivatives) {
        bx.derivative[j].store(dx[j]);
        by.derivative[j].store(dy[j]);
        bz.derivative[j].store(slope[j]);
      }
    }
    for (int a = 0; a < size; ++a)
      for (int j = 0; j < order; ++j) {
        z[a][j] = column[j][a];
        if constexpr (derivatives) dz[a][j] = slope[j][a];
      }
  }
};

UPLIFT_HD int wrapped(int i, int n) { return i >= n ? i - n : i; }

/// Offsets of the `order` planes (or rows) from i on, round the end of the box.
template <int order>
UPLIFT_HD void offsets(int i, int n, std::size_t stride, std::size_t (&offset)[order]) {
  for (int j = 0; j < order; ++j) offset[j] = static_cast<std::size_t>(wrapped(i + j, n)) * stride;
}

template <int order, class T, class Integer>
void spread(const PmeAtom<T>* atoms, int count, T scale, const PmeMesh& mesh, Integer* values) {
  constexpr int row = row_width<order>;
  using D = hn::CappedTag<T, row>;
  using DI = hn::Rebind<Integer, D>;
  constexpr int lanes = static_cast<int>(hn::MaxLanes(D()));
  constexpr int vectors = row / lanes;
  Batch<order, T> batch;
  for (int first = 0; first < count; first += batch.size) {
    const int n = count - first < batch.size ? count - first : batch.size;
    batch.template fill<false>(atoms + first, n);
    for (int a = 0; a < n; ++a) {
      const PmeAtom<T>& atom = atoms[first + a];
      std::size_t px[order], py[order];
      offsets<order>(atom.x, mesh.nx, mesh.plane, px);
      offsets<order>(atom.y, mesh.ny, mesh.row, py);
      hn::Vec<D> z[vectors];
      for (int v = 0; v < vectors; ++v) z[v] = hn::Load(D(), batch.z[a] + v * lanes);
      Integer* base = values + atom.z;
      const T q = scale * atom.charge;
#pragma GCC unroll 8
      for (int i = 0; i < order; ++i) {
        const T qx = q * batch.x[i][a];
#pragma GCC unroll 8
        for (int j = 0; j < order; ++j) {
          Integer* to = base + px[i] + py[j];
          const auto weight = hn::Set(D(), qx * batch.y[j][a]);
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) {
            const auto product = hn::Mul(weight, z[v]);
            hn::Vec<DI> rounded;
            if constexpr (sizeof(T) == 4)
              rounded = hn::NearestInt(product);
            else
              rounded = hn::ConvertTo(DI(), hn::Round(product));
            hn::StoreU(hn::Add(hn::LoadU(DI(), to + v * lanes), rounded), DI(), to + v * lanes);
          }
        }
      }
    }
  }
}

template <int order, class T>
void gather(const PmeAtom<T>* atoms, int count, const PmeMesh& mesh, const T* potential, const PmeGradientMap& map,
            std::int64_t* force) {
  constexpr int row = row_width<order>;
  using D = hn::CappedTag<T, row>;
  constexpr int lanes = static_cast<int>(hn::MaxLanes(D()));
  constexpr int vectors = row / lanes;
  Batch<order, T> batch;
  for (int first = 0; first < count; first += batch.size) {
    const int n = count - first < batch.size ? count - first : batch.size;
    batch.template fill<true>(atoms + first, n);
    for (int a = 0; a < n; ++a) {
      const PmeAtom<T>& atom = atoms[first + a];
      std::size_t px[order], py[order];
      offsets<order>(atom.x, mesh.nx, mesh.plane, px);
      offsets<order>(atom.y, mesh.ny, mesh.row, py);
      auto fx = hn::Zero(D()), fy = hn::Zero(D()), fz = hn::Zero(D());
      const T* base = potential + atom.z;
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        auto gx = hn::Zero(D()), gy = hn::Zero(D()), gz = hn::Zero(D());
#pragma GCC unroll 8
        for (int i = 0; i < order; ++i) {
          auto sum = hn::Zero(D()), slope = hn::Zero(D());  // over y, for this x
#pragma GCC unroll 8
          for (int j = 0; j < order; ++j) {
            const auto phi = hn::LoadU(D(), base + px[i] + py[j] + v * lanes);
            sum = hn::MulAdd(hn::Set(D(), batch.y[j][a]), phi, sum);
            slope = hn::MulAdd(hn::Set(D(), batch.dy[j][a]), phi, slope);
          }
          const auto x = hn::Set(D(), batch.x[i][a]);
          gx = hn::MulAdd(hn::Set(D(), batch.dx[i][a]), sum, gx);
          gy = hn::MulAdd(x, slope, gy);
          gz = hn::MulAdd(x, sum, gz);
        }
        const auto z = hn::Load(D(), batch.z[a] + v * lanes);
        fx = hn::MulAdd(z, gx, fx);
        fy = hn::MulAdd(z, gy, fy);
        fz = hn::MulAdd(hn::Load(D(), batch.dz[a] + v * lanes), gz, fz);
      }
      const double q = -static_cast<double>(atom.charge);
      const double dx = q * static_cast<double>(hn::GetLane(hn::SumOfLanes(D(), fx)));
      const double dy = q * static_cast<double>(hn::GetLane(hn::SumOfLanes(D(), fy)));
      const double dz = q * static_cast<double>(hn::GetLane(hn::SumOfLanes(D(), fz)));
      std::int64_t* to = force + 3 * static_cast<std::size_t>(atom.atom);
      for (int c = 0; c < 3; ++c) to[c] += fixed_force(dx * map.row[0][c] + dy * map.row[1][c] + dz * map.row[2][c]);
    }
  }
}

}  // namespace

extern const PmeKernels pme_kernels;
const PmeKernels pme_kernels{{{spread<4, float, std::int32_t>, gather<4, float>},
                              {spread<5, float, std::int32_t>, gather<5, float>},
                              {spread<6, float, std::int32_t>, gather<6, float>}},
                             {{spread<4, double, std::int64_t>, gather<4, double>},
                              {spread<5, double, std::int64_t>, gather<5, double>},
                              {spread<6, double, std::int64_t>, gather<6, double>}}};

}  // namespace uplift::cpu::UPLIFT_ISA
