#pragma once
#include <memory>

#include "uplift/backend/backend.hpp"
#include "uplift/engine/recorder.hpp"

namespace uplift {

/// Of a backend that works ahead of its caller, on its way; of any other, there already, and this throws what
/// Backend::verify() throws.
std::unique_ptr<Snapshot> take_snapshot(const System& system, Backend& backend, const SnapshotPlan& plan, std::int64_t step);

/// `bias`: that acts.
Observables observables_of(const System& system, const SnapshotContents& contents, const Bias& bias);

}  // namespace uplift
