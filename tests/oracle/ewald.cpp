#include "ewald.hpp"

#include <cmath>
#include <complex>

namespace uplift::oracle {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double coulomb = 138.93545764438198;
using Complex = std::complex<double>;

struct Reciprocal {
  Vec3d a, b, c;
};
Reciprocal reciprocal(const Box& box) {
  const double inverse = 1 / dot(box.a, cross(box.b, box.c));
  return {inverse * cross(box.b, box.c), inverse * cross(box.c, box.a), inverse * cross(box.a, box.b)};
}

double length(const Vec3d& v) { return std::sqrt(dot(v, v)); }

void add_outer(std::array<double, 9>& w, double s, const Vec3d& u, const Vec3d& v) {
  const double p[3] = {u.x, u.y, u.z}, r[3] = {v.x, v.y, v.z};
  for (int i = 0; i < 9; ++i) w[static_cast<std::size_t>(i)] += s * p[i / 3] * r[i % 3];
}

void add_self_and_background(EwaldResult& result, const std::vector<double>& q, const Box& box, double alpha) {
  double net = 0;
  for (double c : q) {
    net += c;
    result.energy -= coulomb * alpha / std::sqrt(pi) * c * c;
  }
  const double background = -coulomb * pi * net * net / (2 * dot(box.a, cross(box.b, box.c)) * alpha * alpha);
  result.energy += background;
  for (std::size_t i : {0u, 4u, 8u}) result.virial[i] += background;
}

void add_mode(EwaldResult& result, const Vec3d& m, double energy, double alpha) {
  result.energy += energy;
  for (std::size_t i : {0u, 4u, 8u}) result.virial[i] += energy;
  add_outer(result.virial, -2 * energy * (1 / dot(m, m) + pi * pi / (alpha * alpha)), m, m);
}

}  // namespace

EwaldResult ewald_direct(const std::vector<Vec3d>& x, const std::vector<double>& q, const Box& box, double alpha) {
  EwaldResult result;
  result.force.resize(x.size(), {0, 0, 0});
  const double reach = 6.0 / alpha;
  const Reciprocal r = reciprocal(box);
  const int na = static_cast<int>(std::ceil(reach * length(r.a))) + 1,
            nb = static_cast<int>(std::ceil(reach * length(r.b))) + 1,
            nc = static_cast<int>(std::ceil(reach * length(r.c))) + 1;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < x.size(); ++j) {
      const Vec3d nearest = box.image(x[i] - x[j]);
      for (int a = -na; a <= na; ++a)
        for (int b = -nb; b <= nb; ++b)
          for (int c = -nc; c <= nc; ++c) {
            if (i == j && a == 0 && b == 0 && c == 0) continue;
            const Vec3d d = nearest + double(a) * box.a + double(b) * box.b + double(c) * box.c;
            const double s = length(d);
            if (s > reach) continue;
            const double qq = coulomb * q[i] * q[j], ar = alpha * s;
            const double over = qq * (std::erfc(ar) / s + 2 * alpha / std::sqrt(pi) * std::exp(-ar * ar)) / (s * s);
            result.energy += qq * std::erfc(ar) / s / 2;
            result.force[i] += over * d;
            add_outer(result.virial, over / 2, d, d);
          }
    }
  return result;
}

EwaldResult ewald_reciprocal(const std::vector<Vec3d>& x, const std::vector<double>& q, const Box& box, double alpha) {
  EwaldResult result;
  result.force.resize(x.size(), {0, 0, 0});
  const Reciprocal r = reciprocal(box);
  const double volume = dot(box.a, cross(box.b, box.c));
  const double limit = 6.3 * alpha / pi;  // exp(-6.3^2) = 6e-18
  const int na = static_cast<int>(limit * length(box.a)) + 1, nb = static_cast<int>(limit * length(box.b)) + 1,
            nc = static_cast<int>(limit * length(box.c)) + 1;
  for (int a = -na; a <= na; ++a)
    for (int b = -nb; b <= nb; ++b)
      for (int c = -nc; c <= nc; ++c) {
        if (a == 0 && b == 0 && c == 0) continue;
        const Vec3d m = double(a) * r.a + double(b) * r.b + double(c) * r.c;
        const double m2 = dot(m, m);
        if (m2 > limit * limit) continue;
        Complex s = 0;
        for (std::size_t i = 0; i < x.size(); ++i) s += q[i] * std::polar(1.0, 2 * pi * dot(m, x[i]));
        const double weight = coulomb / (2 * pi * volume) * std::exp(-pi * pi * m2 / (alpha * alpha)) / m2;
        add_mode(result, m, weight * std::norm(s), alpha);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double slope = std::imag(std::polar(1.0, 2 * pi * dot(m, x[i])) * std::conj(s));
          result.force[i] += (4 * pi * weight * q[i] * slope) * m;
        }
      }
  add_self_and_background(result, q, box, alpha);
  return result;
}

double cardinal_bspline(int order, double u) {
  if (u <= 0 || u >= order) return 0;
  double sum = 0, binomial = 1, factorial = 1;
  for (int k = 1; k < order; ++k) factorial *= k;
  for (int k = 0; k <= order && k < u; ++k) {
    sum += (k % 2 ? -1 : 1) * binomial * std::pow(u - k, order - 1);
    binomial = binomial * (order - k) / (k + 1);
  }
  return sum / factorial;
}

namespace {

/// Spline weight (or its derivative) of every mesh point of one direction for a charge at fraction s.
std::vector<double> weights(double s, int n, int order, bool derivative) {
  std::vector<double> w(static_cast<std::size_t>(n), 0.0);
  const double u = (s - std::floor(s)) * n;
  for (int k = 0; k < n; ++k)
    for (int image = -2; image <= 2; ++image) {
      const double v = u - k - static_cast<double>(image) * n;
      w[static_cast<std::size_t>(k)] +=
          derivative ? cardinal_bspline(order - 1, v) - cardinal_bspline(order - 1, v - 1) : cardinal_bspline(order, v);
    }
  return w;
}

std::vector<double> squared_moduli(int order, int n) {
  std::vector<double> r(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) {
    Complex sum = 0;
    for (int j = 0; j <= order - 2; ++j) sum += cardinal_bspline(order, j + 1) * std::polar(1.0, 2 * pi * j * k / n);
    r[static_cast<std::size_t>(k)] = std::norm(sum);
  }
  for (int k = 0; k < n; ++k)  // a zero, for odd orders at n/2: the mean of the neighbours
    if (r[static_cast<std::size_t>(k)] < 1e-7)
      r[static_cast<std::size_t>(k)] =
          (r[static_cast<std::size_t>((k + n - 1) % n)] + r[static_cast<std::size_t>((k + 1) % n)]) / 2;
  return r;
}

/// Discrete Fourier transform over the middle index of [outer][n][inner], written out.
void transform(std::vector<Complex>& f, int outer, int n, int inner, int sign) {
  std::vector<Complex> root(static_cast<std::size_t>(n)), line(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) root[static_cast<std::size_t>(k)] = std::polar(1.0, sign * 2 * pi * k / n);
  for (int o = 0; o < outer; ++o)
    for (int i = 0; i < inner; ++i) {
      const auto at = [&](int k) {
        return (static_cast<std::size_t>(o) * static_cast<std::size_t>(n) + static_cast<std::size_t>(k)) *
                   static_cast<std::size_t>(inner) +
               static_cast<std::size_t>(i);
      };
      for (int k = 0; k < n; ++k) {
        Complex sum = 0;
        for (int j = 0; j < n; ++j) sum += f[at(j)] * root[static_cast<std::size_t>(j * k % n)];
        line[static_cast<std::size_t>(k)] = sum;
      }
      for (int k = 0; k < n; ++k) f[at(k)] = line[static_cast<std::size_t>(k)];
    }
}

}  // namespace

EwaldResult naive_pme(const std::vector<Vec3d>& x, const std::vector<double>& q, const Box& box, double alpha,
                      const std::array<int, 3>& grid, int order) {
  EwaldResult result;
  const auto [nx, ny, nz] = grid;
  const Reciprocal r = reciprocal(box);
  const double volume = dot(box.a, cross(box.b, box.c));
  const std::vector<double> moduli[3] = {squared_moduli(order, nx), squared_moduli(order, ny), squared_moduli(order, nz)};
  const int mx = nx, my = ny, mz = nz;
  const auto at = [my, mz](int i, int j, int k) {
    return (static_cast<std::size_t>(i) * static_cast<std::size_t>(my) + static_cast<std::size_t>(j)) *
               static_cast<std::size_t>(mz) +
           static_cast<std::size_t>(k);
  };
  std::vector<Complex> mesh(static_cast<std::size_t>(mx) * static_cast<std::size_t>(my) * static_cast<std::size_t>(mz));
  const auto each_point = [&](auto&& f) {
    for (int i = 0; i < mx; ++i)
      for (int j = 0; j < my; ++j)
        for (int k = 0; k < mz; ++k) f(i, j, k);
  };
  struct Weights {
    std::vector<double> x, y, z, dx, dy, dz;
  };
  const auto weights_of = [&](const Vec3d& p) {
    const Vec3d s{dot(p, r.a), dot(p, r.b), dot(p, r.c)};
    return Weights{weights(s.x, mx, order, false), weights(s.y, my, order, false), weights(s.z, mz, order, false),
                   weights(s.x, mx, order, true),  weights(s.y, my, order, true),  weights(s.z, mz, order, true)};
  };
  const auto u = [](int i) { return static_cast<std::size_t>(i); };
  for (std::size_t a = 0; a < x.size(); ++a) {
    const Weights w = weights_of(x[a]);
    each_point([&](int i, int j, int k) { mesh[at(i, j, k)] += q[a] * w.x[u(i)] * w.y[u(j)] * w.z[u(k)]; });
  }
  transform(mesh, 1, mx, my * mz, 1);
  transform(mesh, mx, my, mz, 1);
  transform(mesh, mx * my, mz, 1, 1);
  const auto folded = [](int k, int n) { return k < (n + 1) / 2 ? k : k - n; };
  each_point([&](int i, int j, int k) {
    Complex& s = mesh[at(i, j, k)];
    if (i == 0 && j == 0 && k == 0) {
      s = 0;
      return;
    }
    const Vec3d m = double(folded(i, mx)) * r.a + double(folded(j, my)) * r.b + double(folded(k, mz)) * r.c;
    const double weight = coulomb / (pi * volume) * std::exp(-pi * pi * dot(m, m) / (alpha * alpha)) / dot(m, m) /
                          (moduli[0][u(i)] * moduli[1][u(j)] * moduli[2][u(k)]);
    add_mode(result, m, weight * std::norm(s) / 2, alpha);
    s *= weight;
  });
  transform(mesh, 1, mx, my * mz, -1);
  transform(mesh, mx, my, mz, -1);
  transform(mesh, mx * my, mz, 1, -1);
  for (std::size_t a = 0; a < x.size(); ++a) {
    const Weights w = weights_of(x[a]);
    Vec3d g{0, 0, 0};
    each_point([&](int i, int j, int k) {
      const double phi = mesh[at(i, j, k)].real();
      g.x += phi * w.dx[u(i)] * w.y[u(j)] * w.z[u(k)];
      g.y += phi * w.x[u(i)] * w.dy[u(j)] * w.z[u(k)];
      g.z += phi * w.x[u(i)] * w.y[u(j)] * w.dz[u(k)];
    });
    result.force.push_back((-q[a] * mx * g.x) * r.a + (-q[a] * my * g.y) * r.b + (-q[a] * mz * g.z) * r.c);
  }
  add_self_and_background(result, q, box, alpha);
  return result;
}

}  // namespace uplift::oracle
