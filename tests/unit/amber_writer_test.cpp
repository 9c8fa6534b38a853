// What write_prmtop writes is read back by read_prmtop with the same energies: parameters agree to the nine digits of 5E16.8
// (5e-9 relative), lists exactly. What the format cannot hold is refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "support/prmtop_builder.hpp"
#include "support/topology_texts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/amber_writer.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/gromacs.hpp"

namespace uplift {
namespace {

using test::PrmtopBuilder;
constexpr double pi = 3.14159265358979323846;
constexpr double nine_digits = 5.1e-9;

struct Written {
  std::vector<std::string> notes;
  std::string text;
  AmberTopology back;
};
Written write(const Topology& topology, const ForceField& ff, const std::optional<Box>& box = {}) {
  Written w;
  const std::string path = test::write_temporary("w.prmtop", "");
  w.notes = write_prmtop(path, topology, ff, box);
  std::ifstream in(path);
  std::stringstream all;
  all << in.rdbuf();
  w.text = all.str();
  w.back = read_prmtop(path);
  return w;
}
std::string refusal(const Topology& topology, const ForceField& ff, const std::optional<Box>& box = {}) {
  try {
    write_prmtop(test::write_temporary("w.prmtop", ""), topology, ff, box);
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

/// Everything of a term as one row: atoms forward, then numbers.
using Row = std::vector<double>;
Row row(std::vector<int> atoms, std::vector<double> numbers) {
  if (atoms.front() > atoms.back()) std::reverse(atoms.begin(), atoms.end());
  Row out(atoms.begin(), atoms.end());
  out.insert(out.end(), numbers.begin(), numbers.end());
  return out;
}
std::map<std::string, std::vector<Row>> rows(const ForceField& ff) {
  std::map<std::string, std::vector<Row>> all;
  for (const auto& t : ff.bonds) all["bond"].push_back(row({t.i, t.j}, {t.r0, t.k}));
  for (const auto& t : ff.angles) all["angle"].push_back(row({t.i, t.j, t.k}, {t.theta0, t.force_constant}));
  for (const auto& t : ff.urey_bradleys) all["urey-bradley"].push_back(row({t.i, t.k}, {t.r0, t.force_constant}));
  for (const auto& t : ff.dihedrals)
    all["dihedral"].push_back(row({t.i, t.j, t.k, t.l}, {1.0 * t.periodicity, t.phase, t.barrier, 1.0 * t.improper}));
  for (const auto& t : ff.impropers) all["improper"].push_back(row({t.i, t.j, t.k, t.l}, {t.phi0, t.force_constant}));
  for (const auto& t : ff.cmaps) {
    Row r = row({t.i, t.j, t.k, t.l, t.m}, {});
    for (double e : ff.cmap_grids[static_cast<std::size_t>(t.map)].energy) r.push_back(e);
    all["cmap"].push_back(r);
  }
  for (const auto& t : ff.pairs14)
    if (t.charge_product != 0 || t.c12 != 0) all["1-4"].push_back(row({t.i, t.j}, {t.charge_product, t.c6, t.c12}));
  for (const auto& t : ff.virtual_sites)
    all["site"].push_back({1.0 * t.site, 1.0 * t.parent0, 1.0 * t.parent1, 1.0 * t.parent2, t.a, t.b, t.c});
  for (const auto& [i, j] : ff.exclusions) all["exclusion"].push_back({1.0 * i, 1.0 * j});
  for (double q : ff.charges) all["charge"].push_back({q});
  for (const auto& g : ff.gb) all["gb"].push_back({g.radius, g.screen});
  for (std::size_t i = 0; i < ff.lj_type.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const std::size_t n = static_cast<std::size_t>(ff.lj_type[i] * ff.lj_types + ff.lj_type[j]);
      all["lj"].push_back({ff.lj_c6[n], ff.lj_c12[n]});
    }
  for (const char* sorted : {"bond", "angle", "dihedral", "1-4"}) std::sort(all[sorted].begin(), all[sorted].end());
  return all;
}
void expect_same(const ForceField& a, const ForceField& b, double tolerance = nine_digits) {
  const auto x = rows(a), y = rows(b);
  for (const auto& [kind, list] : x) {
    ASSERT_EQ(list.size(), y.at(kind).size()) << kind;
    for (std::size_t n = 0; n < list.size(); ++n) {
      ASSERT_EQ(list[n].size(), y.at(kind)[n].size()) << kind;
      for (std::size_t k = 0; k < list[n].size(); ++k)
        EXPECT_NEAR(list[n][k], y.at(kind)[n][k], tolerance * std::abs(list[n][k])) << kind << " " << n << " number " << k;
    }
  }
}

AmberTopology read(const PrmtopBuilder& b) { return read_prmtop(test::write_temporary("a.prmtop", b.text())); }
TopologyFile gromacs(const std::string& text, const GromacsOptions& options = {}) {
  return read_gromacs_topology(test::write_temporary("a.top", text), options);
}
/// The chain and the waters, without the pair that is no 1-4 pair.
std::string amber_like() {
  std::string text = test::gromacs_text();
  const std::string pair = "1 5 2 0.5 0.05 0.1 0.3 0.2\n", own = "A B 1 0.31 0.22\n", improper = "2 1 3 5 2 10 150\n";
  for (const std::string& line : {pair, own, improper}) text.erase(text.find(line), line.size());
  text.replace(text.find("BH BA BB 5 110 300 0.21 1500"), 28, "BH BA BB 1 110 300          ");
  text.replace(text.find("1 2 3 5\n2 3 4 1"), 7, "1 2 3 1");
  return text;
}

TEST(PrmtopWriter, EveryTermOfAnAmberTopologyComesBack) {
  PrmtopBuilder b = test::small_molecule();
  b.add_tip3p(2);
  const AmberTopology first = read(b);
  const Written w = write(first.topology, first.force_field);
  EXPECT_FALSE(w.back.chamber);
  expect_same(first.force_field, w.back.force_field);
  ASSERT_EQ(w.back.topology.size(), first.topology.size());
  for (int i = 0; i < first.topology.size(); ++i) {
    const Atom &a = first.topology.atoms[static_cast<std::size_t>(i)], &c = w.back.topology.atoms[static_cast<std::size_t>(i)];
    EXPECT_EQ(a.name, c.name);
    EXPECT_EQ(a.type, c.type);
    EXPECT_EQ(a.element, c.element);
    EXPECT_EQ(a.mass, c.mass);
    EXPECT_EQ(a.residue, c.residue);
  }
  EXPECT_EQ(w.back.topology.title, first.topology.title);
  EXPECT_TRUE(w.notes.empty());
  // And the file that comes of the file is the same.
  EXPECT_EQ(write(w.back.topology, w.back.force_field).text, w.text);
}

TEST(PrmtopWriter, ChamberTermsComeBack) {
  const AmberTopology first = read(test::chamber_molecule());
  ASSERT_FALSE(first.force_field.urey_bradleys.empty());
  const Written w = write(first.topology, first.force_field);
  EXPECT_TRUE(w.back.chamber);
  expect_same(first.force_field, w.back.force_field);
  EXPECT_NE(w.text.find("%FLAG CTITLE"), std::string::npos);
}

TEST(PrmtopWriter, WaterOfFourAndFiveSitesComesBack) {
  for (int sites : {4, 5}) {
    PrmtopBuilder b;
    sites == 4 ? b.add_tip4pew(3) : b.add_tip5p(3);
    const AmberTopology first = read(b);
    const Written w = write(first.topology, first.force_field);
    ASSERT_EQ(w.back.force_field.virtual_sites.size(), static_cast<std::size_t>(3 * (sites - 3)));
    if (sites == 4) expect_same(first.force_field, w.back.force_field);
    // The length of the bond to a lone pair is worked out from the place of the site.
    const auto a = rows(first.force_field)["site"], c = rows(w.back.force_field)["site"];
    for (std::size_t n = 0; n < a.size(); ++n)
      for (std::size_t k = 0; k < a[n].size(); ++k) EXPECT_NEAR(a[n][k], c[n][k], 2 * nine_digits * std::abs(a[n][k])) << n;
  }
}

TEST(PrmtopWriter, GromacsTopologyInThePlainForm) {
  GromacsOptions flexible;
  flexible.define = {"FLEXIBLE"};
  const TopologyFile top = gromacs(amber_like(), flexible);
  const Written w = write(top.topology, top.force_field);
  EXPECT_FALSE(w.back.chamber);
  auto mine = rows(top.force_field), back = rows(w.back.force_field);
  for (const char* kind : {"angle", "1-4", "lj", "charge", "cmap", "site"}) {
    ASSERT_EQ(mine[kind].size(), back[kind].size()) << kind;
    // Sites follow from bond lengths of nine digits each; 1-4 pairs from a divisor of nine digits and charges of nine each.
    for (std::size_t n = 0; n < mine[kind].size(); ++n)
      for (std::size_t k = 0; k < mine[kind][n].size(); ++k)
        EXPECT_NEAR(mine[kind][n][k], back[kind][n][k], 4 * nine_digits * std::abs(mine[kind][n][k])) << kind << n;
  }
  // The bonds of the input, and in each water H-H and O-M without a force.
  EXPECT_EQ(back["bond"].size(), mine["bond"].size() + 4);
  int without_force = 0;
  for (const HarmonicBond& b : w.back.force_field.bonds) without_force += b.k == 0;
  EXPECT_EQ(without_force, 4);
  EXPECT_EQ(w.back.topology.residues.back().name, "WAT");
  EXPECT_EQ(w.back.topology.atoms.back().name, "EPW");
  EXPECT_FALSE(w.notes.empty());
}

/// Energies of all periodic terms on the same atoms, at an angle.
std::map<Row, double> series(const ForceField& ff, double phi) {
  std::map<Row, double> sums;
  for (const PeriodicDihedral& d : ff.dihedrals)
    sums[row({d.i, d.j, d.k, d.l}, {})] += d.barrier * (1 + std::cos(d.periodicity * phi - d.phase));
  return sums;
}

TEST(PrmtopWriter, RyckaertBellemansDihedralsKeepTheirConstant) {
  const TopologyFile top = gromacs(amber_like());
  ASSERT_TRUE(std::any_of(top.force_field.dihedrals.begin(), top.force_field.dihedrals.end(),
                          [](const PeriodicDihedral& d) { return d.periodicity == 0; }));
  const Written w = write(top.topology, top.force_field);
  for (const PeriodicDihedral& d : w.back.force_field.dihedrals) EXPECT_GT(d.periodicity, 0);
  for (double phi : {-3.0, -1.1, 0.0, 0.7, 2.5}) {
    const auto mine = series(top.force_field, phi), back = series(w.back.force_field, phi);
    ASSERT_EQ(mine.size(), back.size());
    for (const auto& [atoms, energy] : mine) EXPECT_NEAR(energy, back.at(atoms), 1e-7) << phi;  // of terms of up to 10 kJ/mol
  }
}

TEST(PrmtopWriter, RigidWaterOfSettlesKeepsItsShape) {
  const TopologyFile top = gromacs(amber_like());
  ASSERT_FALSE(top.force_field.fixed_distances.empty());
  const Written w = write(top.topology, top.force_field);
  for (const FixedDistance& d : top.force_field.fixed_distances) {
    const auto& bonds = w.back.force_field.bonds;
    const auto bond = std::find_if(bonds.begin(), bonds.end(), [&](const HarmonicBond& b) {
      return std::min(b.i, b.j) == std::min(d.i, d.j) && std::max(b.i, b.j) == std::max(d.i, d.j);
    });
    ASSERT_NE(bond, bonds.end());
    EXPECT_NEAR(bond->r0, d.length, nine_digits);
    EXPECT_NEAR(bond->k, 2 * 553 * 418.4, 1e-3);
  }
  EXPECT_TRUE(
      std::any_of(w.notes.begin(), w.notes.end(), [](const std::string& n) { return n.find("553") != std::string::npos; }));
}

TEST(PrmtopWriter, OneFourParametersOfTheirOwnNeedChamber) {
  std::string text = amber_like();
  text.replace(text.find("[ bondtypes ]"), 13, "[ pairtypes ]\nA A 1 0.31 0.22\n[ bondtypes ]");
  const TopologyFile top = gromacs(text);
  const Written w = write(top.topology, top.force_field);
  EXPECT_TRUE(w.back.chamber);
  const auto mine = rows(top.force_field)["1-4"], back = rows(w.back.force_field)["1-4"];
  ASSERT_EQ(mine.size(), back.size());
  for (std::size_t n = 0; n < mine.size(); ++n)
    for (std::size_t k = 0; k < mine[n].size(); ++k)
      EXPECT_NEAR(mine[n][k], back[n][k], nine_digits * std::abs(mine[n][k])) << n << " " << k;
}

TEST(PrmtopWriter, BoxesOfAllKinds) {
  PrmtopBuilder b;
  b.add_tip3p(4);
  const AmberTopology first = read(b);
  const double third = std::acos(-1.0 / 3);
  const auto pointers = [&](const Box& box) {
    const Written w = write(first.topology, first.force_field, box);
    std::istringstream in(w.text.substr(w.text.find("POINTERS")));
    std::string line;
    std::getline(in, line), std::getline(in, line);
    int value = 0;
    for (int n = 0; n < 28; ++n) in >> value;
    return std::pair(value, w.back.box);
  };
  const auto rectangular = pointers(make_box({3, 4, 5}, {pi / 2, pi / 2, pi / 2}));
  EXPECT_EQ(rectangular.first, 1);
  ASSERT_TRUE(rectangular.second);
  EXPECT_NEAR(rectangular.second->c.z, 5, 1e-9);
  const Box octahedron = make_box({4, 4, 4}, {third, third, third});
  for (const Box& same : {octahedron, Box{octahedron.a, octahedron.b, octahedron.c + octahedron.b},
                          Box{octahedron.a, octahedron.b + octahedron.a, octahedron.c}}) {
    const auto [kind, back] = pointers(same);
    EXPECT_EQ(kind, 2);
    ASSERT_TRUE(back);
    EXPECT_NEAR(back->volume(), octahedron.volume(), 1e-6);
    EXPECT_NEAR(amber_cell(same).angles.x, 109.4712206, 1e-6);
  }
  // As PDB and gro files round them; a cell that only resembles one stays as it is.
  const double degree = pi / 180;
  for (const Box& rounded : {make_box({3.1234, 3.1234, 3.1234}, {70.53 * degree, 70.53 * degree, 109.47 * degree}),
                             make_box({3.1234, 3.1234, 3.1234}, {109.47 * degree, 109.47 * degree, 109.47 * degree}),
                             Box{{4, 0, 0}, {-1.33333, 3.77124, 0}, {1.33333, 1.88562, 3.26599}}}) {
    const AmberCell cell = amber_cell(rounded);
    EXPECT_EQ(cell.ifbox, 2);
    EXPECT_NEAR(cell.angles.x, 109.4712206, 1e-6);
    EXPECT_NEAR(cell.angles.y, cell.angles.z, 1e-12);
  }
  EXPECT_EQ(amber_cell(make_box({4, 4, 4}, {70.6 * degree, 70.53 * degree, 109.47 * degree})).ifbox, 3);
  EXPECT_EQ(pointers(make_box({4, 4, 4}, {pi / 3, pi / 3, pi / 2})).first, 3);
  const Box dodecahedron = make_box({4, 4, 4}, {pi / 3, pi / 3, pi / 3});
  EXPECT_EQ(pointers(dodecahedron).first, 3);
  EXPECT_NEAR(amber_cell(dodecahedron).angles.z, 60, 1e-9);
  const auto notes = [&](const Box& box) { return write(first.topology, first.force_field, box).notes; };
  EXPECT_THAT(notes(make_box({4, 4, 4}, {pi / 3, pi / 3, pi / 2})),
              testing::Contains(testing::HasSubstr("one angle of the cell")));
  EXPECT_THAT(notes(dodecahedron), testing::Not(testing::Contains(testing::HasSubstr("one angle of the cell"))));
  // Four molecules of three atoms, all of them solvent.
  const std::string text = write(first.topology, first.force_field, octahedron).text;
  EXPECT_NE(text.find("%FORMAT(3I8)" + std::string(68, ' ') + "\n       0       4       1\n"), std::string::npos) << text;
}

TEST(PrmtopWriter, NamesThatDoNotFitAreCutAndSaid) {
  AmberTopology t = read(test::small_molecule());
  t.topology.atoms[0].name = "CLONG";
  t.topology.atoms[0].type = "protein-C8";
  t.topology.atoms[1].type = "very long type";
  t.topology.residues[0].name = "LIGAND";
  t.topology.residues[0].number = 12345;
  t.topology.residues[0].chain = "A";
  const Written w = write(t.topology, t.force_field);
  EXPECT_EQ(w.back.topology.atoms[0].name, "CLON");
  EXPECT_EQ(w.back.topology.atoms[0].type, "C8");
  EXPECT_EQ(w.back.topology.atoms[1].type.substr(0, 1), "t");
  EXPECT_EQ(w.back.topology.residues[0].name, "LIGA");
  EXPECT_EQ(w.back.topology.residues[0].number, 12345);
  EXPECT_EQ(w.back.topology.residues[0].chain, "A");
  EXPECT_EQ(w.notes.size(), 3u);
  t.topology.atoms[1].name = "CLONE";
  EXPECT_NE(refusal(t.topology, t.force_field).find("alike in the first four"), std::string::npos);
  t.topology.atoms[0].name = std::string("%\0\xc3", 3);  // as damaged files have them
  EXPECT_EQ(write(t.topology, t.force_field).back.topology.atoms[0].name, "???");
}

TEST(PrmtopWriter, WhatItCannotHoldIsRefusedByName) {
  const AmberTopology t = read(test::small_molecule());
  const auto refuses = [&](const char* words, const std::function<void(Topology&, ForceField&)>& change) {
    Topology topology = t.topology;
    ForceField ff = t.force_field;
    change(topology, ff);
    EXPECT_NE(refusal(topology, ff).find(words), std::string::npos) << words << ": " << refusal(topology, ff);
  };
  refuses("is fixed without a bond", [](Topology&, ForceField& ff) { ff.fixed_distances.push_back({0, 2, 0.2}); });
  refuses("neither force constant nor length", [](Topology&, ForceField& ff) { ff.bonds.erase(ff.bonds.begin()); });
  refuses("is there twice", [](Topology&, ForceField& ff) { ff.pairs14.push_back(ff.pairs14.front()); });
  refuses("no positive multiple", [](Topology&, ForceField& ff) {
    for (Pair14& p : ff.pairs14)
      p.charge_product = -ff.charges[static_cast<std::size_t>(p.i)] * ff.charges[static_cast<std::size_t>(p.j)] - 1;
  });
  refuses("not three bonds apart", [](Topology& topology, ForceField& ff) {
    ff.dihedrals.clear();
    ff.pairs14.front().i = 0;
    ff.pairs14.front().j = topology.bonds.front().j;
  });
  refuses("virtual site with mass", [](Topology&, ForceField& ff) { ff.virtual_sites.push_back({0, 1, 2, 3, 0.1, 0.1, 0}); });
  refuses("is not the fourth or fifth site of a water", [](Topology& topology, ForceField& ff) {
    topology.atoms[0].mass = topology.atoms[0].element = 0;
    ff.virtual_sites.push_back({0, 1, 2, 3, 0.1, 0.1, 0});
  });
  refuses("no mass and is no virtual site", [](Topology& topology, ForceField&) { topology.atoms[0].mass = 0; });
  // Nothing holds the first atom: two molecules that interleave, which only a periodic system minds.
  PrmtopBuilder b;
  b.add_tip3p(2);
  AmberTopology water = read(b);
  for (Bond& bond : water.topology.bonds)
    if (bond.j == 2)
      bond.j = 5;
    else if (bond.j == 5)
      bond = {2, 3};
  for (HarmonicBond& bond : water.force_field.bonds) {
    for (int* i : {&bond.i, &bond.j}) *i = *i == 2 ? 5 : *i == 5 ? 2 : *i;
  }
  EXPECT_EQ(refusal(water.topology, water.force_field), "");
  EXPECT_NE(
      refusal(water.topology, water.force_field, make_box({3, 3, 3}, {pi / 2, pi / 2, pi / 2})).find("do not stand together"),
      std::string::npos);
}

TEST(AmberCoordinatesWriter, BothFormsComeBack) {
  Coordinates c;
  for (int n = 0; n < 5; ++n) {
    c.x.push_back({0.1 * n + 1.0 / 3, -7.0 / 9 * n, 12.3456789});
    c.v.push_back({0.01 * n, -1.0 / 7, 0.2});
  }
  c.time = 123.456;
  c.box = make_box({4, 4, 4}, {std::acos(-1.0 / 3), std::acos(-1.0 / 3), std::acos(-1.0 / 3)});
  for (const AmberRestart form : {AmberRestart::ascii, AmberRestart::netcdf}) {
    const bool ascii = form == AmberRestart::ascii;
    const std::string path = test::write_temporary(ascii ? "c.rst7" : "c.ncrst", "");
    write_amber_coordinates(path, form, "a title", c);
    const Coordinates back = read_amber_coordinates(path);
    const double position = ascii ? 0.51e-8 : 1e-14, velocity = ascii ? 0.51e-7 * 2.0455 : 1e-14;
    ASSERT_EQ(back.x.size(), c.x.size());
    ASSERT_EQ(back.v.size(), c.v.size());
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      EXPECT_NEAR(back.x[i].x, c.x[i].x, position);
      EXPECT_NEAR(back.x[i].z, c.x[i].z, position);
      EXPECT_NEAR(back.v[i].y, c.v[i].y, velocity);
    }
    EXPECT_NEAR(back.time, c.time, ascii ? 1e-5 : 0);
    ASSERT_TRUE(back.box);
    EXPECT_NEAR(back.box->volume(), c.box->volume(), 1e-6);
    EXPECT_TRUE(back.box_angles_given);
  }
}

TEST(AmberCoordinatesWriter, WhatColumnsCannotHoldIsRefused) {
  Coordinates c;
  c.x = {{0, 0, 0}, {0, -99.9999999, 1}, {1000.1, 0, 0}};
  const std::string path = test::write_temporary("c.rst7", "");
  try {
    write_amber_coordinates(path, AmberRestart::ascii, "t", c);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("position of atom 3"), std::string::npos) << e.what();
  }
  write_amber_coordinates(path, AmberRestart::netcdf, "t", c);
  EXPECT_EQ(read_amber_coordinates(path).x[2].x, 1000.1);
}

}  // namespace
}  // namespace uplift
