// Virtual sites of a molecule type, as far as they are linear in the positions of three atoms or less, with a cross product.
#include <algorithm>

#include "gromacs_parts.hpp"

namespace uplift::gromacs {
namespace {

std::size_t index(int i) { return static_cast<std::size_t>(i); }

void add(const Line& line, const VirtualSite& site, Molecule& m) {
  const auto name = [&](int i) { return describe_atom(m.topology, i); };
  if (m.topology.atoms[index(site.site)].mass != 0)
    line.fail(name(site.site) + " is a virtual site and has a mass; give it none in [ atoms ]");
  const auto& sites = m.force_field.virtual_sites;
  for (const VirtualSite& other : sites) {
    if (other.site == site.site) line.fail(name(site.site) + " is a virtual site twice; remove one line");
    for (int parent : {site.parent0, site.parent1, site.parent2})
      if (parent == other.site)
        line.fail(name(site.site) + " is built on another virtual site, which the engine does not have; build it on atoms");
    for (int parent : {other.parent0, other.parent1, other.parent2})
      if (parent == site.site)
        line.fail(name(other.site) + " is built on another virtual site, which the engine does not have; build it on atoms");
  }
  m.force_field.virtual_sites.push_back(site);
}

[[noreturn]] void refuse(const Line& line, int function, const char* what) {
  line.fail("function " + std::to_string(function) + " (" + what +
            ") is not one that the engine has; it has virtual_sites1, function 1 of virtual_sites2, functions 1 and 4 of "
            "virtual_sites3, and virtual_sitesn of up to three atoms");
}

}  // namespace

void MoleculeReader::virtual_site(const Line& line, Molecule& m, std::size_t parents) const {
  const Atoms a = atoms(line, m, parents + 1);
  const int f = function(line, parents + 1);
  const auto p = line.reals(parents + 2);
  const auto expect = [&](std::size_t n) {
    if (p.empty() && n > 0)
      line.fail(
          "a site without parameters, which grompp would work out from bonds and angles (pdb2gmx -vsite); this reader does "
          "not: build the topology without -vsite (forces.hydrogen_mass allows for long steps, too), or give the parameters");
    if (p.size() != n)
      line.fail("this function has " + std::to_string(n) + " parameters and the line has " + std::to_string(p.size()) +
                "; correct it");
  };
  if (parents == 1 && f == 1) {
    expect(0);
    return add(line, {a[0], a[1], a[1], a[1], 0, 0, 0}, m);
  }
  if (parents == 2) {
    if (f == 2) refuse(line, f, "at a fixed distance");
    if (f != 1) refuse(line, f, "unknown");
    expect(1);
    return add(line, {a[0], a[1], a[2], a[2], p[0], 0, 0}, m);
  }
  if (parents == 3) {
    if (f == 2) refuse(line, f, "at a fixed distance");
    if (f == 3) refuse(line, f, "at a fixed angle and distance");
    if (f != 1 && f != 4) refuse(line, f, "unknown");
    expect(f == 1 ? 2 : 3);
    return add(line, {a[0], a[1], a[2], a[3], p[0], p[1], f == 4 ? p[2] : 0}, m);
  }
  refuse(line, f, parents == 4 ? "of four atoms" : "unknown");
}

/// Site, function, atoms; function 3 has a weight after each atom.
void MoleculeReader::virtual_site_n(const Line& line, Molecule& m) const {
  line.need(3, "site, function, atoms");
  const int f = function(line, 1);
  if (f < 1 || f > 3) refuse(line, f, "unknown");
  const std::size_t step = f == 3 ? 2 : 1, n = (line.words.size() - 2) / step;
  if (n > 3) refuse(line, f, "of more than three atoms");
  if (n == 0 || (line.words.size() - 2) % step != 0) line.fail("function 3 has atoms and weights in turn; correct the line");
  Line one{line.source, line.section, {line.words[0]}};
  std::vector<double> weights;
  for (std::size_t k = 0; k < n; ++k) {
    one.words.push_back(line.words[2 + step * k]);
    weights.push_back(f == 3 ? line.real(3 + step * k, "weight") : 1);
  }
  Atoms a = atoms(one, m, n + 1);
  double sum = 0;
  for (std::size_t k = 0; k < n; ++k) {
    if (f == 2) weights[k] = m.topology.atoms[index(a[k + 1])].mass;
    sum += weights[k];
  }
  if (!(sum > 0)) line.fail("the weights, or masses, of the atoms add up to nothing; correct them");
  while (a.size() < 4) {
    a.push_back(a.back());
    weights.push_back(0);
  }
  add(line, {a[0], a[1], a[2], a[3], weights[1] / sum, weights[2] / sum, 0}, m);
}

}  // namespace uplift::gromacs
