#pragma once
// What the rows of energies.h5 of one stage come to: the lines that a log ends a stage with.
#include <string>
#include <vector>

#include "uplift/io/energy_file.hpp"
#include "uplift/model/bias.hpp"

namespace uplift {

/// A boost that multiplies forces by less makes a run unstable and cannot be reweighted.
inline constexpr double least_force_factor = 0.001;

class StageAverages {
 public:
  void add(const EnergyRow& row);
  /// Mean and standard deviation of potential, temperature, pressure and volume, and how well the conserved energy is; empty
  /// below two rows.
  std::string text() const;
  /// What is odd about the boosts of a stage with this bias, a sentence each: one that never acted, or that left next to
  /// nothing of the forces, or turned them round, in more than one of a hundred rows.
  std::vector<std::string> odd_boosts(const Bias& bias) const;
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
  struct Boost {
    long acting = 0, extreme = 0;  ///< rows in which it was not zero, in which its factor was below least_force_factor
    void add(double energy, double factor) {
      acting += energy > 0;
      extreme += factor < least_force_factor;
    }
  };
  long rows_ = 0;
  Boost of_dihedral_, of_total_;
  bool periodic_ = false, boosted_ = false;
  Sum dihedral_, boost_, potential_, temperature_, pressure_, volume_, conserved_, time_;
  double products_ = 0;  ///< of the deviations of time and conserved energy
};

}  // namespace uplift
