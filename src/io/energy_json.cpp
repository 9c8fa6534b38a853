#include "uplift/io/energy_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "uplift/io/text_file.hpp"

namespace uplift {

std::vector<EnergyTerm> energy_terms(const System& system) {
  const ForceField& ff = system.force_field;
  const bool periodic = system.forces.nonbonded != NonbondedMethod::no_cutoff;
  std::vector<EnergyTerm> terms;
  const auto add = [&](EnergyTerm term, bool present) {
    if (present) terms.push_back(term);
  };
  add(EnergyTerm::bond, !ff.bonds.empty());
  add(EnergyTerm::angle, !ff.angles.empty());
  add(EnergyTerm::urey_bradley, !ff.urey_bradleys.empty());
  add(EnergyTerm::dihedral, !ff.dihedrals.empty());
  add(EnergyTerm::improper, !ff.impropers.empty());
  add(EnergyTerm::cmap, !ff.cmaps.empty());
  add(EnergyTerm::lj, true);
  add(EnergyTerm::lj_14, !ff.pairs14.empty());
  add(EnergyTerm::coulomb_direct, true);
  add(EnergyTerm::coulomb_reciprocal, system.forces.nonbonded == NonbondedMethod::pme);
  add(EnergyTerm::coulomb_14, !ff.pairs14.empty());
  add(EnergyTerm::dispersion_correction, periodic && system.forces.dispersion_correction);
  add(EnergyTerm::implicit_solvent, system.forces.implicit_solvent.has_value());
  add(EnergyTerm::restraint, !system.position_restraints.empty());
  return terms;
}

std::string energy_json(const EnergyReport& report) {
  nlohmann::ordered_json json;
  json["atoms"] = report.atoms;
  json["precision"] = report.precision;
  json["backend"] = report.backend;
  if (!report.stage.empty()) json["stage"] = report.stage;
  json["units"] = "kJ/mol";
  nlohmann::ordered_json& energies = json["energies"];
  for (EnergyTerm term : report.terms)
    energies[std::string(energy_term_names[static_cast<std::size_t>(term)])] = report.energies[term];
  energies["potential"] = report.energies.potential();
  if (report.biased) {
    energies["boost_dihedral"] = report.energies.bias.boost_dihedral;
    energies["boost_total"] = report.energies.bias.boost_total;
  }
  if (report.pme) json["pme"] = {{"alpha", report.pme->alpha}, {"grid", report.pme->grid}, {"order", report.pme->order}};
  return json.dump(2) + "\n";
}

void write_energy_json(const std::string& path, const EnergyReport& report) { write_file(path, energy_json(report)); }

std::string energy_table(const EnergyReport& report) {
  std::string text = fmt::format("{} atoms, {} precision, {} backend\n\n", report.atoms, report.precision, report.backend);
  if (!report.stage.empty()) text.insert(text.size() - 1, fmt::format("forces and bias of stage {}\n", report.stage));
  for (EnergyTerm term : report.terms)
    text += fmt::format("  {:<24}{:>20.6f} kJ/mol\n", energy_term_names[static_cast<std::size_t>(term)], report.energies[term]);
  text += fmt::format("  {:<24}{:>20.6f} kJ/mol\n", "potential", report.energies.potential());
  if (report.biased)
    for (const auto& [name, energy] : {std::pair("boost_dihedral", report.energies.bias.boost_dihedral),
                                       std::pair("boost_total", report.energies.bias.boost_total)})
      text += fmt::format("  {:<24}{:>20.6f} kJ/mol\n", name, energy);
  if (report.pme)
    text += fmt::format("\nPME: alpha {:.6g} /nm, grid {} x {} x {}, order {}\n", report.pme->alpha, report.pme->grid[0],
                        report.pme->grid[1], report.pme->grid[2], report.pme->order);
  return text;
}

}  // namespace uplift
