#pragma once
#include "physics/math.hpp"

namespace uplift::physics {

/// A massless site on three parents: r0 + a r10 + b r20 + c r10 x r20 (Berendsen and van Gunsteren 1984; the "3out"
/// construction). r10 = r1 - r0, r20 = r2 - r0 [nm]; a, b without unit, c [1/nm].
template <class T>
UPLIFT_HD Vec3<T> virtual_site_position(const Vec3<T>& r0, const Vec3<T>& r10, const Vec3<T>& r20, const T& a, const T& b,
                                        const T& c) {
  return r0 + a * r10 + b * r20 + c * cross(r10, r20);
}

template <class T>
struct VirtualSiteForces {
  Vec3<T> on0, on1, on2;  ///< what the parents get of the site's force [kJ/mol/nm]
};

/// Passes the force on a site to its parents by the chain rule, so that energy, total force and torque are kept.
/// The parents' virial about r0 is r10 (x) on1 + r20 (x) on2; it differs from (site - r0) (x) force when c is not zero.
template <class T>
UPLIFT_HD VirtualSiteForces<T> spread_virtual_site_force(const Vec3<T>& r10, const Vec3<T>& r20, const T& a, const T& b,
                                                         const T& c, const Vec3<T>& force) {
  const Vec3<T> on1 = a * force + c * cross(r20, force);
  const Vec3<T> on2 = b * force + c * cross(force, r10);
  return {force - on1 - on2, on1, on2};
}

}  // namespace uplift::physics
