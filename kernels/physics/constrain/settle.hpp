#pragma once
// SETTLE: rigid water, analytically. Miyamoto and Kollman, J. Comput. Chem. 13, 952 (1992). All in one type T, double in
// practice: cheap arithmetic in constraints heats a system.
#include "physics/math.hpp"

namespace uplift::physics {

/// Shape and masses of a rigid water, [nm] and [Da].
template <class T>
struct WaterShape {
  T mass_o, mass_h;
  T ra, rb, rc;  ///< oxygen to centre of mass, centre of mass to the H-H line, half the H-H distance

  static WaterShape from(T mass_o, T mass_h, T oh, T hh) {
    const T height = sqrt(oh * oh - T(0.25) * hh * hh);
    const T ra = T(2) * mass_h * height / (mass_o + T(2) * mass_h);
    return {mass_o, mass_h, ra, height - ra, T(0.5) * hh};
  }
};

template <class T>
struct WaterSites {
  Vec3<T> o, h1, h2;
};

template <class T>
UPLIFT_HD Vec3<T> normalised(const Vec3<T>& a) {
  return rsqrt(dot(a, a)) * a;
}

/// Positions after the constraint: `before` satisfies it, `moved` is where the unconstrained step led. Displacements within one
/// molecule, so take both from the same image. Appendix A of the paper.
template <class T>
UPLIFT_HD WaterSites<T> settle_positions(const WaterShape<T>& w, const WaterSites<T>& before, const WaterSites<T>& moved) {
  const Vec3<T> b0 = before.h1 - before.o, c0 = before.h2 - before.o;
  const T total = w.mass_o + T(2) * w.mass_h;
  // Relative to the oxygen first: the centre of mass of small displacements keeps its digits far from the origin.
  const Vec3<T> mb = moved.h1 - moved.o, mc = moved.h2 - moved.o;
  const Vec3<T> centre = (w.mass_h / total) * (mb + mc);
  const Vec3<T> a1 = -centre, b1 = mb - centre, c1 = mc - centre;

  const Vec3<T> ez = normalised(cross(b0, c0));
  const Vec3<T> ex = normalised(cross(a1, ez));
  const Vec3<T> ey = cross(ez, ex);
  const T xb0 = dot(ex, b0), yb0 = dot(ey, b0), xc0 = dot(ex, c0), yc0 = dot(ey, c0);
  const T za1 = dot(ez, a1);
  const T xb1 = dot(ex, b1), yb1 = dot(ey, b1), zb1 = dot(ez, b1);
  const T xc1 = dot(ex, c1), yc1 = dot(ey, c1), zc1 = dot(ez, c1);

  const T one(1), zero(0);
  const T sin_phi = za1 / w.ra;
  const T cos_phi = sqrt(max(one - sin_phi * sin_phi, zero));
  const T sin_psi = (zb1 - zc1) / (T(2) * w.rc * cos_phi);
  const T cos_psi = sqrt(max(one - sin_psi * sin_psi, zero));
  const T ya2 = w.ra * cos_phi, xb2 = -w.rc * cos_psi;
  const T t1 = -w.rb * cos_phi, t2 = w.rc * sin_psi * sin_phi;
  const T yb2 = t1 - t2, yc2 = t1 + t2;

  const T alpha = xb2 * (xb0 - xc0) + yb0 * yb2 + yc0 * yc2;
  const T beta = xb2 * (yc0 - yb0) + xb0 * yb2 + xc0 * yc2;
  const T gamma = xb0 * yb1 - xb1 * yb0 + xc0 * yc1 - xc1 * yc0;
  const T norm = alpha * alpha + beta * beta;
  const T sin_theta = (alpha * gamma - beta * sqrt(max(norm - gamma * gamma, zero))) / norm;
  const T cos_theta = sqrt(max(one - sin_theta * sin_theta, zero));

  const auto back = [&](const T& x, const T& y, const T& z) { return moved.o + centre + x * ex + y * ey + z * ez; };
  return {back(-ya2 * sin_theta, ya2 * cos_theta, za1),
          back(xb2 * cos_theta - yb2 * sin_theta, xb2 * sin_theta + yb2 * cos_theta, zb1),
          back(-xb2 * cos_theta - yc2 * sin_theta, -xb2 * sin_theta + yc2 * cos_theta, zc1)};
}

/// Velocities without any component along the three sides: the impulses along them solve a 3 x 3 system (Appendix B of the
/// paper, here by Cramer's rule).
template <class T>
UPLIFT_HD WaterSites<T> settle_velocities(const WaterShape<T>& w, const WaterSites<T>& x, const WaterSites<T>& v) {
  const Vec3<T> e1 = normalised(x.h1 - x.o), e2 = normalised(x.h2 - x.o), e3 = normalised(x.h2 - x.h1);
  const T wo = T(1) / w.mass_o, wh = T(1) / w.mass_h;
  const T r1 = dot(e1, v.h1 - v.o), r2 = dot(e2, v.h2 - v.o), r3 = dot(e3, v.h2 - v.h1);
  // Impulse l1 along e1 on h1 (and back on o), l2 along e2 on h2, l3 along e3 on h2 (and back on h1); rates of the three sides:
  const T m11 = wo + wh, m12 = wo * dot(e1, e2), m13 = -wh * dot(e1, e3), m23 = wh * dot(e2, e3), m33 = T(2) * wh;
  const T c11 = m11 * m33 - m23 * m23, c12 = m13 * m23 - m12 * m33, c13 = m12 * m23 - m11 * m13;
  const T c22 = m11 * m33 - m13 * m13, c23 = m12 * m13 - m11 * m23, c33 = m11 * m11 - m12 * m12;
  const T inverse = T(1) / (m11 * c11 + m12 * c12 + m13 * c13);
  const T l1 = -inverse * (c11 * r1 + c12 * r2 + c13 * r3);
  const T l2 = -inverse * (c12 * r1 + c22 * r2 + c23 * r3);
  const T l3 = -inverse * (c13 * r1 + c23 * r2 + c33 * r3);
  return {v.o - wo * (l1 * e1 + l2 * e2), v.h1 + wh * (l1 * e1 - l3 * e3), v.h2 + wh * (l2 * e2 + l3 * e3)};
}

}  // namespace uplift::physics
