#pragma once
// trajectory.h5md: H5MD 1.1 (de Buyl, Colberg, Hoefling, Comput. Phys. Commun. 185, 1546 (2014)) with the units module, laid
// out so that MDAnalysis, VMD's plugin and ASE's readers all take it.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// Where a file comes from; written into every output file.
struct Provenance {
  std::string title;
  std::string version;         ///< of uplift
  std::string input;           ///< the fully resolved input as YAML text
  std::string author = "N/A";  ///< H5MD wants a name; the account's name is nobody's business unless the user says so
};

struct TrajectoryOptions {
  bool velocities = false;
  bool forces = false;
  bool bias = false;                         ///< /observables: dihedral_energy, total_energy, boost_dihedral, boost_total
  std::optional<double> position_precision;  ///< [nm]; positions are rounded to multiples of the power of two just below it
  std::vector<int> atoms;                    ///< ascending atom numbers to store; empty: all
};

/// One configuration as the engine has it: [atoms] nm, nm/ps, kJ/mol/nm. Borrowed; `v` and `f` may be empty when not stored.
struct FrameView {
  std::int64_t step = 0;
  double time = 0;  ///< [ps]
  Box box;
  std::span<const Vec3d> x, v, f;
  BiasEnergies bias{};
};

class TrajectoryWriter {
 public:
  /// Starts a new file; one of that name is replaced. `box` decides between a periodic cell and open space.
  /// Throws SimulationError when the file cannot be written or another job is writing it.
  static TrajectoryWriter create(const std::string& path, const System& system, const Box& box,
                                 const TrajectoryOptions& options, const Provenance& provenance);
  /// The same for atoms of which nothing is known: no names, masses or bonds.
  static TrajectoryWriter create(const std::string& path, int atoms, const Box& box, const TrajectoryOptions& options,
                                 const Provenance& provenance);
  /// Opens a file of an earlier part of the run to add to it. Throws InputError when it does not hold these atoms and
  /// quantities.
  static TrajectoryWriter append(const std::string& path, const System& system, const Box& box,
                                 const TrajectoryOptions& options);

  /// Adds a frame; its step must be beyond the last one's. What is in the file after it returns survives the process, but for
  /// frames that follow each other within a fifth of a second: those are flushed together.
  void write(const FrameView& frame);
  /// Drops every frame whose step is greater than `step`.
  void trim_after(std::int64_t step);
  void flush();
  void sync();  ///< flush() and wait for the disk
  std::int64_t frames() const { return static_cast<std::int64_t>(frames_); }
  std::optional<std::int64_t> last_step() const { return last_step_; }

 private:
  TrajectoryWriter() = default;
  static TrajectoryWriter start(const std::string& path, std::uint64_t atoms, const Box& box, const TrajectoryOptions& options,
                                const Provenance& provenance);
  void open_datasets();
  void pack(std::span<const Vec3d> from, bool round);
  std::vector<h5::Dataset*> datasets();  ///< of a row a frame

  h5::File file_;
  h5::Dataset position_, velocity_, force_, edges_, step_, time_;
  std::array<h5::Dataset, 4> observables_;
  TrajectoryOptions options_;
  std::vector<float> buffer_;  ///< one frame of one quantity
  double grid_ = 0;            ///< rounding [nm], a power of two; 0: none
  std::uint64_t frames_ = 0;
  std::optional<std::int64_t> last_step_;
  double flushed_at_ = -1;  ///< steady clock [s]
  bool periodic_ = false;
};

/// The resolved input, version and title under /parameters: every output file says where it comes from.
void write_provenance(h5::Group& root, const Provenance& provenance);
/// parameters/topology, parameters/vmd_structure, connectivity and the time-independent particle data.
void write_trajectory_topology(h5::File& file, const System& system, const std::vector<int>& atoms);

}  // namespace uplift
