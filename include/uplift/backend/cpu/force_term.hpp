#pragma once
// One contribution to the forces on the CPU. The backend owns a list of terms and runs those whose group the step asks for.
#include <memory>
#include <string>

#include "cpu/force_sums.hpp"
#include "cpu/threads.hpp"
#include "uplift/backend/backend.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift::cpu {

class ForceTerm {
 public:
  virtual ~ForceTerm() = default;
  virtual std::string name() const = 0;  ///< row of the phase table: "pairs", "PME spread" ...
  virtual ForceGroup group() const = 0;
  /// Before compute(), for the same request: what needs positions of atoms at home only, while those of the halo are on their
  /// way.
  virtual void prepare(const ForceRequest& /*request*/) {}
  /// Adds forces (always), energies and virial (when asked) to `sums`. PME is the last, and adds to atoms at home only.
  virtual void compute(const ForceRequest& request, ForceSums& sums) = 0;
  /// Both, where nothing is to be waited for in between.
  void evaluate(const ForceRequest& request, ForceSums& sums) {
    prepare(request);
    compute(request, sums);
  }
  /// Where several ranks share a system: from now on the interactions that `share` takes, no others.
  virtual void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box) = 0;
  /// Interactions that are worked out here. Over all ranks they must come to as many as one rank alone has.
  virtual std::int64_t interactions() const { return 0; }
  /// True when `share` is too old for these positions of home atoms.
  virtual bool outdated(std::span<const Vec3d> /*x*/, const Box& /*box*/) { return false; }
  /// How far interactions reach beyond the positions that a share was made for [nm].
  virtual double reach() const { return 0; }
  /// What State::list says; only the term with a pair list has any.
  virtual ListOrigin list_origin() const { return {}; }
  virtual void restore_list(const ListOrigin& /*list*/) {}
  virtual std::int64_t lists_made() const { return 0; }  ///< so far: sums in floating point follow the list
  /// Own sub-phases for the phase table; empty: the backend times compute() as a whole under name().
  virtual std::vector<PhaseTime> phases() const { return {}; }
};

// Each factory returns nullptr when the system has nothing for it to do. `Precision` picks real = float or double.
std::unique_ptr<ForceTerm> make_bonded_term(const System&, Precision,
                                            const Threads&);  // bond..cmap, 1-4, position restraints apart
std::unique_ptr<ForceTerm> make_torsion_term(const System&, Precision,
                                             const Threads&);  // System::torsions_apart, which the former lacks
std::unique_ptr<ForceTerm> make_restraint_term(const System&, Precision, const Threads&);
/// Pairs that are not excluded, and the dispersion correction (on rank 0).
std::unique_ptr<ForceTerm> make_nonbonded_term(const System&, const PmeParameters&, Precision, const Threads&,
                                               RankLink* link = nullptr);
/// What the mesh has of excluded pairs, with PME only.
std::unique_ptr<ForceTerm> make_excluded_term(const System&, const PmeParameters&, Precision, const Threads&);
/// With a `link`, meshes are put together, and transforms shared out, among its ranks.
std::unique_ptr<ForceTerm> make_pme_term(const System&, const PmeParameters&, Precision, const Threads&,
                                         RankLink* link = nullptr);
std::unique_ptr<ForceTerm> make_implicit_solvent_term(const System&, Precision, const Threads&);

}  // namespace uplift::cpu
