#pragma once
// Records of a PDB file as far as a trajectory needs them.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uplift/core/box.hpp"
#include "uplift/model/system.hpp"

namespace uplift {

/// One model: positions, cell, and what the title says of time and step. Throws InputError ("file:line: ...").
class PdbText {
 public:
  enum class Part { head, positions };
  PdbText(std::string text, const std::string& path, Part part = Part::positions, int first_line = 1);
  std::vector<Vec3d>& positions() { return x_; }  ///< [nm]
  const std::optional<Box>& cell() const { return cell_; }
  std::optional<double> time() const { return time_; }  ///< [ps]
  std::optional<std::int64_t> step() const { return step_; }

 private:
  void title(std::string_view line);
  std::vector<Vec3d> x_;
  std::optional<Box> cell_;
  std::optional<double> time_;
  std::optional<std::int64_t> step_;
};

/// Names, residues, elements and the bonds of CONECT records (by serial number).
System read_pdb_system(const std::string& model, const std::string& bonds, const std::string& path);

}  // namespace uplift
