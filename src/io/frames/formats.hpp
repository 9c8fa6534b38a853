#pragma once
// One reader and one writer a format; private to open.cpp.
#include "uplift/io/frames.hpp"

namespace uplift {

std::unique_ptr<FrameReader> open_xtc(const std::string& path);
std::unique_ptr<FrameReader> open_dcd(const std::string& path);
std::unique_ptr<FrameReader> open_amber_netcdf(const std::string& path);
std::unique_ptr<FrameReader> open_pdb(const std::string& path);
std::unique_ptr<FrameReader> open_h5md(const std::string& path, const FrameReaderOptions& options);
/// Coordinates of any kind, as one frame.
std::unique_ptr<FrameReader> open_coordinates(const std::string& path);

std::unique_ptr<FrameWriter> create_xtc(const std::string& path, const FrameWriterOptions& options);
std::unique_ptr<FrameWriter> create_dcd(const std::string& path, const TrajectoryFrame& first,
                                        const FrameWriterOptions& options);
std::unique_ptr<FrameWriter> create_amber_netcdf(const std::string& path, const TrajectoryFrame& first,
                                                 const FrameWriterOptions& options);
std::unique_ptr<FrameWriter> create_amber_restart(const std::string& path, TrajectoryFormat format,
                                                  const FrameWriterOptions& options);
std::unique_ptr<FrameWriter> create_pdb(const std::string& path, const TrajectoryFrame& first,
                                        const FrameWriterOptions& options);
std::unique_ptr<FrameWriter> create_h5md(const std::string& path, const TrajectoryFrame& first,
                                         const FrameWriterOptions& options);

/// The cell as the readers hand it out: none when all lengths are zero. Throws InputError without a file name when it spans no
/// volume or its first vectors do not lie along x and in the xy plane.
Box cell_of(const Vec3d& a, const Vec3d& b, const Vec3d& c);
/// From lengths [nm] and angles [degrees].
Box cell_of_parameters(const Vec3d& lengths, const Vec3d& degrees);

/// "frame 12", for messages; counted from 0 as MDAnalysis, mdtraj and VMD do.
std::string frame_name(std::uint64_t frame);

}  // namespace uplift
