// Inputs that fuzz targets (tests/fuzz) found, made small.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/prmtop_builder.hpp"
#include "support/structure_texts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/frames.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/structure.hpp"

namespace uplift {
namespace {

// gemmi takes a zero byte for the end of the line, and so made other residues of the atoms than the scan of the lines.
TEST(FuzzFindings, ZeroByteInAtomLine) {
  std::string text = test::dipeptide_pdb;
  text[text.find("0.00           H") + 4] = '\0';
  const std::string path = test::write_temporary("zero.pdb", text);
  try {
    read_structure(path);
    FAIL() << "accepted";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("zero.pdb:3: column 67 holds a zero byte"), std::string::npos) << e.what();
  }
}

// gemmi's number reader looks past the end of a line that ends within the bond's length (seen by AddressSanitizer alone).
TEST(FuzzFindings, LinkThatEndsInItsLength) {
  std::string link = "LINK         C   ACE A   1                 N   ALA A   2     1555   1555";
  link.resize(73, ' ');
  const std::string path = test::write_temporary("link.pdb", link + "I\n" + test::dipeptide_pdb);
  EXPECT_EQ(read_structure(path).x.size(), read_structure(test::write_temporary("plain.pdb", test::dipeptide_pdb)).x.size());
}

// gemmi read "20000000000NN" as a number of eleven digits, which does not fit.
TEST(FuzzFindings, WholeNumberThatIsTooLongInMmcif) {
  std::string text = test::water_cif;
  text.replace(text.find("HETATM 2 "), 9, "HETATM 20000000000NN ");
  try {
    read_structure(test::write_temporary("long.cif", text));
    FAIL() << "accepted";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("_atom_site.id is '20000000000NN'"), std::string::npos) << e.what();
  }
}

class FuzzFindingsH5md : public ::testing::Test {
 protected:
  /// An atom in two frames, with `values` in place of one dataset; empty: without dimensions.
  static void expect_refused(const std::string& replaced, const std::vector<double>& values, const std::string& why) {
    const std::string path = test::write_temporary("finding.h5md", "");
    {
      h5::File file = h5::File::create(path);
      const auto put = [&](const std::string& name, std::vector<double> usual, const h5::Shape& shape = {}) {
        if (name == replaced) return file.write<double>(name, values, {values.size()});
        return file.write<double>(name, usual, shape);
      };
      put("particles/all/position/value", {1, 2, 3, 4, 5, 6}, {2, 1, 3}).set("unit", "nm");
      put("particles/all/position/step", {1}, {1}).set("offset", 0.0);
      const std::string topology = "parameters/topology/";
      const std::vector<std::string> name{"A"};
      for (const char* text : {"atom_name", "atom_type", "residue_name", "residue_chain"})
        file.write_names(topology + text, name);
      for (const char* number : {"atom_element", "atom_residue", "mass_input", "mass", "charge", "residue_number"})
        put(topology + number, {0});
    }
    try {
      const auto reader = open_trajectory(path);
      TrajectoryFrame frame;
      reader->read(1, frame);
      reader->system();
      FAIL() << "accepted: " << replaced;
    } catch (const InputError& e) {
      EXPECT_NE(std::string(e.what()).find(why), std::string::npos) << e.what();
    }
  }
};

TEST_F(FuzzFindingsH5md, NumbersThatAreNoIntegers) {
  for (const char* name : {"atom_element", "atom_residue", "residue_number"})
    for (const double value : {1e300, std::numeric_limits<double>::quiet_NaN()})
      expect_refused(std::string("parameters/topology/") + name, {value}, std::string(name) + " holds a number out of range");
}

TEST_F(FuzzFindingsH5md, StepThatIsNoNumber) {
  expect_refused("particles/all/position/step", {1e300}, "frame 1: its step is no number that it can be");
}

}  // namespace
}  // namespace uplift
