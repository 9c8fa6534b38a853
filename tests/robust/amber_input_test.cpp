// Bad Amber files: each ends in one InputError that names the file and says what to do, never in a crash or a wrong system.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "support/prmtop_builder.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

using test::PrmtopBuilder;

/// The message of the InputError that `read` must throw, empty (and a failure) when it throws none.
std::string message_of(const std::function<void()>& read) {
  try {
    read();
  } catch (const InputError& e) {
    return e.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

std::string prmtop_message(const std::string& text) {
  const std::string path = test::write_temporary("bad.prmtop", text);
  const std::string message = message_of([&] { read_prmtop(path); });
  EXPECT_NE(message.find(path), std::string::npos) << message;
  return message;
}

std::string coordinates_message(const std::string& text) {
  const std::string path = test::write_temporary("bad.rst7", text);
  const std::string message = message_of([&] { read_amber_coordinates(path); });
  EXPECT_NE(message.find(path), std::string::npos) << message;
  return message;
}

#define EXPECT_SAYS(message, part)                                        \
  do {                                                                    \
    const std::string said = (message);                                   \
    EXPECT_NE(said.find(part), std::string::npos) << "message: " << said; \
  } while (false)

std::string with(const std::function<void(PrmtopBuilder&)>& change, bool chamber = false) {
  PrmtopBuilder b = chamber ? test::chamber_molecule() : test::small_molecule();
  change(b);
  return b.text();
}

TEST(BadPrmtop, NotAPrmtopAtAll) {
  EXPECT_SAYS(prmtop_message(""), "is empty");
  EXPECT_SAYS(prmtop_message("\n  \n"), "is empty");
  EXPECT_SAYS(prmtop_message("title\n    3    2    1\n"), "no %FLAG section");
  EXPECT_SAYS(prmtop_message("CDF\x01 more"), "NetCDF");
  EXPECT_SAYS(prmtop_message(std::string("%VERSION\n%FLAG A\n\0\n", 19)), "not a text file");
  EXPECT_SAYS(prmtop_message("%FLAG TITLE\n%FORMAT(20a4)\nx\n"), "%VERSION");
  EXPECT_SAYS(prmtop_message("%VERSION\n%FLAG TITLE\n%FORMAT(20a4)\nx\n"), "POINTERS");
  EXPECT_SAYS(prmtop_message("BZh91AY"), "bzip2");
}

TEST(BadPrmtop, PathsThatAreNoFiles) {
  EXPECT_SAYS(message_of([] { read_prmtop("/nowhere/at/all.prmtop"); }), "no such file");
  EXPECT_SAYS(message_of([] { read_prmtop("/"); }), "folder");
  EXPECT_SAYS(message_of([] { read_prmtop("/dev/zero"); }), "not an ordinary file");
}

TEST(BadPrmtop, DamagedGzip) {
  const std::string packed = test::gzip(test::small_molecule().text());
  EXPECT_SAYS(prmtop_message(packed.substr(0, packed.size() / 2)), "truncated");
  EXPECT_SAYS(prmtop_message(packed.substr(0, 5)), "gzip");
  std::string flipped = packed;
  flipped[packed.size() / 2] = static_cast<char>(flipped[packed.size() / 2] ^ 0x55);
  EXPECT_SAYS(prmtop_message(flipped), "gzip");
  EXPECT_SAYS(prmtop_message(packed + "trailing rubbish"), "follows the gzip data");
}

TEST(BadPrmtop, DecompressionBombStopsAtTheLimit) {
  const std::string path = test::write_temporary("bomb.gz", test::gzip(std::string(20 << 20, 'a')));
  EXPECT_SAYS(message_of([&] { read_file(path, 1 << 20); }), "more than 1 MiB");
  EXPECT_EQ(read_file(path, 20 << 20).size(), std::size_t{20} << 20);
}

TEST(BadPrmtop, EveryNeededSectionIsMissed) {
  for (const char* flag : {"POINTERS",
                           "ATOM_NAME",
                           "CHARGE",
                           "MASS",
                           "ATOM_TYPE_INDEX",
                           "NUMBER_EXCLUDED_ATOMS",
                           "NONBONDED_PARM_INDEX",
                           "RESIDUE_LABEL",
                           "RESIDUE_POINTER",
                           "BOND_FORCE_CONSTANT",
                           "BOND_EQUIL_VALUE",
                           "ANGLE_FORCE_CONSTANT",
                           "ANGLE_EQUIL_VALUE",
                           "DIHEDRAL_FORCE_CONSTANT",
                           "DIHEDRAL_PERIODICITY",
                           "DIHEDRAL_PHASE",
                           "LENNARD_JONES_ACOEF",
                           "LENNARD_JONES_BCOEF",
                           "BONDS_INC_HYDROGEN",
                           "AMBER_ATOM_TYPE",
                           "BONDS_WITHOUT_HYDROGEN",
                           "ANGLES_INC_HYDROGEN",
                           "ANGLES_WITHOUT_HYDROGEN",
                           "DIHEDRALS_INC_HYDROGEN",
                           "DIHEDRALS_WITHOUT_HYDROGEN",
                           "EXCLUDED_ATOMS_LIST"})
    EXPECT_SAYS(prmtop_message(with([&](auto& b) { b.remove(flag); })), flag);
  for (const char* flag :
       {"CHARMM_UREY_BRADLEY_COUNT", "CHARMM_UREY_BRADLEY", "CHARMM_UREY_BRADLEY_FORCE_CONSTANT", "CHARMM_NUM_IMPROPERS",
        "CHARMM_IMPROPERS", "CHARMM_IMPROPER_PHASE", "LENNARD_JONES_14_ACOEF", "LENNARD_JONES_14_BCOEF", "CHARMM_CMAP_COUNT",
        "CHARMM_CMAP_INDEX", "CHARMM_CMAP_RESOLUTION", "CHARMM_CMAP_PARAMETER_01"})
    EXPECT_SAYS(prmtop_message(with([&](auto& b) { b.remove(flag); }, true)), flag);
}

TEST(BadPrmtop, WhatTheEngineCannotDoIsNeverIgnored) {
  const auto pointer = [](int index, int value) { return with([=](auto& b) { b.override_pointer(index, value); }); };
  EXPECT_SAYS(prmtop_message(pointer(20, 1)), "perturbation");
  EXPECT_SAYS(prmtop_message(pointer(29, 1)), "solvent cap");
  EXPECT_SAYS(prmtop_message(pointer(9, 1)), "locally enhanced sampling");
  const auto section = [](const char* flag, const char* body) { return with([=](auto& b) { b.replace(flag, body); }); };
  EXPECT_SAYS(prmtop_message(section("LENNARD_JONES_CCOEF", "%FORMAT(5E16.8)\n  0.00000000E+00  1.00000000E+00\n")), "12-6-4");
  EXPECT_SAYS(prmtop_message(section("IPOL", "%FORMAT(1I8)\n       1\n")), "polarisable");
  EXPECT_SAYS(prmtop_message(section("AMOEBA_FORCEFIELD", "%FORMAT(i5)\n    1\n")), "AMOEBA");
  EXPECT_SAYS(prmtop_message(section("LES_NTYP", "%FORMAT(10I8)\n       1\n")), "locally enhanced");
  EXPECT_SAYS(prmtop_message(section("CHARMM_DRUDE", "%FORMAT(10I8)\n       1\n")), "CHARMM term");
  // 12-6-4 coefficients that are all zero ask for nothing.
  EXPECT_NO_THROW(
      read_prmtop(test::write_temporary("zero.prmtop", section("LENNARD_JONES_CCOEF", "%FORMAT(5E16.8)\n  0.00000000E+00\n"))));
}

TEST(BadPrmtop, CountsThatCannotBe) {
  const auto pointer = [](int index, int value) {
    return prmtop_message(with([=](auto& b) { b.override_pointer(index, value); }));
  };
  for (int index : {0, 1, 2, 3, 4, 6, 10, 11, 12, 13, 14, 15, 16, 17}) EXPECT_SAYS(pointer(index, -1), "POINTERS");
  for (int index : {0, 1, 2, 4, 6, 10, 12, 13, 14, 15, 16, 17})
    for (int value : {1000, 2147483647}) EXPECT_SAYS(pointer(index, value), "announced");
  EXPECT_SAYS(pointer(0, 0), "no atoms");
  EXPECT_SAYS(pointer(11, 11), "residues");
  EXPECT_SAYS(pointer(27, 4), "IFBOX");
  EXPECT_SAYS(prmtop_message(with([](auto& b) { b.replace("POINTERS", "%FORMAT(10I8)\n      10       5\n"); })), "POINTERS");
}

TEST(BadPrmtop, IndicesOutOfRange) {
  const auto section = [](const char* flag, const std::string& body) {
    return prmtop_message(with([=](auto& b) { b.replace(flag, body); }));
  };
  // small_molecule has 6 bonds with hydrogen and 3 without: atoms 1-3, 3-4... in units of three.
  const auto bonds = [&](int i, int j, int type) {
    return section("BONDS_WITHOUT_HYDROGEN",
                   "%FORMAT(10I8)\n" + test::columns(std::vector<int>{3, 9, 3, 9, 12, 4, 9, 15, 5, i, j, type}, 10, 8));
  };
  const auto with_count = [&](int i, int j, int type) {
    return prmtop_message(with([=](auto& b) {
      b.override_pointer(3, 4);
      b.override_pointer(12, 5);
      b.replace("BONDS_WITHOUT_HYDROGEN",
                "%FORMAT(10I8)\n" + test::columns(std::vector<int>{3, 9, 3, 9, 12, 4, 9, 15, 5, 15, 24, 8, i, j, type}, 10, 8));
    }));
  };
  EXPECT_SAYS(bonds(-3, 9, 1), "entry -3");
  EXPECT_SAYS(with_count(3, 30, 1), "entry 30");
  EXPECT_SAYS(with_count(4, 9, 1), "entry 4");
  EXPECT_SAYS(with_count(3, 9, 0), "no parameter 0");
  EXPECT_SAYS(with_count(3, 9, 10), "no parameter 10");
  EXPECT_SAYS(with_count(9, 9, 1), "comes up twice");
  EXPECT_SAYS(section("RESIDUE_POINTER", "%FORMAT(10I8)\n       1       6       4\n"), "RESIDUE_POINTER");
  EXPECT_SAYS(section("RESIDUE_POINTER", "%FORMAT(10I8)\n       2       4       6\n"), "RESIDUE_POINTER");
  EXPECT_SAYS(section("ATOM_TYPE_INDEX",
                      "%FORMAT(10I8)\n       1       2       1       3       4       3       1       1       6       1\n"),
              "no parameter 6");
  std::string index = test::columns(std::vector<int>(25, 16), 10, 8);
  EXPECT_SAYS(section("NONBONDED_PARM_INDEX", "%FORMAT(10I8)\n" + index), "no parameter 16");
  index = test::columns(std::vector<int>(25, -1), 10, 8);
  EXPECT_SAYS(section("NONBONDED_PARM_INDEX", "%FORMAT(10I8)\n" + index), "10-12");
  std::vector<int> dihedral = {0, 3, -2147483647 - 1, 12, 1};
  EXPECT_SAYS(prmtop_message(with([&](auto& b) {
                b.override_pointer(7, 1);
                b.override_pointer(14, 1);
                b.replace("DIHEDRALS_WITHOUT_HYDROGEN", "%FORMAT(5I12)\n" + test::columns(dihedral, 5, 12));
              })),
              "DIHEDRALS_WITHOUT_HYDROGEN");
  const auto charmm = [](const char* flag, const std::string& body) {
    return prmtop_message(with([=](auto& b) { b.replace(flag, body); }, true));
  };
  EXPECT_SAYS(charmm("CHARMM_CMAP_INDEX", "%FORMAT(6I8)\n       1       2       4       6      11       1\n"), "no atom 11");
  EXPECT_SAYS(charmm("CHARMM_CMAP_INDEX", "%FORMAT(6I8)\n       1       2       4       6       9       2\n"),
              "no parameter 2");
  EXPECT_SAYS(charmm("CHARMM_CMAP_RESOLUTION", "%FORMAT(20I4)\n9999\n"), "points a side");
  EXPECT_SAYS(charmm("CHARMM_UREY_BRADLEY_COUNT", "%FORMAT(2I8)\n      -1       2\n"), "negative");
}

TEST(BadPrmtop, NumbersThatAreNone) {
  const auto masses = [](const std::string& last) {
    return prmtop_message(with([=](auto& b) {
      std::string body = "%FORMAT(5E16.8)\n";
      for (int n = 0; n < 9; ++n) body += n == 4 ? "  1.00000000E+00\n" : "  1.00000000E+00";
      b.replace("MASS", body + last + "\n");
    }));
  };
  EXPECT_SAYS(masses("             nan"), "value 10");
  EXPECT_SAYS(masses("        Infinity"), "not a finite number");
  EXPECT_SAYS(masses("****************"), "too wide for its column");
  EXPECT_SAYS(masses("  1.00000000E+99"), "not a finite number");
  EXPECT_SAYS(masses(" -1.00000000E+00"), "impossible mass");
  EXPECT_SAYS(masses("  1.00000000E+00  1.00000000E+00"), "longer than its %FORMAT");
  EXPECT_SAYS(masses(""), "holds 9 values");
  EXPECT_SAYS(masses("  0.00000000E+00"), "no mass although it is H");
  EXPECT_SAYS(masses("  1.0 000000E+00"), "not a finite number");
}

TEST(BadPrmtop, SectionsOutOfShape) {
  const std::string good = test::small_molecule().text();
  EXPECT_SAYS(prmtop_message(good + "%FLAG MASS\n%FORMAT(5E16.8)\n\n"), "appears twice");
  EXPECT_SAYS(prmtop_message(good + "%FLAG LAST\n"), "no %FORMAT");
  EXPECT_SAYS(prmtop_message(with([](auto& b) { b.remove("SCREEN"); })), "SCREEN");
  EXPECT_SAYS(prmtop_message(with([](auto& b) { b.override_pointer(27, 1); })), "BOX_DIMENSIONS");
  EXPECT_SAYS(prmtop_message(good + "%FLAG LAST\n%FORMAT(5Q16)\n"), "not understood");
  EXPECT_SAYS(prmtop_message(good + "%FLAG \n"), "without a name");
  EXPECT_SAYS(prmtop_message(good + "%ODD\n"), "none of %FLAG");
  EXPECT_SAYS(prmtop_message(with([](auto& b) { b.replace("MASS", "%FORMAT(20a4)\n1   \n"); })), "not one of numbers");
  EXPECT_SAYS(prmtop_message(with([](auto& b) { b.replace("EXCLUDED_ATOMS_LIST", "%FORMAT(10I8)\n       2\n"); })),
              "announced");
}

TEST(BadPrmtop, MessagesNameFileAndLine) {
  const std::string text = with([](auto& b) { b.replace("MASS", "%FORMAT(5E16.8)\n  1.00000000E+00        nonsense\n"); });
  const std::size_t at = text.find("        nonsense");
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  EXPECT_SAYS(prmtop_message(text), ".prmtop:" + std::to_string(line) + ": section MASS: value 2 'nonsense'");
}

TEST(BadWater, VirtualSitesNeedAKnownGeometry) {
  PrmtopBuilder b;
  b.add_tip4pew(1);
  b.replace("BONDS_INC_HYDROGEN", "%FORMAT(10I8)\n       0       3       1       0       6       2\n");
  b.override_pointer(2, 2);
  EXPECT_SAYS(prmtop_message(b.text()), "no H-H bond");
  PrmtopBuilder c;
  c.add_tip4pew(1);
  c.replace("BONDS_WITHOUT_HYDROGEN", "%FORMAT(10I8)\n\n");
  c.override_pointer(3, 0);
  c.override_pointer(12, 0);
  EXPECT_SAYS(prmtop_message(c.text()), "how far the virtual site");
}

TEST(BadCoordinates, NotCoordinatesAtAll) {
  EXPECT_SAYS(coordinates_message(""), "is empty");
  EXPECT_SAYS(coordinates_message("title only\n"), "ends after its title");
  EXPECT_SAYS(coordinates_message("title\nnot a number\n"), "number of atoms");
  EXPECT_SAYS(coordinates_message("title\n0\n"), "number of atoms");
  EXPECT_SAYS(coordinates_message("title\n-5\n"), "number of atoms");
  EXPECT_SAYS(coordinates_message(test::small_molecule().text()), "this is a prmtop");
  EXPECT_SAYS(coordinates_message("\x89HDF\r\n\x1a\n"), "HDF5");
  EXPECT_SAYS(coordinates_message(std::string("t\n 1\n\0", 6)), "not a text file");
}

TEST(BadCoordinates, TruncatedOrTooLong) {
  const std::string good = test::inpcrd_text(test::water_coordinates(33, 3));
  EXPECT_SAYS(coordinates_message(good.substr(0, good.size() / 2)), "truncated");
  EXPECT_SAYS(coordinates_message(good.substr(0, good.size() - 20)), "truncated");
  EXPECT_SAYS(coordinates_message(good.substr(0, good.size() - 3)), "ends inside a number");
  EXPECT_SAYS(coordinates_message(good + "   1.0000000\n   2.0000000\n"), "lines follow");
  EXPECT_SAYS(coordinates_message("t\n2000000000\n   1.0000000   1.0000000   1.0000000\n"), "too short");
  EXPECT_SAYS(coordinates_message(good + "   1.0000000   2.0000000\n"), "instead of 3 or 6");
}

TEST(BadCoordinates, BadNumbersNameTheAtomAndLine) {
  std::string text = test::inpcrd_text(test::water_coordinates(33, 3));
  const std::size_t third_line = text.find('\n', text.find('\n') + 1) + 1;
  const auto changed = [&](std::size_t atom, const char* twelve) {
    std::string copy = text;
    // Two atoms a line of 73 characters.
    copy.replace(third_line + atom / 2 * 73 + atom % 2 * 36 + 12, 12, twelve);
    return coordinates_message(copy);
  };
  EXPECT_SAYS(changed(7, "************"), ":6: position of atom 8: '************' marks a number too wide");
  EXPECT_SAYS(changed(0, "         nan"), ":3: position of atom 1");
  EXPECT_SAYS(changed(98, "   -Infinity"), "position of atom 99");
  EXPECT_SAYS(changed(4, "            "), "position of atom 5");
  EXPECT_SAYS(changed(4, "  1.000 1.00"), "position of atom 5");
  EXPECT_SAYS(changed(4, "   1.0E+0009"), "position of atom 5");
}

TEST(BadCoordinates, BoxesThatAreNone) {
  const auto box = [](const std::vector<double>& values) {
    return coordinates_message(test::inpcrd_text(test::water_coordinates(33, 3), {}, values));
  };
  EXPECT_SAYS(box({-1, 2, 3, 90, 90, 90}), "not positive");
  EXPECT_SAYS(box({10, 0, 10, 90, 90, 90}), "not positive");
  EXPECT_SAYS(box({10, 10, 10, 90, 0, 90}), "0 and 180");
  EXPECT_SAYS(box({10, 10, 10, 150, 150, 150}), "volume");
}

}  // namespace
}  // namespace uplift
