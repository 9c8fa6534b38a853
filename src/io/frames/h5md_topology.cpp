#include "h5md_topology.hpp"

#include <cmath>
#include <limits>

#include "uplift/core/error.hpp"
#include "uplift/io/frames.hpp"

namespace uplift {

std::optional<System> read_h5md_system(const h5::File& file, int atoms) {
  if (!file.contains("parameters/topology/atom_name")) return std::nullopt;
  const h5::Group group = file.open_group("parameters/topology");
  const auto n = static_cast<std::size_t>(atoms);
  const auto fail = [&](const std::string& what) {
    throw InputError(file.path() + ": parameters/topology: " + what + " (the file is damaged)");
  };
  const auto texts = [&](const char* name, std::size_t count) {
    std::vector<std::string> values = group.dataset(name).read_text();
    if (values.size() != count)
      fail(std::string(name) + " has " + std::to_string(values.size()) + " entries, not " + std::to_string(count));
    return values;
  };
  const auto numbers = [&](const char* name, std::size_t count) {
    const h5::Dataset dataset = group.dataset(name);
    if (dataset.shape() != h5::Shape{count})
      fail(std::string(name) + " has a wrong number of entries, not " + std::to_string(count));
    return dataset.read<double>();
  };
  const auto integers = [&](const char* name, std::size_t count) {
    const std::vector<double> values = numbers(name, count);
    for (const double value : values)
      if (!(std::abs(value) <= std::numeric_limits<int>::max())) fail(std::string(name) + " holds a number out of range");
    return std::vector<int>(values.begin(), values.end());
  };
  Topology topology;
  if (file.contains("parameters/title"))
    for (const std::string& title : file.dataset("parameters/title").read_text()) topology.title = title;
  const std::vector<std::string> names = texts("atom_name", n), types = texts("atom_type", n);
  const std::vector<int> elements = integers("atom_element", n), residues = integers("atom_residue", n);
  const std::vector<double> input_mass = numbers("mass_input", n);
  const std::vector<std::string> residue_names = group.dataset("residue_name").read_text();
  const std::vector<std::string> chains = texts("residue_chain", residue_names.size());
  const std::vector<int> residue_numbers = integers("residue_number", residue_names.size());
  for (std::size_t r = 0; r < residue_names.size(); ++r)
    topology.residues.push_back({residue_names[r], residue_numbers[r], chains[r], 0, 0});
  for (std::size_t i = 0; i < n; ++i) {
    if (residues[i] < 0 || residues[i] >= static_cast<int>(residue_names.size()))
      fail("atom_residue names a residue that is not there");
    Residue& residue = topology.residues[static_cast<std::size_t>(residues[i])];
    if (residue.atom_count++ == 0) residue.first_atom = static_cast<int>(i);
    topology.atoms.push_back({names[i], types[i], elements[i], input_mass[i], residues[i]});
  }
  if (group.contains("bonds")) {
    const h5::Dataset bonds = group.dataset("bonds");
    const h5::Shape shape = bonds.shape();
    if (shape.size() != 2 || shape[1] != 2) fail("bonds are no pairs of atoms");
    const std::vector<std::int64_t> pairs = bonds.read<std::int64_t>();
    for (std::size_t b = 0; b + 1 < pairs.size(); b += 2) {
      if (pairs[b] < 0 || pairs[b + 1] < 0 || pairs[b] >= atoms || pairs[b + 1] >= atoms)
        fail("a bond names an atom that is not there");
      topology.bonds.push_back({static_cast<int>(pairs[b]), static_cast<int>(pairs[b + 1])});
    }
  }
  return bare_system(std::move(topology), numbers("mass", n), numbers("charge", n));
}

}  // namespace uplift
