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
      : all_(system.position_restraints), restraints_(all_), box_(system.reference_box), threads_(threads) {
    for (const PositionRestraint& r : restraints_) UPLIFT_EXPECT(r.atom >= 0 && r.atom < system.size());
  }

  std::string name() const override { return "restraints"; }
  ForceGroup group() const override { return ForceGroup::restraints; }

  void set_share(const RankShare& share, std::span<const Vec3d>, const Box&) override {
    restraints_.clear();
    for (const PositionRestraint& r : all_)
      if (share.at_home(r.atom)) restraints_.push_back(r);
  }
  std::int64_t interactions() const override { return static_cast<std::int64_t>(restraints_.size()); }

  // References move as the centres C of their molecules do, x - C being what the box does not scale: the virial is (x - C) (x)
  // f.
  void compute(const ForceRequest& request, ForceSums& sums) override {
    threads_.for_blocks(static_cast<int>(restraints_.size()), 1024, [&](int first, int last, int) {
      Fixed energy = 0, virial[9] = {};
      for (int n = first; n < last; ++n) {
        const PositionRestraint& r = restraints_[static_cast<std::size_t>(n)];
        const Vec3d arm = r.reference - r.centre;
        const Vec3d centre =
            box_.periodic() && request.box.periodic() ? request.box.position(box_.fraction(r.centre)) : r.centre;
        const Vec3d d = request.box.image(request.x[static_cast<std::size_t>(r.atom)] - (centre + arm));
        const auto result = physics::position_restraint(d, r.k);
        sums.add_atomic(r.atom, result.force);
        energy += fixed_energy(result.energy);
        const double row[3] = {d.x + arm.x, d.y + arm.y, d.z + arm.z},
                     column[3] = {result.force.x, result.force.y, result.force.z};
        for (int w = 0; w < 9; ++w) virial[w] += fixed_energy(row[w / 3] * column[w % 3]);
      }
      if (request.energies) sums.add_fixed_energy(EnergyTerm::restraint, energy);
      if (request.virial)
        for (int w = 0; w < 9; ++w) sums.add_fixed_virial(w, virial[w]);
    });
  }

 private:
  std::vector<PositionRestraint> all_, restraints_;  ///< the latter: those of this rank
  Box box_;                                          ///< of the references
  Threads threads_;
};

}  // namespace

std::unique_ptr<ForceTerm> make_restraint_term(const System& system, Precision, const Threads& threads) {
  if (system.position_restraints.empty()) return nullptr;
  return std::make_unique<RestraintTerm>(system, threads);
}

}  // namespace uplift::cpu
