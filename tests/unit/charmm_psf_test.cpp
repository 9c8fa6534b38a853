// What read_psf makes of a small system whose every number is known. check_charmm.py compares with OpenMM.
#include <gtest/gtest.h>

#include <cmath>

#include "support/prmtop_builder.hpp"
#include "support/topology_texts.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/model/system.hpp"

namespace uplift {
namespace {

constexpr double kcal = 4.184;

TopologyFile read(const std::string& psf, const std::string& prm, const std::string& suffix = "prm") {
  return read_psf(test::write_temporary("a.psf", psf), {test::write_temporary("a." + suffix, prm)});
}
std::string message_of(const std::string& psf, const std::string& prm) {
  try {
    read(psf, prm);
  } catch (const InputError& e) {
    return e.what();
  }
  return "(no error)";
}
std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(CharmmPsf, AtomsResiduesAndBonds) {
  const TopologyFile t = read(test::psf_text(), test::prm_text());
  ASSERT_EQ(t.topology.size(), 9);
  ASSERT_EQ(t.topology.residues.size(), 3u);
  EXPECT_EQ(t.topology.residues[1].number, 2);
  EXPECT_EQ(t.topology.residues[2].chain, "WAT");
  EXPECT_EQ(t.topology.bonds.size(), 7u);  // H-H of water is none
  EXPECT_EQ(t.force_field.bonds.size(), 8u);
  EXPECT_EQ(t.topology.atoms[1].element, 7);
  const System system = make_system(t.topology, t.force_field, {});
  ASSERT_EQ(system.rigid_waters.size(), 1u);
  EXPECT_NEAR(system.rigid_waters[0].hh, 0.15139, 1e-12);
}

TEST(CharmmPsf, BondedTermsFindTheirParameters) {
  const ForceField ff = read(test::psf_text(), test::prm_text()).force_field;
  EXPECT_NEAR(ff.bonds[0].k, 2 * 370 * kcal * 100, 1e-8);
  EXPECT_NEAR(ff.bonds[0].r0, 0.1345, 1e-15);
  ASSERT_EQ(ff.urey_bradleys.size(), 1u);
  EXPECT_NEAR(ff.urey_bradleys[0].force_constant, 2 * 25 * kcal * 100, 1e-8);
  // 1-2-3-4 has two terms; 2-3-4-5 one by its types; 2-3-4-6 one by wildcards.
  ASSERT_EQ(ff.dihedrals.size(), 4u);
  EXPECT_EQ(ff.dihedrals[2].periodicity, 1);
  EXPECT_EQ(ff.dihedrals[3].periodicity, 6);
  ASSERT_EQ(ff.impropers.size(), 1u);
  EXPECT_NEAR(ff.impropers[0].force_constant, 2 * 120 * kcal, 1e-9);
  ASSERT_EQ(ff.cmaps.size(), 1u);
  EXPECT_EQ(ff.cmaps[0].m, 4);
  EXPECT_NEAR(ff.cmap_grids[0].energy[15], 1.6 * kcal, 1e-12);
}

TEST(CharmmPsf, PairsHaveTheSpecialParametersAndNbfix) {
  const ForceField ff = read(test::psf_text(), test::prm_text()).force_field;
  ASSERT_EQ(ff.pairs14.size(), 3u);  // 1-4, 2-5, 2-6
  const auto of = [](double epsilon, double rmin) { return epsilon * kcal * std::pow(rmin / 10, 12); };
  EXPECT_NEAR(ff.pairs14[1].c12 / of(0.20, 1.55 + 1.55), 1, 1e-12);
  EXPECT_NEAR(ff.pairs14[2].c12 / of(std::sqrt(0.20 * 0.12), 1.55 + 1.40), 1, 1e-12);
  EXPECT_DOUBLE_EQ(ff.pairs14[1].charge_product, 0.47 * 0.47);
  const auto at = [&](int i, int j) {
    return static_cast<std::size_t>(ff.lj_type[static_cast<std::size_t>(i)] * ff.lj_types +
                                    ff.lj_type[static_cast<std::size_t>(j)]);
  };
  EXPECT_NEAR(ff.lj_c12[at(5, 6)] / of(0.2, 3.3), 1, 1e-12);
  EXPECT_NEAR(ff.lj_c6[at(6, 5)] / (2 * 0.2 * kcal * std::pow(0.33, 6)), 1, 1e-12);
  EXPECT_NEAR(ff.lj_c12[at(1, 2)] / of(std::sqrt(0.2 * 0.032), 3.85), 1, 1e-12);
}

TEST(CharmmPsf, TypesMayBeNumbersAndFilesStreams) {
  std::string psf = test::psf_text();
  for (const auto& [name, number] : {std::pair("NH1    -0.47", "2      -0.47"), std::pair("CT1     0.07", "3       0.07")})
    for (std::size_t at; (at = psf.find(name)) != std::string::npos;) psf.replace(at, std::string(name).size(), number);
  EXPECT_EQ(read(psf, test::prm_text()).topology.atoms[1].type, "NH1");
  std::string stream = test::prm_text();
  const std::size_t masses = stream.find("ATOMS"), bonds = stream.find("BONDS");
  const std::string rtf = "read rtf card append\n* title\n*\n36 1\n" + stream.substr(masses + 6, bonds - masses - 6) +
                          "RESI ALA 0.0\nATOM N NH1 -0.47\nBOND N CA\nIMPR N A B C\nend\n";
  stream = "* stream\n*\n\n" + rtf + "\nread para card flex append\n* more\n*\n" + stream.substr(bonds) + "\nset x 3\nreturn\n";
  EXPECT_EQ(read(psf, stream, "str").force_field.dihedrals.size(), 4u);
}

TEST(CharmmPsf, WhatIsNotKnownIsRefusedByName) {
  const struct {
    bool in_psf;
    std::string from, to, says;
  } cases[] = {
      {true, "PSF EXT", "PSF DRUDE EXT", "DRUDE"},
      {true, "       0 !NDON", "       1       0 !NUMLP NUMLPH\n\n       0 !NDON", "lone pairs"},
      {true, "PSF EXT CMAP XPLOR", "TOP", "PSF"},
      {true, "       8 !NBOND", "       9 !NBOND", "!NBOND ends too early"},
      {true, "       1       2       2       3       3", "       1       2       2      30       3", "no atom 30"},
      {false, "C   NH1 CT1   50.0  120.0\n", "", "angle of the types"},
      {false, "O      0.0  -0.12    1.70   0.0  -0.12   1.40\n", "", "NONBONDED line of the types O"},
      {false, "eps 1.0", "eps 4.0", "EPS"},
      {false, "nbxmod  5", "nbxmod  3", "NBXMOD"},
      {false, "C      0.0  -0.11", "C      0.0  0.11", "Slater"},
      {false, " 1.1 1.2 1.3 1.4 1.5 1.6\n", " 1.1\n", "energies"},
      {false, "X   CT1 C   X    0.05 6", "X   CT1 C   X    0.05 0", "periodicity 0"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.to);
    const std::string message = c.in_psf ? message_of(changed(test::psf_text(), c.from, c.to), test::prm_text())
                                         : message_of(test::psf_text(), changed(test::prm_text(), c.from, c.to));
    EXPECT_NE(message.find(c.says), std::string::npos) << message;
    EXPECT_NE(message.find("-a.p"), std::string::npos) << message;
  }
  EXPECT_THROW(read_psf(test::write_temporary("a.psf", test::psf_text()), {}), InputError);
}

TEST(CharmmCard, Coordinates) {
  const std::string text =
      "* title\n*\n    2  EXT\n"
      "    1    1 ALA  N      1.00000   2.00000  -3.50000 PEP  1      0.00000\n"
      "    2    1 ALA  CA    11.00000   2.00000   3.50000 PEP  1      0.00000\n";
  ASSERT_TRUE(is_charmm_card(text));
  const Coordinates c = read_charmm_card(test::write_temporary("a.crd", text));
  ASSERT_EQ(c.x.size(), 2u);
  EXPECT_DOUBLE_EQ(c.x[0].z, -0.35);
  EXPECT_FALSE(c.box);
  EXPECT_THROW(read_charmm_card(test::write_temporary("a.crd", text.substr(0, 90))), InputError);
}

}  // namespace
}  // namespace uplift
