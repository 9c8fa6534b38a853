#pragma once
// Frames of trajectory files of any format, one at a time and by number: H5MD, DCD, XTC, Amber NetCDF, PDB, restarts. Units are
// ours on both sides: nm, ps, nm/ps, kJ/mol/nm; what a file holds is said at each format (docs/file-formats.md).
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

struct TrajectoryFrame {
  std::optional<std::int64_t> step;
  std::optional<double> time;  ///< [ps]
  /// As the file has it: a along x and b in the xy plane, but not reduced (reduce_box). Not periodic: no box.
  Box box;
  std::vector<Vec3d> x;              ///< [atoms] nm
  std::vector<Vec3d> v, f;           ///< [atoms] nm/ps, kJ/mol/nm; empty when the file has none
  std::optional<BiasEnergies> bias;  ///< H5MD: the observables that reweighting needs
};

class FrameReader {
 public:
  virtual ~FrameReader() = default;
  virtual std::string format() const = 0;      ///< "DCD (CHARMM)"
  virtual std::string quantities() const = 0;  ///< what is in the file, in the file's units: "position [angstrom]"
  virtual int atoms() const = 0;
  virtual std::uint64_t frames() const = 0;
  virtual bool has_velocities() const { return false; }
  virtual bool has_forces() const { return false; }
  virtual bool has_bias() const { return false; }
  /// Of a frame, without reading all of it.
  virtual std::optional<double> time(std::uint64_t frame) = 0;
  /// Throws InputError when the file is damaged there.
  virtual void read(std::uint64_t frame, TrajectoryFrame& out) = 0;
  /// Names, masses, charges and bonds, as far as the file has them; without forces to compute.
  virtual std::optional<System> system() { return std::nullopt; }
  /// What the reader had to decide, for the user to know.
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  std::vector<std::string> notes_;
};

/// `coordinates`: one frame by any reader of coordinates, not written.
enum class TrajectoryFormat { h5md, dcd, xtc, amber_netcdf, pdb, amber_restart, amber_netcdf_restart, coordinates };
/// By the ending of its name: .h5md .h5 .dcd .xtc .nc .ncdf .pdb, of one frame .rst7 .inpcrd .ncrst (and .gro .crd .cif .mmcif,
/// to read). Throws InputError for others.
TrajectoryFormat trajectory_format(const std::string& path);

struct FrameReaderOptions {
  std::string group;                   ///< H5MD: particle group; empty: the only one
  std::string length_unit, time_unit;  ///< H5MD: of what the file gives none for ("nm", "ps")
};
/// Throws InputError when the file is not there, is of another format or is damaged in what is read at once.
std::unique_ptr<FrameReader> open_trajectory(const std::string& path, const FrameReaderOptions& options = {});

struct FrameWriterOptions {
  const System* system = nullptr;  ///< of all atoms; PDB needs one
  std::vector<int> atoms;          ///< which of them the frames hold, ascending; empty: all
  bool velocities = false, forces = false, bias = false;
  double xtc_precision = 1e-3;    ///< [nm]
  bool drop_times = false;        ///< DCD: frames that are not equally spaced in time are no error, and no times are kept
  std::string title, provenance;  ///< provenance: H5MD's parameters/input
};

class FrameWriter {
 public:
  virtual ~FrameWriter() = default;
  /// Throws InputError when the format cannot hold the frame, SimulationError when the disk is full.
  virtual void write(const TrajectoryFrame& frame) = 0;
  virtual void close() = 0;
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  std::vector<std::string> notes_;
};

/// `first` decides about what is the same for all frames: number of atoms, periodic or not. It is not written yet.
std::unique_ptr<FrameWriter> create_trajectory(const std::string& path, TrajectoryFormat format, const TrajectoryFrame& first,
                                               const FrameWriterOptions& options);

/// A system to look at, not to simulate: molecules from its bonds; masses and charges, zero where empty.
System bare_system(Topology topology, std::vector<double> masses = {}, std::vector<double> charges = {});

}  // namespace uplift
