// Position restraints, one term an atom; always in double, since there are few and they hold positions that may be far from the
// origin.
#include <vector>

#include "physics/bonded/position_restraint.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/core/assert.hpp"

namespace uplift::cpu {
namespace {

class RestraintTerm final : public ForceTerm {
 public:
  RestraintTerm(const System& system, const Threads& threads)
      : restraints_(system.position_restraints), box_(system.reference_box), threads_(threads) {
    for (const PositionRestraint& r : restraints_) UPLIFT_EXPECT(r.atom >= 0 && r.atom < system.size());
  }

  std::string name() const override { return "restraints"; }
  ForceGroup group() const override { return ForceGroup::restraints; }

  // References move as the centres C of their molecules do, x - C being what the box does not scale: the virial is (x - C) (x)
  // f.
  void compute(const ForceRequest& request, ForceSums& sums) override {
    threads_.for_blocks(static_cast<int>(restraints_.size()), 1024, [&](int first, int last, int) {
      double energy = 0, virial[9] = {};
      for (int n = first; n < last; ++n) {
        const PositionRestraint& r = restraints_[static_cast<std::size_t>(n)];
        const Vec3d arm = r.reference - r.centre;
        const Vec3d centre =
            box_.periodic() && request.box.periodic() ? request.box.position(box_.fraction(r.centre)) : r.centre;
        const Vec3d d = request.box.image(request.x[static_cast<std::size_t>(r.atom)] - (centre + arm));
        const auto result = physics::position_restraint(d, r.k);
        sums.add_atomic(r.atom, result.force);
        energy += result.energy;
        const double row[3] = {d.x + arm.x, d.y + arm.y, d.z + arm.z},
                     column[3] = {result.force.x, result.force.y, result.force.z};
        for (int w = 0; w < 9; ++w) virial[w] += row[w / 3] * column[w % 3];
      }
      if (request.energies) sums.add_energy_atomic(EnergyTerm::restraint, energy);
      if (request.virial)
        for (int w = 0; w < 9; ++w) sums.add_virial_atomic(w, virial[w]);
    });
  }

 private:
  std::vector<PositionRestraint> restraints_;
  Box box_;  ///< of the references
  Threads threads_;
};

}  // namespace

std::unique_ptr<ForceTerm> make_restraint_term(const System& system, Precision, const Threads& threads) {
  if (system.position_restraints.empty()) return nullptr;
  return std::make_unique<RestraintTerm>(system, threads);
}

}  // namespace uplift::cpu
