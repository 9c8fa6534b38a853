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
  of_dihedral_.add(row.energies.bias.boost_dihedral, row.energies.bias.factor_dihedral);
  of_total_.add(row.energies.bias.boost_total, row.energies.bias.factor_total);
  boosted_ = boosted_ || row.energies.bias.boost() > 0;
  temperature_.add(row.temperature, rows_);
  pressure_.add(row.pressure, rows_);
  volume_.add(row.volume, rows_);
  const double before = time_.mean;
  time_.add(row.time, rows_);
  conserved_.add(row.conserved_quantity, rows_);
  products_ += (row.time - before) * (row.conserved_quantity - conserved_.mean);
}

std::vector<std::string> StageAverages::odd_boosts(const Bias& bias) const {
  constexpr double often = 0.01;
  std::vector<std::string> all;
  const auto look = [&](const char* name, const BoostParameters& p, const Boost& boost) {
    if (!p.on || rows_ == 0) return;
    if (boost.acting == 0)
      all.push_back(fmt::format("the {} boost never acted: no energy of {} rows was below its threshold of {:.6g} kJ/mol", name,
                                rows_, p.threshold));
    if (static_cast<double>(boost.extreme) > often * static_cast<double>(rows_))
      all.push_back(fmt::format("the {} boost left less than a thousandth of the forces{} in {:.0f} % of {} rows; {}", name,
                                bias.method == BiasMethod::gamd ? ", or turned them round," : "",
                                100 * static_cast<double>(boost.extreme) / static_cast<double>(rows_), rows_,
                                bias.method == BiasMethod::gamd ? "choose a smaller k, or a lower threshold"
                                                                : "choose a lower threshold, or a larger alpha"));
  };
  look("dihedral", bias.dihedral, of_dihedral_);
  look("total", bias.total, of_total_);
  return all;
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
