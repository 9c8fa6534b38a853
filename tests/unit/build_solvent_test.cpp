#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "support/built.hpp"
#include "uplift/io/amber_writer.hpp"

// Boxes, water and ions.
namespace uplift {
namespace {

using test::build;
using test::error_of;
using test::Looked;
using ::testing::HasSubstr;

BuildOptions in_water(const std::string& sequence, BoxShape shape, double edge, const std::string& water = "tip3p") {
  BuildOptions options;
  options.sequence = sequence;
  options.caps = true;
  options.shape = shape;
  options.edge = edge;
  return test::with_forcefield(options, {"amber14sb", water});
}

constexpr BoxShape shapes[] = {BoxShape::cubic, BoxShape::dodecahedron, BoxShape::octahedron};

double width(const Box& box) {
  const Vec3d w = box.widths();
  return std::min({w.x, w.y, w.z});
}

TEST(BuildWater, HasTheDensityOfWaterInEveryShape) {
  // Water of 300 K and 1 bar, 217 molecules in a cube of 1.8781 nm. The number in a volume V of it varies by sqrt(rho kT kappa)
  // = 0.25 of that of a gas (kappa 0.46 /GPa), 0.25 sqrt(N): three times that is allowed. Capped glycine takes no more than a
  // sphere of 0.55 nm, which holds all its atoms and a layer of water.
  const double rho = 217 / std::pow(1.87810, 3), glycine = 4 * 3.14159265 / 3 * std::pow(0.55, 3);
  for (BoxShape shape : shapes)
    for (double edge : {2.95, 3.3, 4.1}) {
      const BuiltSystem built = build(in_water("G", shape, edge));
      const double volume = built.structure.box->volume(), spread = 3 * 0.25 * std::sqrt(rho * volume);
      EXPECT_LT(built.waters, rho * volume + spread) << edge;
      EXPECT_GT(built.waters, rho * (volume - glycine) - spread) << edge;
    }
}

TEST(BuildWater, KeepsApartAcrossTheFacesToo) {
  for (BoxShape shape : shapes) {
    const BuiltSystem built = build(in_water("G", shape, 3.0));
    const Structure& s = built.structure;
    std::vector<Vec3d> oxygens, solute;
    for (int i = 0; i < s.topology.size(); ++i) {
      const Atom& a = s.topology.atoms[at(i)];
      const bool water = s.topology.residues[at(a.residue)].name == "HOH";
      if (water && a.element == 8) oxygens.push_back(s.x[at(i)]);
      if (!water && a.element > 1) solute.push_back(s.x[at(i)]);
    }
    double least = 1, to_solute = 1;
    for (std::size_t i = 0; i < oxygens.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const Vec3d d = s.box->image(oxygens[i] - oxygens[j]);
        least = std::min(least, dot(d, d));
      }
      for (const Vec3d& x : solute) {
        const Vec3d d = s.box->image(oxygens[i] - x);
        to_solute = std::min(to_solute, dot(d, d));
      }
    }
    EXPECT_GT(std::sqrt(least), 0.2 - 2e-4);  // 1e-4 nm by the rounding
    EXPECT_GT(std::sqrt(to_solute), 0.24 - 2e-4);
  }
}

TEST(BuildBox, IsWideEnoughForTheCutoff) {
  for (BoxShape shape : {BoxShape::cubic, BoxShape::rectangular, BoxShape::dodecahedron, BoxShape::octahedron}) {
    BuildOptions options = in_water("G", shape, 1);
    options.edge.reset();
    options.padding = 0;
    EXPECT_GT(width(*build(options).structure.box), 1.999);
  }
  EXPECT_THAT(error_of(in_water("G", BoxShape::cubic, 1.7)), HasSubstr("--edge: 1.7 nm is too small"));
  // The faces of a dodecahedron's cell are sqrt(2/3) of its edge apart.
  EXPECT_THAT(error_of(in_water("G", BoxShape::dodecahedron, 2.2)), HasSubstr("at least 2.45 nm"));
  EXPECT_EQ(error_of(in_water("G", BoxShape::dodecahedron, 2.45)), "no error");
}

TEST(BuildBox, AMoleculeDoesNotLieInItsImages) {
  EXPECT_THAT(error_of(in_water("GYDPETGTWG", BoxShape::cubic, 2.0)), HasSubstr("in its own images"));
  const auto near = testing::Contains(HasSubstr("is near its own images"));
  EXPECT_THAT(build(in_water("WWWWWW", BoxShape::cubic, 2.0)).notes, near);
  EXPECT_THAT(build(in_water("G", BoxShape::cubic, 2.5)).notes, testing::Not(near));
}

TEST(BuildBox, APrmtopCanHoldEveryShape) {
  for (BoxShape shape : {BoxShape::cubic, BoxShape::rectangular, BoxShape::dodecahedron, BoxShape::octahedron}) {
    const Box box = *build(in_water("G", shape, 3.0)).structure.box;
    const AmberCell cell = amber_cell(box);
    EXPECT_NEAR(cell.angles.x, cell.angles.y, 1e-9);
    EXPECT_NEAR(cell.angles.z, cell.angles.y, 1e-9);
    const double degree = 3.14159265358979 / 180;
    EXPECT_NEAR(make_box(0.1 * cell.lengths, degree * cell.angles).volume(), box.volume(), 1e-9 * box.volume());
  }
}

TEST(BuildBox, KeepsThePaddingToEveryImage) {
  for (BoxShape shape : {BoxShape::cubic, BoxShape::rectangular, BoxShape::dodecahedron, BoxShape::octahedron}) {
    BuildOptions options = in_water("GYDPETGTWG", shape, 1);
    options.edge.reset();
    options.padding = 0.6;
    const Structure s = build(options).structure;
    double least = 1e9;
    std::vector<Vec3d> peptide;
    for (int i = 0; i < s.topology.size(); ++i)
      if (s.topology.residues[at(s.topology.atoms[at(i)].residue)].chain == "A") peptide.push_back(s.x[at(i)]);
    for (int i = -1; i <= 1; ++i)
      for (int j = -1; j <= 1; ++j)
        for (int k = -1; k <= 1; ++k) {
          if (i == 0 && j == 0 && k == 0) continue;
          const Vec3d shift = s.box->position({static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
          for (const Vec3d& a : peptide)
            for (const Vec3d& b : peptide) least = std::min(least, test::distance(a, b + shift));
        }
    EXPECT_GT(least, 1.2 - 1e-3);
  }
}

std::map<std::string, int> counts(const Structure& s) {
  std::map<std::string, int> all;
  for (const Residue& r : s.topology.residues) ++all[r.name];
  return all;
}

TEST(BuildIons, NeutraliseAndGiveTheSaltAskedFor) {
  BuildOptions options = in_water("GDDKG", BoxShape::cubic, 3.2);
  BuiltSystem built = build(options);
  EXPECT_NEAR(test::charge(built), 0, 1e-6);
  EXPECT_EQ(counts(built.structure)["NA"], 1);
  EXPECT_EQ(counts(built.structure)["CL"], 0);
  options.salt = 0.5;
  options.positive = "K";
  options.negative = "BR";
  built = build(options);
  EXPECT_NEAR(test::charge(built), 0, 1e-6);
  auto all = counts(built.structure);
  EXPECT_EQ(all["K"], all["BR"] + 1);
  // mol/L of the volume of the water before ions came (55.4 mol/L): half a pair by rounding.
  const double litres = (all["HOH"] + all["K"] + all["BR"]) / 55.4;
  EXPECT_NEAR(all["BR"], 0.5 * litres, 0.5 + 1e-9);
  EXPECT_EQ(built.cations, all["K"]);
  EXPECT_EQ(built.anions, all["BR"]);
  EXPECT_EQ(built.waters, all["HOH"]);
  options.salt = 9.9;
  EXPECT_EQ(error_of(options), "no error");
}

TEST(BuildIons, TheirPlacesFollowTheSeed) {
  BuildOptions options = in_water("GDG", BoxShape::cubic, 2.5);
  options.salt = 0.3;
  const BuiltSystem a = build(options), b = build(options);
  options.seed = 7;
  const BuiltSystem c = build(options);
  ASSERT_EQ(a.structure.x.size(), b.structure.x.size());
  ASSERT_EQ(a.structure.x.size(), c.structure.x.size());
  int same = 0, other = 0;
  for (std::size_t i = 0; i < a.structure.x.size(); ++i) {
    same += a.structure.x[i] == b.structure.x[i];
    other += a.structure.x[i] == c.structure.x[i];
  }
  EXPECT_EQ(same, a.structure.topology.size());
  EXPECT_LT(other, a.structure.topology.size());
}

TEST(BuildWater, OfFourSitesHasItsChargeWhereTheModelPutsIt) {
  // r(OM) of TIP4P-Ew (Horn 2004) and of OPC (Izadi 2014), as a part of the way to the middle between the hydrogens: 0.09572 nm
  // and 104.52 degrees; 0.08724 nm and 103.6 degrees. Until constraints act, hydrogens are where TIP3P has them. Three decimals
  // of an Angstrom are kept.
  for (const auto& [water, part] :
       {std::pair<std::string, double>{"tip4pew", 0.0125 / 0.058588}, {"opc", 0.01594 / 0.053949}}) {
    const Structure s = build(in_water("G", BoxShape::cubic, 2.2, water)).structure;
    const Looked l(s);
    int waters = 0;
    for (int r = 0; r < static_cast<int>(s.topology.residues.size()); ++r) {
      if (l.name(r) != "HOH") continue;
      ++waters;
      ASSERT_EQ(s.topology.residues[at(r)].atom_count, 4);
      const Vec3d o = l.x(r, "O"), m = s.x[at(s.topology.residues[at(r)].first_atom + 3)];
      EXPECT_LT(test::distance(m, o + part / 2 * (l.x(r, "H1") + l.x(r, "H2") - 2.0 * o)), 2e-4);
    }
    EXPECT_GT(waters, 200);
  }
}

TEST(BuildWater, OfTheFileIsKeptWhateverItsChainIsCalled) {
  const std::string peptide = test::pdb_of(build(test::in_vacuum("GG")).structure, [](int) { return true; });
  std::string text = peptide.substr(0, peptide.rfind("END"));
  // Oxygen only, in chain W, 0.35 nm from the peptide at least.
  text += "TER\nHETATM   50  O   HOH W   7      -4.000  -4.000  -4.000  1.00  0.00           O\nEND\n";
  BuildOptions options = in_water("", BoxShape::cubic, 2.5, "tip4pew");
  options.caps = false;
  options.structure = test::write_temporary("crystal.pdb", text);
  options.salt = 3;  // drawn ions would hit it soon
  const Structure s = build(options).structure;
  int kept = 0;
  std::string built_chain;
  for (const Residue& r : s.topology.residues) {
    if (r.name != "HOH") continue;
    EXPECT_EQ(r.atom_count, 4);
    if (r.chain == "W") {
      ++kept;
      EXPECT_EQ(r.number, 7);
    }
    built_chain = r.chain;
  }
  EXPECT_EQ(kept, 1);
  EXPECT_NE(built_chain, "W");
  options.remove = {"water", "SO4"};
  options.water = false;
  const BuiltSystem dry = build(options);
  EXPECT_EQ(dry.structure.topology.residues.size(), 2u);
  EXPECT_THAT(dry.notes, testing::Contains(HasSubstr("--remove SO4: the structure has no residue")));
  EXPECT_THAT(dry.notes, testing::Not(testing::Contains(HasSubstr("--remove water"))));
}

TEST(BuildOutput, RestrainsTheSoluteWhateverItIs) {
  BuildOptions options;
  Topology t;
  const auto add = [&](const std::string& residue, const std::string& atom, int element) {
    t.residues.push_back({residue, 1, "A", t.size(), 1});
    t.atoms.push_back({atom, "", element, 12, static_cast<int>(t.residues.size()) - 1});
  };
  add("NA", "NA", 11);
  EXPECT_EQ(restrained_atoms(options, t), "");
  EXPECT_THAT(run_input_text(options, "t", "a.pdb", {"x"}, "", ""), testing::Not(HasSubstr("restraints")));
  add("ALA", "CA", 6);
  EXPECT_EQ(restrained_atoms(options, t), "protein-heavy");
  add("DA", "P", 15);
  EXPECT_EQ(restrained_atoms(options, t), "heavy and not (water or resname NA CL)");
  t.residues[0].name = t.atoms[0].name = "MG";
  EXPECT_EQ(restrained_atoms(options, t), "heavy and not water") << "what is not there is not asked for";
  EXPECT_THAT(
      run_input_text(options, "t", "a.pdb", {"x"}, "", "protein-heavy"),
      HasSubstr("{name: warm, time: 20 ps, timestep: 1 fs, restraints: {positions: protein-heavy, k: 1000 kJ/mol/nm^2}}"));
}

TEST(BuildOutput, MmcifHoldsWhatWasBuilt) {
  BuildOptions options = in_water("ACD", BoxShape::octahedron, 2.6, "opc");
  options.salt = 0.3;
  const BuiltSystem built = build(options);
  const Structure again = read_structure(test::write_temporary("built.cif", mmcif_text(built.structure)));
  const Topology &a = built.structure.topology, &b = again.topology;
  ASSERT_EQ(a.size(), b.size());
  ASSERT_EQ(a.residues.size(), b.residues.size());
  EXPECT_EQ(a.bonds.size(), b.bonds.size());
  for (int i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a.atoms[at(i)].name, b.atoms[at(i)].name);
    EXPECT_EQ(a.atoms[at(i)].element, b.atoms[at(i)].element);
    EXPECT_LT(test::distance(built.structure.x[at(i)], again.x[at(i)]), 1e-9);
  }
  for (std::size_t r = 0; r < a.residues.size(); ++r) {
    EXPECT_EQ(a.residues[r].name, b.residues[r].name);
    EXPECT_EQ(a.residues[r].chain, b.residues[r].chain);
    EXPECT_EQ(a.residues[r].number, b.residues[r].number);
  }
  ASSERT_TRUE(again.box);
  // The same lattice: an octahedron has two reduced forms (|cy| = by/2), and rounding chooses between them.
  const Box &ours = *built.structure.box, &theirs = *again.box;
  EXPECT_NEAR(ours.volume(), theirs.volume(), 1e-5);
  for (const Vec3d& edge : {theirs.a, theirs.b, theirs.c}) EXPECT_LT(test::distance(ours.image(edge), {0, 0, 0}), 2e-6);
}

}  // namespace
}  // namespace uplift
