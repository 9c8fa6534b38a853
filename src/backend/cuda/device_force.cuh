#pragma once
// Forces on the device, one class a kind of work: what the backend asks of each.
#include <cuda/device_buffer.cuh>
#include <cuda/sums.cuh>

#include <memory>
#include <span>
#include <vector>

#include "backend/cuda/device_streams.cuh"
#include "physics/bonded/nearest_image.hpp"
#include "uplift/backend/backend.hpp"

namespace uplift::UPLIFT_DEVICE {

/// What one evaluation works on.
struct Request {
  const Vec3d* x;  ///< [atoms] nm, in device memory
  Box box;
  SumsView sums;  ///< forces and tallies are added, once they are `clear`
  Tally tally;
  bool every_step;  ///< energies are wanted at every step
  const Event* clear;

  /// Before anything on `stream` is added to the sums.
  void wait_for_sums(cudaStream_t stream) const { clear->hold(stream); }
};

class DeviceForce {
 public:
  virtual ~DeviceForce() = default;
  /// Queues the work; waits for nothing.
  virtual void compute(const Request& request, cudaStream_t stream) = 0;
  /// Will the next evaluation in this box queue the same as the last one did?
  virtual bool steady(const Box& /*box*/) const { return true; }

  /// What State::list_x says; only the force with a pair list has any.
  virtual std::vector<Vec3d> list_positions(cudaStream_t /*stream*/) const { return {}; }
  virtual void restore_list(std::span<const Vec3d> /*list_x*/, const Box& /*box*/, cudaStream_t /*stream*/) {}
  /// Throws SimulationError when something was found out on the device that makes forces wrong. The stream must have come to
  /// rest. Returns whether memory has been moved, so that what was captured is void.
  virtual bool inspect(cudaStream_t /*stream*/) { return false; }
  /// What the device counts of itself.
  virtual std::vector<PhaseTime> phases(cudaStream_t /*stream*/) const { return {}; }
};

/// nullptr where the system has none of the kind.
std::unique_ptr<DeviceForce> make_device_pairs(const System& system, const PmeParameters& pme, Precision precision,
                                               cudaStream_t stream);
std::unique_ptr<DeviceForce> make_device_excluded(const System& system, const PmeParameters& pme);
std::unique_ptr<DeviceForce> make_device_mesh(const System& system, const PmeParameters& pme, Precision precision,
                                              cudaStream_t stream);
std::unique_ptr<DeviceForce> make_device_bonded(const System& system, Precision precision);
/// System::torsions_apart, which the former lacks.
std::unique_ptr<DeviceForce> make_device_torsions(const System& system, Precision precision);
std::unique_ptr<DeviceForce> make_device_restraints(const System& system);
std::unique_ptr<DeviceForce> make_device_solvent(const System& system);

inline physics::ImageCell image_cell(const Box& box) {
  if (!box.periodic()) return {};
  return {box.a.x, box.b.x, box.b.y, box.c.x, box.c.y, box.c.z, 1 / box.a.x, 1 / box.b.y, 1 / box.c.z};
}

}  // namespace uplift::UPLIFT_DEVICE
