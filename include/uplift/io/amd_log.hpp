#pragma once
// amd.log: Amber's eight columns, one row a frame of the trajectory in stages with a bias, energies in kcal/mol, for the
// scripts that read it.
#include <cstdint>
#include <fstream>
#include <string>

#include "uplift/model/bias.hpp"

namespace uplift {

class AmdLog {
 public:
  /// Goes on in the file of an earlier part of the run, without the rows beyond `step`. Throws SimulationError when it cannot
  /// be written.
  AmdLog(const std::string& path, std::int64_t step, BiasMethod method);
  /// `stride`: steps between frames.
  void write(std::int64_t stride, std::int64_t step, const BiasEnergies& energies);
  void flush();
  void sync();  ///< flush() and wait for the disk

 private:
  std::string path_;
  std::ofstream out_;
};

}  // namespace uplift
