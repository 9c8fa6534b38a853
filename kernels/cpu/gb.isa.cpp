// See the diagram in gb_kernels.hpp. Arithmetic is in physics/gb; here are loads, masks and sums.
#include "cpu/gb_kernels.hpp"
#include "cpu/simd.hpp"
#include "physics/gb/born_energy.hpp"
#include "physics/gb/born_integral.hpp"
#include "physics/gb/neck_integral.hpp"
#include "uplift/core/fixed_point.hpp"

namespace uplift::cpu::UPLIFT_ISA {
namespace {

using T = Pack<double>;

constexpr double integral_clamp = 4096;  // [1/nm]: real ones stay below 30

UPLIFT_HD Fixed fixed_integral(double value) {
  const double bounded = value < integral_clamp ? (value > -integral_clamp ? value : -integral_clamp) : integral_clamp;
  return static_cast<Fixed>(bounded * gb_integral_scale + (bounded >= 0 ? 0.5 : -0.5));
}

/// to[k] += fixed(from[k]): fixed_clamped() of core/fixed_point.hpp on whole registers; n is a multiple of gb_pad.
UPLIFT_HD void add_fixed(const double* from, int n, double clamp, double scale, std::int64_t* to) {
  const T::Tag tag;
  const hn::RebindToSigned<T::Tag> integers;
  const auto top = hn::Set(tag, clamp), bottom = hn::Set(tag, -clamp), unit = hn::Set(tag, scale);
  for (int k = 0; k < n; k += T::width) {
    auto v = hn::Load(tag, from + k);
    v = hn::IfThenElse(hn::Lt(v, top), hn::Max(v, bottom), top);  // NaN becomes the clamp
    const auto whole = hn::ConvertTo(integers, hn::Round(hn::Mul(v, unit)));
    hn::Store(hn::Add(hn::Load(integers, to + k), whole), integers, to + k);
  }
}

struct Pairs {
  Vec3<T> d;   ///< x_i - x_j in units of the coordinates
  T r2;        ///< [nm^2]
  T::Mask on;  ///< j > i; used on the diagonal only
};

template <bool diagonal>
UPLIFT_HD Pairs load_pairs(const GbAtoms& a, int i, int j) {
  const T::Tag tag;
  Pairs p;
  p.d = {T(a.x[i]) - T::load(a.x + j), T(a.y[i]) - T::load(a.y + j), T(a.z[i]) - T::load(a.z + j)};
  p.r2 = max(T(1e-8), dot(p.d, p.d));  // atoms at one place: 1e-4 nm, no 1/0
  p.on = T(hn::Iota(tag, static_cast<double>(j - i))) > T(0.0);
  if constexpr (diagonal) p.r2 = select(p.on, p.r2, T(1e4));
  return p;
}

/// What a lane adds, nothing where the diagonal switches it off.
template <bool diagonal>
UPLIFT_HD T kept(const Pairs& p, T value) {
  if constexpr (diagonal) return select(p.on, value, T(0.0));
  (void)p;
  return value;
}

UPLIFT_HD bool any_below(T r2, double limit) { return !hn::AllFalse(T::Tag(), r2 < T(limit)); }

/// The part of row i that lies in the tile: f(diagonal?, j) for the register that holds column i + 1, if any, then all to its
/// right.
template <class F>
UPLIFT_HD void for_row(const GbTile& tile, int i, F&& f) {
  constexpr int width = T::width;
  int j = tile.j0;
  if (j <= i) {
    j = i / width * width;
    if (j < tile.j1) f.template operator()<true>(j);
    j += width;
  }
  for (; j < tile.j1; j += width) f.template operator()<false>(j);
}

/// Both directions of a pair: what j does to i, and what i does to j.
struct Both {
  T ij, ji;
};

UPLIFT_HD T gather(const double* table, const std::int32_t* index) {
  constexpr int width = T::width;
  HWY_ALIGN double lane[width];
  for (int k = 0; k < width; ++k) lane[k] = table[index[k]];
  return T::load(lane);
}

/// Necks of row i with the registers' atoms: value, and slope over r.
struct Necks {
  physics::NeckIntegral<T> ij, ji;
};
UPLIFT_HD Necks necks(const GbAtoms& a, int i, int j, T r, T inverse_r) {
  const std::int64_t row = static_cast<std::int64_t>(a.radius_type[i]) * a.radius_types;
  const std::int32_t* types = a.radius_type + j;
  const T reach = T::load(a.radius + j) + T(a.radius[i] + a.neck_cut);
  return {physics::neck_integral(r, inverse_r, reach, gather(a.neck_distance + row, types), gather(a.neck_height + row, types)),
          physics::neck_integral(r, inverse_r, reach, gather(a.neck_distance_transposed + row, types),
                                 gather(a.neck_height_transposed + row, types))};
}

// A register of pairs whose lanes are all far skips the near form, and one without necks skips those. A lane's value does not
// depend on the others': far lanes take the far form in any case.
UPLIFT_HD Both integrals_of(const GbAtoms& a, int i, int j, T r2) {
  const T inverse_r2 = reciprocal(r2);
  Both out{physics::born_integral_far(inverse_r2, T::load(a.s2 + j), T::load(a.half_s3 + j)),
           physics::born_integral_far(inverse_r2, T(a.s2[i]), T(a.half_s3[i]))};
  const bool near = any_below(r2, a.near2), neck = a.neck && any_below(r2, a.neck_far2);
  if (near || neck) {
    const T inverse_r = rsqrt(r2);
    const T r = r2 * inverse_r;
    if (near) {
      const auto close = r2 < T(a.near2);
      out.ij = select(close, physics::born_integral(r, inverse_r, T(a.rho[i]), T(a.inverse_rho[i]), T::load(a.s + j)), out.ij);
      out.ji = select(close, physics::born_integral(r, inverse_r, T::load(a.rho + j), T::load(a.inverse_rho + j), T(a.s[i])),
                      out.ji);
    }
    if (neck) {
      const Necks n = necks(a, i, j, r, inverse_r);
      out.ij += n.ij.value;
      out.ji += n.ji.value;
    }
  }
  return out;
}

UPLIFT_HD Both integral_slopes_of(const GbAtoms& a, int i, int j, T r2) {
  const T inverse_r2 = reciprocal(r2);
  Both out{physics::born_integral_far_slope(inverse_r2, T::load(a.s2 + j), T::load(a.half_s3 + j)),
           physics::born_integral_far_slope(inverse_r2, T(a.s2[i]), T(a.half_s3[i]))};
  const bool near = any_below(r2, a.near2), neck = a.neck && any_below(r2, a.neck_far2);
  if (near || neck) {
    const T inverse_r = rsqrt(r2);
    const T r = r2 * inverse_r;
    if (near) {
      const auto close = r2 < T(a.near2);
      out.ij = select(close, physics::born_integral_slope(r, inverse_r, T(a.rho[i]), T::load(a.s + j)), out.ij);
      out.ji = select(close, physics::born_integral_slope(r, inverse_r, T::load(a.rho + j), T(a.s[i])), out.ji);
    }
    if (neck) {
      const Necks n = necks(a, i, j, r, inverse_r);
      out.ij += n.ij.slope_over_r;
      out.ji += n.ji.slope_over_r;
    }
  }
  return out;
}

void integrals(const GbAtoms& a, const GbTile& tile, std::int64_t* integral) {
  alignas(64) double column[gb_tile_columns] = {};
  for (int i = tile.i0; i < tile.i1; ++i) {
    T row(0.0);
    const auto visit = [&]<bool diagonal>(int j) __attribute__((always_inline)) {
      const Pairs p = load_pairs<diagonal>(a, i, j);
      const Both v = integrals_of(a, i, j, p.r2);
      row += kept<diagonal>(p, v.ij);
      (T::load(column + j - tile.j0) + kept<diagonal>(p, v.ji)).store(column + j - tile.j0);
    };
    for_row(tile, i, visit);
    add_wrapping(integral[i], fixed_integral(row.sum()));
  }
  add_fixed(column, tile.j1 - tile.j0, integral_clamp, gb_integral_scale, integral + tile.j0);
}

template <bool salt, bool energies>
void pairs(const GbAtoms& a, const GbTile& tile, std::int64_t* const sums[4], std::int64_t* energy) {
  alignas(64) double column[4][gb_tile_columns] = {};
  const physics::Dielectric<T> medium{T(a.inverse_in), T(a.inverse_out), T(a.kappa)};
  for (int i = tile.i0; i < tile.i1; ++i) {
    T row[4] = {T(0.0), T(0.0), T(0.0), T(0.0)}, row_energy(0.0);
    const T charge(a.charge[i]), born(a.born[i]), half_inverse_born(a.half_inverse_born[i]);
    const auto visit = [&]<bool diagonal>(int j) __attribute__((always_inline)) {
      const Pairs p = load_pairs<diagonal>(a, i, j);
      const T born_j = T::load(a.born + j);
      const auto pair = physics::born_pair<salt>(p.r2, kept<diagonal>(p, charge * T::load(a.charge + j)), born * born_j,
                                                 half_inverse_born * T::load(a.half_inverse_born + j), medium);
      const T f[3] = {pair.force_over_r * p.d.x, pair.force_over_r * p.d.y, pair.force_over_r * p.d.z};
      double* to = &column[0][j - tile.j0];
      for (int c = 0; c < 3; ++c) {
        row[c] += f[c];
        (T::load(to + c * gb_tile_columns) - f[c]).store(to + c * gb_tile_columns);
      }
      row[3] = madd(pair.born_slope, born_j, row[3]);
      madd(pair.born_slope, born, T::load(to + 3 * gb_tile_columns)).store(to + 3 * gb_tile_columns);
      if constexpr (energies) row_energy += pair.energy;
    };
    for_row(tile, i, visit);
    for (int c = 0; c < 4; ++c) add_wrapping(sums[c][i], fixed_force(row[c].sum()));
    if constexpr (energies) add_wrapping(*energy, fixed_energy(row_energy.sum()));
  }
  for (int c = 0; c < 4; ++c) add_fixed(column[c], tile.j1 - tile.j0, force_clamp, fixed_scale, sums[c] + tile.j0);
}

void pairs_as_asked(const GbAtoms& a, const GbTile& tile, std::int64_t* const sums[4], std::int64_t* energy) {
  if (a.kappa > 0)
    energy ? pairs<true, true>(a, tile, sums, energy) : pairs<true, false>(a, tile, sums, energy);
  else
    energy ? pairs<false, true>(a, tile, sums, energy) : pairs<false, false>(a, tile, sums, energy);
}

void chain(const GbAtoms& a, const GbTile& tile, std::int64_t* const sums[3]) {
  alignas(64) double column[3][gb_tile_columns] = {};
  for (int i = tile.i0; i < tile.i1; ++i) {
    T row[3] = {T(0.0), T(0.0), T(0.0)};
    const T slope_i(a.integral_slope[i]);
    const auto visit = [&]<bool diagonal>(int j) __attribute__((always_inline)) {
      const Pairs p = load_pairs<diagonal>(a, i, j);
      const Both v = integral_slopes_of(a, i, j, p.r2);
      const T scale = -kept<diagonal>(p, madd(slope_i, v.ij, T::load(a.integral_slope + j) * v.ji));
      const T f[3] = {scale * p.d.x, scale * p.d.y, scale * p.d.z};
      double* to = &column[0][j - tile.j0];
      for (int c = 0; c < 3; ++c) {
        row[c] += f[c];
        (T::load(to + c * gb_tile_columns) - f[c]).store(to + c * gb_tile_columns);
      }
    };
    for_row(tile, i, visit);
    for (int c = 0; c < 3; ++c) add_wrapping(sums[c][i], fixed_force(row[c].sum()));
  }
  for (int c = 0; c < 3; ++c) add_fixed(column[c], tile.j1 - tile.j0, force_clamp, fixed_scale, sums[c] + tile.j0);
}

}  // namespace

extern const GbKernels gb_kernels;
const GbKernels gb_kernels{integrals, pairs_as_asked, chain};

}  // namespace uplift::cpu::UPLIFT_ISA
