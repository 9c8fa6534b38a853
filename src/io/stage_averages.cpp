#include "uplift/io/stage_averages.hpp"

#include <fmt/format.h>

#include <cmath>

namespace uplift {

void StageAverages::add(const EnergyRow& row) {
  ++rows_;
  periodic_ = row.volume > 0;
  potential_.add(row.energies.potential(), rows_);
  dihedral_.add(row.energies.bias.dihedral, rows_);
  boost_.add(row.energies.bias.boost(), rows_);
  boosted_ = boosted_ || row.energies.bias.boost() > 0;
  temperature_.add(row.temperature, rows_);
  pressure_.add(row.pressure, rows_);
  volume_.add(row.volume, rows_);
  const double before = time_.mean;
  time_.add(row.time, rows_);
  conserved_.add(row.conserved_quantity, rows_);
  products_ += (row.time - before) * (row.conserved_quantity - conserved_.mean);
}

std::string StageAverages::text() const {
  if (rows_ < 2) return "";
  const auto deviation = [&](double squares) { return std::sqrt(squares / static_cast<double>(rows_ - 1)); };
  std::string all = fmt::format("{:<26}{:>16}{:>14}", fmt::format("averages of {} rows", rows_), "mean", "deviation");
  const auto line = [&](const char* name, const Sum& s) {
    all += fmt::format("\n  {:<24}{:>16.8g}{:>14.4g}", name, s.mean, deviation(s.squares));
  };
  line("potential [kJ/mol]", potential_);
  if (boosted_) {
    line("boosted dihedrals [kJ/mol]", dihedral_);
    line("boost [kJ/mol]", boost_);
  }
  line("temperature [K]", temperature_);
  if (periodic_) {
    line("pressure [bar]", pressure_);
    line("volume [nm^3]", volume_);
  }
  const double slope = time_.squares > 0 ? products_ / time_.squares : 0;
  const double about = conserved_.squares - slope * products_;
  all += fmt::format("\n  conserved energy: changes by {:.3g} kJ/mol/ps, rms about that {:.3g} kJ/mol", slope,
                     deviation(about > 0 ? about : 0));
  return all;
}

}  // namespace uplift
