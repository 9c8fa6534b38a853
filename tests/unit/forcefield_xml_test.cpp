#include "uplift/io/forcefield_xml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/prmtop_builder.hpp"
#include "support/structure_texts.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

using ::testing::HasSubstr;

const std::string water =
    "HETATM    1  O   HOH     1       0.000   0.000   0.000  1.00  0.00           O\n"
    "HETATM    2  H1  HOH     1       0.957   0.000   0.000  1.00  0.00           H\n"
    "HETATM    3  H2  HOH     1      -0.240   0.927   0.000  1.00  0.00           H\n";

Parametrized parametrize(const std::string& pdb, const std::string& xml) {
  return apply_forcefield(read_structure(test::write_temporary("a.pdb", pdb)), {test::write_temporary("a.xml", xml)});
}
std::string error_of(const std::string& pdb, const std::string& xml) {
  try {
    parametrize(pdb, xml);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}
std::string with(std::string xml, const std::string& before, const std::string& insert) {
  const std::size_t at = xml.find(before);
  EXPECT_NE(at, std::string::npos) << before;
  return xml.insert(at, insert);
}

TEST(ForceFieldXml, WaterGetsItsParameters) {
  const Parametrized p = parametrize(water, test::water_xml);
  const ForceField& ff = p.force_field;
  EXPECT_EQ(p.topology.atoms[0].type, "tip3p-O");
  EXPECT_NEAR(p.topology.atoms[1].mass, 1.007947, 1e-12);
  ASSERT_EQ(ff.bonds.size(), 2u);
  EXPECT_NEAR(ff.bonds[0].k, 462750.4, 1e-9);
  ASSERT_EQ(ff.angles.size(), 1u);
  EXPECT_EQ(ff.angles[0].j, 0);
  EXPECT_NEAR(ff.charges[0], -0.834, 1e-15);
  EXPECT_EQ(ff.exclusions.size(), 3u);
  const auto n = static_cast<std::size_t>(ff.lj_type[0] * ff.lj_types + ff.lj_type[0]);
  EXPECT_NEAR(ff.lj_c6[n], 4 * 0.635968 * std::pow(0.31507524065751241, 6), 1e-15);
}

TEST(ForceFieldXml, MissingAtomsAreNamed) {
  const std::string without_hydrogen = water.substr(0, water.find("HETATM    3"));
  const std::string xml = with(test::water_xml, " <Patches>", "");
  std::string plain = xml;
  plain.erase(plain.find("   <AllowPatch"), std::string("   <AllowPatch name=\"OH\"/>\n").size());
  EXPECT_THAT(error_of(without_hydrogen, plain), HasSubstr("residue 1 HOH lacks H2"));
  EXPECT_THAT(error_of(without_hydrogen, plain), HasSubstr("`uplift build`"));
  EXPECT_THAT(error_of("HETATM    1  X1  FOO     1       0.000   0.000   0.000  1.00  0.00           C\n", plain),
              HasSubstr("matches no residue of the force field"));
}

TEST(ForceFieldXml, PatchesMakeOtherResidues) {
  const Parametrized p = parametrize(water.substr(0, water.find("HETATM    3")), test::water_xml);
  EXPECT_EQ(p.force_field.bonds.size(), 1u);
  EXPECT_NEAR(p.force_field.charges[1], 0.417, 1e-15);
}

TEST(ForceFieldXml, WhatTheEngineCannotDoIsRefusedWithItsLine) {
  const std::string end = "</ForceField>";
  EXPECT_THAT(error_of(water, with(test::water_xml, end, "<DrudeForce/>\n")),
              HasSubstr("a.xml:35: <DrudeForce>: the engine does not have"));
  EXPECT_THAT(error_of(water, with(test::water_xml, end, "<Script>1</Script>\n")), HasSubstr("holds Python code"));
  EXPECT_THAT(error_of(water, with(test::water_xml, end, "<CustomTorsionForce energy=\"k*theta^4\"/>\n")),
              HasSubstr("'k*theta^4' is not known"));
  EXPECT_THAT(
      error_of(water,
               with(test::water_xml, end,
                    "<HarmonicBondForce><Bond type1=\"ion\" type2=\"ion\" length=\"x\" k=\"1\"/></HarmonicBondForce>\n")),
      HasSubstr("a.xml:35: <Bond>: length is 'x', which is no number"));
  EXPECT_THAT(error_of(water, test::water_xml.substr(0, 700)), HasSubstr("a.xml:"));
}

TEST(ForceFieldXml, IncompleteParametersAreErrors) {
  std::string xml = test::water_xml;
  xml.replace(xml.find("class1=\"HW\" class2=\"OW\""), 11, "class1=\"NA\"");
  EXPECT_THAT(error_of(water, xml), HasSubstr("no angle tip3p-H-tip3p-O-tip3p-H"));
}

// A chain A-B-C-D on which torsions can be tried.
std::string chain_xml(const std::string& force) {
  std::string xml = "<ForceField><AtomTypes>";
  for (const char* t : {"A", "B", "C", "D"})
    xml += std::string("<Type name=\"") + t + "\" class=\"" + t + "\" element=\"C\" mass=\"12\"/>";
  xml += "</AtomTypes><Residues><Residue name=\"LIG\">";
  for (const char* t : {"A", "B", "C", "D"}) xml += std::string("<Atom name=\"") + t + "\" type=\"" + t + "\"/>";
  xml +=
      "<Bond from=\"0\" to=\"1\"/><Bond from=\"1\" to=\"2\"/><Bond from=\"2\" "
      "to=\"3\"/></Residue></Residues><HarmonicBondForce>";
  for (const char* b : {"AB", "BC", "CD"})
    xml += std::string("<Bond class1=\"") + b[0] + "\" class2=\"" + b[1] + "\" length=\"0.15\" k=\"1\"/>";
  xml +=
      "</HarmonicBondForce><HarmonicAngleForce><Angle class1=\"A\" class2=\"B\" class3=\"C\" angle=\"2\" k=\"1\"/>"
      "<Angle class1=\"D\" class2=\"C\" class3=\"B\" angle=\"2\" k=\"1\"/></HarmonicAngleForce>"
      "<NonbondedForce coulomb14scale=\"0.5\" lj14scale=\"0.25\">";
  for (const char* t : {"A", "B", "C", "D"})
    xml += std::string("<Atom type=\"") + t + "\" charge=\"0.5\" sigma=\"0.3\" epsilon=\"0.4\"/>";
  return xml + "</NonbondedForce>" + force + "</ForceField>";
}
const std::string chain_pdb =
    "HETATM    1  A   LIG     1       0.000   0.000   0.000  1.00  0.00           C\n"
    "HETATM    2  B   LIG     1       1.500   0.000   0.000  1.00  0.00           C\n"
    "HETATM    3  C   LIG     1       2.000   1.400   0.000  1.00  0.00           C\n"
    "HETATM    4  D   LIG     1       3.500   1.400   0.500  1.00  0.00           C\n";

TEST(ForceFieldXml, TermsWithoutWildcardsWin) {
  const auto proper = [](const char* a, const char* k) {
    return std::string("<Proper class1=\"") + a + "\" class2=\"B\" class3=\"C\" class4=\"" + a +
           "\" periodicity1=\"2\" phase1=\"0\" k1=\"" + k + "\"/>";
  };
  const std::string specific =
      "<Proper class1=\"D\" class2=\"C\" class3=\"B\" class4=\"A\" periodicity1=\"3\" phase1=\"0\" k1=\"7\"/>";
  for (const std::string& list : {proper("", "1") + specific, specific + proper("", "1")}) {
    const Parametrized p = parametrize(chain_pdb, chain_xml("<PeriodicTorsionForce>" + list + "</PeriodicTorsionForce>"));
    ASSERT_EQ(p.force_field.dihedrals.size(), 1u);
    EXPECT_EQ(p.force_field.dihedrals[0].periodicity, 3);
  }
  const Parametrized p = parametrize(
      chain_pdb, chain_xml("<PeriodicTorsionForce>" + proper("", "1") + proper("", "2") + "</PeriodicTorsionForce>"));
  ASSERT_EQ(p.force_field.dihedrals.size(), 1u);
  EXPECT_EQ(p.force_field.dihedrals[0].barrier, 1);  // of several with wildcards the first
  ASSERT_EQ(p.force_field.pairs14.size(), 1u);
  EXPECT_NEAR(p.force_field.pairs14[0].charge_product, 0.125, 1e-15);
  EXPECT_NEAR(p.force_field.pairs14[0].c6, 0.25 * 4 * 0.4 * std::pow(0.3, 6), 1e-15);
}

TEST(ForceFieldXml, RyckaertBellemansIsTheSameFunction) {
  const double c[6] = {9.28, 12.16, -13.12, -3.06, 26.24, -31.5};
  std::string attributes;
  for (int k = 0; k < 6; ++k) attributes += " c" + std::to_string(k) + "=\"" + std::to_string(c[k]) + "\"";
  const Parametrized p =
      parametrize(chain_pdb, chain_xml("<RBTorsionForce><Proper class1=\"A\" class2=\"B\" class3=\"C\" class4=\"D\"" +
                                       attributes + "/></RBTorsionForce>"));
  for (double phi = -3; phi < 3.2; phi += 0.37) {
    double want = 0, have = 0;
    for (int n = 0; n < 6; ++n) want += c[n] * std::pow(std::cos(phi - constants::pi), n);
    for (const PeriodicDihedral& d : p.force_field.dihedrals) have += d.barrier * (1 + std::cos(d.periodicity * phi - d.phase));
    EXPECT_NEAR(have, want, 1e-12 * 100);
  }
}

}  // namespace
}  // namespace uplift
