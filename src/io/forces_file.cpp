#include "uplift/io/forces_file.hpp"

#include "uplift/core/assert.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/replace_file.hpp"

namespace uplift {

namespace {

void write_into(const std::string& path, const EnergyReport& report, std::span<const Vec3d> forces,
                std::span<const Vec3d> positions) {
  h5::File file = h5::File::create(path);
  file.set("atoms", report.atoms);
  file.set("precision", report.precision);
  file.set("backend", report.backend);
  if (!report.stage.empty()) file.set("stage", report.stage);
  file.set("units", "kJ/mol");
  h5::Group energies = file.group("energies");
  for (EnergyTerm term : report.terms)
    energies.set(std::string(energy_term_names[static_cast<std::size_t>(term)]), report.energies[term]);
  energies.set("potential", report.energies.potential());
  if (report.biased) {
    energies.set("boost_dihedral", report.energies.bias.boost_dihedral);
    energies.set("boost_total", report.energies.bias.boost_total);
  }
  if (report.pme) {
    h5::Group pme = file.group("pme");
    pme.set("alpha", report.pme->alpha);
    pme.set("grid", std::span<const int>(report.pme->grid));
    pme.set("order", report.pme->order);
  }
  const auto table = [&](const char* name, std::span<const Vec3d> vectors, const char* unit) {
    static_assert(sizeof(Vec3d) == 3 * sizeof(double));
    std::vector<double> values;
    values.reserve(3 * vectors.size());
    for (const Vec3d& v : vectors) values.insert(values.end(), {v.x, v.y, v.z});
    file.write(name, std::span<const double>(values), {vectors.size(), 3}).set("unit", unit);
  };
  table("forces", forces, "kJ mol-1 nm-1");
  table("positions", positions, "nm");
  file.flush();
}

}  // namespace

void write_forces_file(const std::string& path, const EnergyReport& report, std::span<const Vec3d> forces,
                       std::span<const Vec3d> positions) {
  UPLIFT_EXPECT(forces.size() == positions.size() && static_cast<std::size_t>(report.atoms) == forces.size());
  replace_file(path, [&](const std::string& to) { write_into(to, report, forces, positions); });
}

}  // namespace uplift
