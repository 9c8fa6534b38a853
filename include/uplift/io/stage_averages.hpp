#pragma once
// What the rows of energies.h5 of one stage come to: the lines that a log ends a stage with.
#include <string>

#include "uplift/io/energy_file.hpp"

namespace uplift {

class StageAverages {
 public:
  void add(const EnergyRow& row);
  /// Mean and standard deviation of potential, temperature, pressure and volume, and how well the conserved energy is; empty
  /// below two rows.
  std::string text() const;
  /// What the conserved energy changes by [kJ/mol/ps]; 0 below twenty rows.
  double drift() const { return rows_ >= 20 && time_.squares > 0 ? products_ / time_.squares : 0; }

 private:
  /// Welford, Technometrics 4, 419 (1962).
  struct Sum {
    double mean = 0, squares = 0;
    void add(double value, long count) {
      const double change = value - mean;
      mean += change / static_cast<double>(count);
      squares += change * (value - mean);
    }
  };
  long rows_ = 0;
  bool periodic_ = false, boosted_ = false;
  Sum dihedral_, boost_, potential_, temperature_, pressure_, volume_, conserved_, time_;
  double products_ = 0;  ///< of the deviations of time and conserved energy
};

}  // namespace uplift
