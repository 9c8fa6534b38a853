#pragma once
// What a run that is one of several replicas has to do with the others.
#include <cstdint>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/core/vec3.hpp"

namespace uplift::app {

/// What a replica brings when all of them meet.
struct MeetingOffer {
  enum class Kind {
    begin,    ///< of a stage that exchanges: all go by one box, for PME
    attempt,  ///< to exchange
    saved,    ///< the checkpoint that such an attempt asked for
    end       ///< of such a stage: every replica's last state is safe
  };
  Kind kind = Kind::begin;
  int stage = 0;
  std::int64_t attempt = 0;  ///< which one, from 1; begin: how many there have been
  std::int64_t step = 0;
  double time = 0;         ///< [ps]
  bool continued = false;  ///< begin: in the midst of the stage, whose box is known
  double potential = 0;    ///< [kJ/mol]
  Box box;
  std::vector<Vec3d> x, v;
};

/// What it is told.
struct MeetingAnswer {
  std::string stop;         ///< why this run has to end here, with a checkpoint; empty: it goes on
  bool save = false;        ///< attempt: a checkpoint is due, before anything is swapped
  bool taken = false;       ///< attempt: another configuration takes the place of its own
  Box box;                  ///< begin: for everybody; attempt: of the other configuration
  std::vector<Vec3d> x, v;  ///< v scaled to the own temperature
};

class ReplicaLink {
 public:
  virtual ~ReplicaLink() = default;
  /// After every step: must be cheap.
  virtual void progress(int stage, std::int64_t step, std::int64_t first, std::int64_t last) = 0;
  /// Waits for all replicas.
  virtual MeetingAnswer meet(MeetingOffer offer) = 0;
};

}  // namespace uplift::app
