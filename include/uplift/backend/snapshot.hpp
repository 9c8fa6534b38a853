#pragma once
// One moment of a run, on its way to the host: the run goes on meanwhile.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/core/vec3.hpp"
#include "uplift/model/energies.hpp"

namespace uplift {

/// Largest force of an evaluation and its atom: how a blow-up is found and named.
struct WorstForce {
  int atom = -1;
  double magnitude = 0;  ///< [kJ/mol/nm]
};

/// What a row of energies is made of.
struct SnapshotEnergies {
  Energies energies;
  Vec3d pressure_volume{0, 0, 0};  ///< diagonal of molecular pressure times volume [kJ/mol]; zero without a box
  double full_step_kinetic = 0;    ///< kinetic energy at the time of the positions [kJ/mol]
  double heat = 0;                 ///< State::heat [kJ/mol]
};

/// What a frame or a row needs, and what tells whether the run was sound then. Borrowed from its Snapshot.
struct SnapshotContents {
  Box box;
  std::span<const Vec3d> x;  ///< [atoms] nm, unwrapped; empty when not wanted
  std::span<const Vec3d> v;  ///< [atoms] nm/ps; empty when not wanted
  std::span<const Vec3d> f;  ///< [atoms] kJ/mol/nm, of V + boost; empty when not wanted
  WorstForce worst;
  double kinetic = 0;                          ///< [kJ/mol]
  std::string failure;                         ///< what Backend::verify() would have thrown; empty: nothing
  std::optional<SnapshotEnergies> energies{};  ///< when wanted
};

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual bool ready() const = 0;  ///< get() will not wait
  /// Waits until all is there. Any thread, one at a time; the backend must live.
  virtual const SnapshotContents& get() = 0;
};

/// One whose contents are there from the start.
class TakenSnapshot final : public Snapshot {
 public:
  TakenSnapshot(std::vector<Vec3d> x, std::vector<Vec3d> v, std::vector<Vec3d> f, SnapshotContents contents)
      : x_(std::move(x)), v_(std::move(v)), f_(std::move(f)), contents_(std::move(contents)) {
    contents_.x = x_;
    contents_.v = v_;
    contents_.f = f_;
  }
  TakenSnapshot(const TakenSnapshot&) = delete;
  TakenSnapshot& operator=(const TakenSnapshot&) = delete;
  bool ready() const override { return true; }
  const SnapshotContents& get() override { return contents_; }

 private:
  std::vector<Vec3d> x_, v_, f_;
  SnapshotContents contents_;
};

}  // namespace uplift
