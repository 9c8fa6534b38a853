#include "uplift/io/structure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/prmtop_builder.hpp"
#include "support/structure_texts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/pdb.hpp"

namespace uplift {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

Structure read(const std::string& text, const std::string& name = "a.pdb") {
  return read_structure(test::write_temporary(name, text));
}

std::string error_of(const std::string& text, const std::string& name = "a.pdb") {
  try {
    read(text, name);
  } catch (const InputError& e) {
    return e.what();
  }
  return "no error";
}

bool bonded(const Structure& s, const std::string& a, const std::string& b) {
  const auto label = [&](int i) {
    const Atom& atom = s.topology.atoms[static_cast<std::size_t>(i)];
    return s.topology.residues[static_cast<std::size_t>(atom.residue)].name + ":" + atom.name;
  };
  return std::any_of(s.topology.bonds.begin(), s.topology.bonds.end(), [&](const Bond& bond) {
    return (label(bond.i) == a && label(bond.j) == b) || (label(bond.i) == b && label(bond.j) == a);
  });
}

std::string mmcif(const std::string& sites, const std::string& connections) {
  std::string text = "data_x\nloop_\n";
  for (const char* column :
       {"group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id", "label_seq_id",
        "Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv", "auth_seq_id", "auth_asym_id"})
    text += std::string("_atom_site.") + column + "\n";
  text += sites + "loop_\n";
  for (const char* column : {"id", "conn_type_id", "ptnr1_auth_asym_id", "ptnr1_label_comp_id", "ptnr1_auth_seq_id",
                             "ptnr1_label_atom_id", "ptnr1_symmetry", "ptnr2_auth_asym_id", "ptnr2_label_comp_id",
                             "ptnr2_auth_seq_id", "ptnr2_label_atom_id", "ptnr2_symmetry"})
    text += std::string("_struct_conn.") + column + "\n";
  return text + connections;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

// Before 1996 columns 73 to 80 held the entry's code and the number of the line.
TEST(Structure, ColumnsOfOldFilesAreNoElementsOrCharges) {
  std::string text;
  int number = 190;
  for (std::size_t at = 0, end; at < std::string(test::dipeptide_pdb).size(); at = end + 1) {
    end = std::string(test::dipeptide_pdb).find('\n', at);
    std::string line = std::string(test::dipeptide_pdb).substr(at, end - at);
    if (line.starts_with("ATOM") || line.starts_with("HETATM")) {
      line.resize(72, ' ');
      line += "1CIH " + std::to_string(++number);
    }
    text += line + "\n";
  }
  const Structure old = read(text), now = read(test::dipeptide_pdb);
  ASSERT_EQ(old.topology.size(), now.topology.size());
  for (std::size_t i = 0; i < now.topology.atoms.size(); ++i)
    EXPECT_EQ(old.topology.atoms[i].element, now.topology.atoms[i].element) << i;
}

TEST(Structure, InsertionCodesTellResiduesApartAndStay) {
  const std::string text =
      "ATOM      1  CA  GLY A 209       0.000   0.000   0.000  1.00  0.00           C  \n"
      "ATOM      2  CA  GLY A 209A      3.800   0.000   0.000  1.00  0.00           C  \n";
  const Structure s = read(text);
  ASSERT_EQ(s.topology.residues.size(), 2u);
  EXPECT_EQ(s.topology.residues[0].insertion, "");
  EXPECT_EQ(s.topology.residues[1].insertion, "A");
  System system;
  system.topology = s.topology;
  EXPECT_THAT(pdb_text(system, {}, s.x), HasSubstr(text));
}

TEST(Structure, StandardResiduesHaveTheBondsOfTheirNames) {
  const Structure s = read(test::dipeptide_pdb);
  EXPECT_EQ(s.topology.size(), 25);
  ASSERT_EQ(s.topology.residues.size(), 4u);
  EXPECT_EQ(s.topology.title, "ALANINE DIPEPTIDE");
  EXPECT_EQ(s.topology.bonds.size(), 23u);  // 21 in the peptide, two in water
  EXPECT_TRUE(bonded(s, "ACE:C", "ALA:N"));
  EXPECT_TRUE(bonded(s, "ALA:C", "NME:N"));
  EXPECT_TRUE(bonded(s, "NME:N", "NME:C"));
  EXPECT_TRUE(bonded(s, "ALA:CB", "ALA:HB3"));
  EXPECT_FALSE(bonded(s, "NME:C", "HOH:O"));
  EXPECT_EQ(s.topology.atoms[8].element, 6);  // CA is carbon
  EXPECT_NEAR(s.x[8].x, 0.3559, 1e-12);
  ASSERT_TRUE(s.box);
  EXPECT_NEAR(s.box->c.z, 2.7, 1e-12);
}

TEST(Structure, HydrogensOfOtherConventionsFindTheirAtoms) {
  std::string text = test::dipeptide_pdb;
  text = replaced(text, " HB1 ALA", "1HB  ALA");
  text = replaced(text, " H   ALA", " HN  ALA");
  const Structure s = read(text);
  EXPECT_EQ(s.topology.bonds.size(), 23u);
  EXPECT_TRUE(bonded(s, "ALA:N", "ALA:HN"));
}

TEST(Structure, OfAlternateLocationsTheMostOccupiedIsTaken) {
  std::string text = test::dipeptide_pdb;
  const std::string cb = "ATOM     11  CB  ALA A   2       4.015  -2.286   1.141  1.00";
  text = replaced(text, cb, "ATOM     11  CB AALA A   2       4.015  -2.286   1.141  0.40");
  const std::size_t next = text.find("ATOM     12");
  text.insert(next, "ATOM     11  CB BALA A   2       4.100  -2.286   1.141  0.60  0.00           C\n");
  const Structure s = read(text);
  EXPECT_EQ(s.topology.size(), 25);
  EXPECT_NEAR(s.x[10].x, 0.41, 1e-12);
  EXPECT_THAT(s.notes, Contains(HasSubstr("ALA A 2 has 2 alternate locations; B is taken")));
}

TEST(Structure, MoreAtomsMakeNoLocationMoreOccupied) {
  std::string text = test::dipeptide_pdb;
  const auto whole = [&](const std::string& atom) {
    return text.substr(text.find(atom), text.find('\n', text.find(atom)) + 1 - text.find(atom));
  };
  const auto at = [](std::string line, char location, const std::string& occupancy) {
    line[16] = location;
    return line.replace(54, 6, occupancy);
  };
  // Two atoms in A, three in B: 2 x 0.7 is less than 3 x 0.5.
  const std::string cb = whole("ATOM     11  CB"), hb = whole("ATOM     12"), other = whole("ATOM     13");
  text = replaced(text, cb, at(cb, 'A', "  0.70") + at(cb, 'B', "  0.50"));
  text = replaced(text, hb, at(hb, 'A', "  0.70") + at(hb, 'B', "  0.50"));
  text = replaced(text, other, at(other, 'B', "  0.50"));
  EXPECT_THAT(read(text).notes, Contains(HasSubstr("A is taken, the one with the largest occupancy")));
}

TEST(Structure, AnAtomThatTheLocationLacksKeepsItsOwn) {
  std::string text = test::dipeptide_pdb;
  text = replaced(text, "CB  ALA A   2       4.015  -2.286   1.141  1.00", "CB AALA A   2       4.015  -2.286   1.141  0.60");
  text = replaced(text, "C   ALA A   2       4.240  -0.012   0.144  1.00", "C  BALA A   2       4.240  -0.012   0.144  0.40");
  text = replaced(text, "HA  ALA A   2       3.873  -1.808  -0.947  1.00", "HA BALA A   2       3.873  -1.808  -0.947  0.40");
  const Structure s = read(text);
  EXPECT_THAT(s.notes, Contains(HasSubstr("A is taken")));
  EXPECT_TRUE(bonded(s, "ALA:CA", "ALA:C") && bonded(s, "ALA:CA", "ALA:CB"));
  EXPECT_EQ(s.topology.size(), 24);  // without HA
}

TEST(Structure, AlternativeResiduesWhoseAtomsStandInTurnAreTwoResidues) {
  const auto line = [](int serial, const char* atom, const char* residue, double x, double occupancy) {
    char text[96];
    std::snprintf(text, sizeof text, "ATOM  %5d  %-3s%s A  22    %8.3f   0.000   0.000  %4.2f  0.00           %c\n", serial,
                  atom, residue, x, occupancy, atom[0]);
    return std::string(text);
  };
  std::string text;
  int serial = 0;
  for (const char* atom : {"N", "CA", "C", "O", "CB"}) {
    const double x = serial;
    text += line(++serial, atom, "AALA", x, 0.4);
    text += line(++serial, atom, "BSER", x + 1, 0.6);
  }
  text += line(++serial, "OG", "BSER", 12, 0.6);
  const Structure s = read(text);
  ASSERT_EQ(s.topology.residues.size(), 1u);
  EXPECT_EQ(s.topology.residues[0].name, "SER");
  EXPECT_EQ(s.topology.size(), 6);
  EXPECT_NEAR(s.x[1].x, 0.3, 1e-12);
  EXPECT_THAT(s.notes, Contains(HasSubstr("are alternatives at one place; SER is taken")));
}

TEST(Structure, SerialNumbersOfFiveLettersAreRead) {
  const auto atom = [](const std::string& serial, const char* name, const char* x) {
    return "HETATM" + serial + "  " + name + "  LIG A   1      " + x + "   0.000   0.000  1.00  0.00           C\n";
  };
  const std::string atoms = atom("99999", "C1", "10.000") + atom("A0000", "C2", "15.000") + atom("A0001", "C3", "20.000") +
                            atom("ZZZZZ", "C4", "25.000");
  EXPECT_TRUE(read(atoms).topology.bonds.empty());
  const Structure s = read(atoms + "CONECT99999A0000\nCONECTA0001A0000ZZZZZ\n");
  EXPECT_EQ(s.topology.bonds.size(), 3u);
  EXPECT_TRUE(bonded(s, "LIG:C1", "LIG:C2"));
  EXPECT_TRUE(bonded(s, "LIG:C3", "LIG:C4"));
  EXPECT_EQ(read(atoms + "CONECT*****A0000*****\n").topology.bonds.size(), 0u);
  EXPECT_THROW(read(atoms + "CONECT99999a0000\n"), InputError);
}

TEST(Structure, SerialNumbersOfSixFiguresAreRead) {
  const Structure s = read(
      "ATOM  99999  O   HOH W   1       0.000   0.000   0.000  1.00  0.00           O  \n"
      "ATOM 100000  O   HOH W   2       3.000   0.000   0.000  1.00  0.00           O  \n"
      "HETATM100001 O   HOH W   3       6.000   0.000   0.000  1.00  0.00           O  \n");
  ASSERT_EQ(s.topology.size(), 3);
  EXPECT_NEAR(s.x[1].x, 0.3, 1e-12);
}

TEST(Structure, NumbersThatStartAgainAreOtherResidues) {
  std::string text;
  for (int n = 0; n < 3; ++n)
    text += "HETATM    1  O   HOH     7      " + std::to_string(n) +
            "0.000   0.000   0.000  1.00  0.00           O\n"
            "HETATM    2  H1  HOH     7      " +
            std::to_string(n) +
            "0.957   0.000   0.000  1.00  0.00           H\n"
            "HETATM    3  H2  HOH     7      " +
            std::to_string(n) + "0.000   0.927   0.000  1.00  0.00           H\n";
  const Structure s = read(text);
  EXPECT_EQ(s.topology.residues.size(), 3u);
  EXPECT_EQ(s.topology.bonds.size(), 6u);
}

TEST(Structure, ExtraPointsAreNoAtoms) {
  const Structure s = read(
      "HETATM    1  O   TIP4    7       0.000   0.000   0.000  1.00  0.00           O\n"
      "HETATM    2  H1  TIP4    7       0.957   0.000   0.000  1.00  0.00           H\n"
      "HETATM    3  H2  TIP4    7       0.000   0.927   0.000  1.00  0.00           H\n"
      "HETATM    4 EPW  TIP4    7       0.100   0.100   0.000  1.00  0.00            \n");
  EXPECT_EQ(s.topology.residues[0].name, "TIP4");
  EXPECT_EQ(s.topology.atoms[3].element, 0);
  EXPECT_EQ(s.topology.atoms[3].mass, 0);
  EXPECT_EQ(s.topology.bonds.size(), 2u);
}

TEST(Structure, SulfursNearEachOtherAreBonded) {
  const auto cys = [](int number, double x) {
    char line[128];
    std::string text;
    const char* names[] = {"N", "CA", "C", "O", "CB", "SG"};
    for (int k = 0; k < 6; ++k) {
      std::snprintf(line, sizeof line, "ATOM  %5d  %-3s CYS %c%4d    %8.3f%8.3f%8.3f  1.00  0.00           %c\n", k, names[k],
                    number == 1 ? 'A' : 'B', number, x, 1.5 * (5 - k), 0.0, names[k][0]);
      text += line;
    }
    return text + "TER\n";
  };
  const Structure s = read(cys(1, 0) + cys(2, 2.05));
  EXPECT_TRUE(bonded(s, "CYS:SG", "CYS:SG"));
  EXPECT_THAT(s.notes, Contains(HasSubstr("disulfide between atom 6 (SG of CYS 1) and atom 12 (SG of CYS 2)")));
  EXPECT_FALSE(bonded(read(cys(1, 0) + cys(2, 4)), "CYS:SG", "CYS:SG"));
}

// The sulfur at the other end is that of a copy, not the one of that name in the file.
TEST(Structure, BondsToSymmetryCopiesAreNone) {
  const std::string atoms =
      "ATOM      1  SG  CYS A   1       0.000   0.000   0.000  1.00  0.00           S  \n"
      "ATOM      2  SG  CYS A   9      10.000   0.000   0.000  1.00  0.00           S  \n";
  const std::string ssbond = "SSBOND   1 CYS A    1    CYS A    9                          1555   ",
                    link = "LINK         SG  CYS A   1                 SG  CYS A   9     1555   ";
  EXPECT_EQ(read(ssbond + "1555  2.03  \n" + atoms).topology.bonds.size(), 1u);
  EXPECT_EQ(read(link + "1555  2.03  \n" + atoms).topology.bonds.size(), 1u);
  for (const std::string& record : {ssbond, link}) {
    const Structure s = read(record + "2655  2.03  \n" + atoms);
    EXPECT_TRUE(s.topology.bonds.empty());
    EXPECT_THAT(s.notes, Contains(HasSubstr("1 bond of SSBOND, LINK or struct_conn")));
  }
  const std::string cif = "disulf1 disulf A CYS 1 SG 1_555 A CYS 9 SG ";
  const std::string sites = "ATOM 1 S SG . CYS A 1 0 0 0 1 0 1 A\nATOM 2 S SG . CYS A 9 10 0 0 1 0 9 A\n";
  EXPECT_EQ(read(mmcif(sites, cif + "1_555\n"), "a.cif").topology.bonds.size(), 1u);
  EXPECT_TRUE(read(mmcif(sites, cif + "2_655\n"), "a.cif").topology.bonds.empty());
}

// The force field says later whether they are bonds.
TEST(Structure, MetalsHaveTheLinksOfEitherFormat) {
  const std::string pdb =
      "LINK         SG  CYS A   1                ZN    ZN A   9     1555   1555  2.30  \n"
      "ATOM      1  SG  CYS A   1       0.000   0.000   0.000  1.00  0.00           S  \n"
      "HETATM    2 ZN    ZN A   9       2.300   0.000   0.000  1.00  0.00          ZN  \n";
  const std::string sites = "ATOM 1 S SG . CYS A 1 0 0 0 1 0 1 A\nHETATM 2 ZN ZN . ZN B . 2.3 0 0 1 0 9 A\n",
                    ends = " A CYS 1 SG 1_555 A ZN 9 ZN 1_555\n";
  EXPECT_TRUE(bonded(read(pdb), "CYS:SG", "ZN:ZN"));
  EXPECT_TRUE(bonded(read(mmcif(sites, "metalc1 metalc" + ends), "a.cif"), "CYS:SG", "ZN:ZN"));
  EXPECT_FALSE(bonded(read(mmcif(sites, "hydrog1 hydrog" + ends), "a.cif"), "CYS:SG", "ZN:ZN"));
}

TEST(Structure, ConectBondsUnknownResidues) {
  const std::string atoms =
      "HETATM    1  C1  LIG     1       0.000   0.000   0.000  1.00  0.00           C\n"
      "HETATM    2  N1  LIG     1       1.400   0.000   0.000  1.00  0.00           N\n"
      "HETATM    3  H1  LIG     1       1.900   0.800   0.000  1.00  0.00           H\n";
  const Structure without = read(atoms);
  EXPECT_TRUE(without.topology.bonds.empty());
  EXPECT_FALSE(without.bonds_known[0]);
  const Structure with = read(atoms + "CONECT    1    2\nCONECT    2    1    3\n");
  EXPECT_EQ(with.topology.bonds.size(), 2u);
  EXPECT_TRUE(with.bonds_known[0]);
}

TEST(Structure, BrokenChainsAreSaid) {
  std::string text = test::dipeptide_pdb;
  text = replaced(text, "       5.318   0.190  -0.608", "      15.318   0.190  -0.608");
  const Structure s = read(text);
  EXPECT_FALSE(bonded(s, "ALA:C", "NME:N"));
  EXPECT_THAT(s.notes, Contains(HasSubstr("the chain is broken there")));
}

TEST(Structure, MmcifSaysTheSame) {
  const Structure pdb = read(test::dipeptide_pdb);
  std::string text =
      "data_x\n_cell.length_a 25\n_cell.length_b 26\n_cell.length_c 27\n_cell.angle_alpha 90\n_cell.angle_beta "
      "90\n_cell.angle_gamma 90\n"
      "loop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol\n_atom_site.label_atom_id\n_atom_site.label_alt_id\n"
      "_atom_site.label_comp_id\n_atom_site.label_asym_id\n_atom_site.label_seq_id\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n"
      "_atom_site.Cartn_z\n_atom_site.occupancy\n_atom_site.B_iso_or_equiv\n_atom_site.auth_seq_id\n_atom_site.auth_asym_id\n";
  for (int i = 0; i < pdb.topology.size(); ++i) {
    const Atom& a = pdb.topology.atoms[static_cast<std::size_t>(i)];
    const Residue& r = pdb.topology.residues[static_cast<std::size_t>(a.residue)];
    char line[200];
    const Vec3d& x = pdb.x[static_cast<std::size_t>(i)];
    std::snprintf(line, sizeof line, "ATOM %d %s %s . %s %s %d %.5f %.5f %.5f 1.0 0 %d %s\n", i + 1,
                  element_symbol(a.element).c_str(), a.name.c_str(), r.name.c_str(), r.chain.c_str(), r.number, 10 * x.x,
                  10 * x.y, 10 * x.z, r.number, r.chain.c_str());
    text += line;
  }
  const Structure cif = read(text, "a.cif");
  ASSERT_EQ(cif.topology.size(), pdb.topology.size());
  ASSERT_EQ(cif.topology.bonds.size(), pdb.topology.bonds.size());
  for (std::size_t k = 0; k < cif.topology.bonds.size(); ++k) EXPECT_EQ(cif.topology.bonds[k].j, pdb.topology.bonds[k].j);
  EXPECT_TRUE(cif.box == pdb.box);
  EXPECT_THAT(error_of(replaced(text, " 3.55900 ", " 3x.559 "), "a.cif"),
              HasSubstr("row 9 of _atom_site: Cartn_x is '3x.559'"));
}

TEST(Structure, DamageIsReportedWithItsLine) {
  EXPECT_THAT(error_of(replaced(test::dipeptide_pdb, "3.559  -1.369", "3.5x9  -1.369")),
              HasSubstr(":11: x in columns 31 to 38"));
  EXPECT_THAT(error_of(test::dipeptide_pdb.substr(0, 300)), HasSubstr("line ends before its coordinates"));
  EXPECT_THAT(error_of("HEADER\nEND\n"), HasSubstr("holds no ATOM or HETATM record"));
  EXPECT_THAT(error_of(replaced(test::dipeptide_pdb, " HB2 ALA", " HB1 ALA")),
              HasSubstr(":15: a second atom ' HB1 ' in residue ALA"));
  EXPECT_THAT(error_of("data_x\n_a.b\n", "a.cif"), HasSubstr("a.cif"));
}

}  // namespace
}  // namespace uplift
