#pragma once
// Steps that come again as they were are captured in a graph, and from then on launched as a whole.
#include <algorithm>
#include <span>
#include <vector>

#include "backend/cuda/device_phases.cuh"
#include "backend/cuda/device_streams.cuh"
#include "uplift/backend/backend.hpp"

namespace uplift::UPLIFT_DEVICE {

/// The last step without energies and the last one with.
class RepeatedSteps {
 public:
  /// What was captured has changed: another capture takes its place.
  void invalidate() {
    for (Step& step : steps_) step.graph.invalidate();
  }
  /// What comes is not what was before, even if it looks like it.
  void forget() {
    for (Step& step : steps_) step.stages.clear();
    invalidate();
  }

  /// Launches the step when it has come before; else false, and the caller has to queue it. `steady`: nothing about it is done
  /// for the first time. `queue` queues it on `stream`, as work that is the same each time.
  template <class F>
  bool launch(std::span<const Stage> stages, const ForcePlan& plan, const Box& box, bool steady, DevicePhases& phases,
              cudaStream_t stream, F&& queue) {
    Step& last = steps_[plan.energies];
    const bool again =
        steady && plan == last.plan && std::equal(stages.begin(), stages.end(), last.stages.begin(), last.stages.end());
    const bool same_box = box == last.box;
    if (!again || !same_box) last.graph.invalidate();  // after a barostat the same work with other arguments
    last.box = box;
    // Steps with energies come once in a box where a barostat asks for them: no graph pays for itself there.
    if (again && !last.graph.valid() && (same_box || !plan.energies)) {
      const std::vector<std::int64_t> before = phases.calls();
      last.graph.capture(stream, queue);
      last.calls = phases.calls();
      for (std::size_t k = 0; k < before.size(); ++k) last.calls[k] -= before[k];
      phases.set_calls(before);
    }
    if (!last.graph.valid()) {
      last.stages.assign(stages.begin(), stages.end());
      last.plan = plan;
      return false;
    }
    last.graph.launch(stream);
    phases.add_calls(last.calls);
    return true;
  }

 private:
  struct Step {
    std::vector<Stage> stages;
    ForcePlan plan;
    Box box;
    Graph graph;
    std::vector<std::int64_t> calls;  ///< of each phase
  };
  Step steps_[2];
};

}  // namespace uplift::UPLIFT_DEVICE
