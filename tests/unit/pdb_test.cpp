#include "uplift/io/pdb.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "package/sample_system.hpp"
#include "uplift/core/error.hpp"

namespace {

using namespace uplift;

std::vector<std::string> lines_of(const std::string& text, const std::string& prefix = "") {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (line.rfind(prefix, 0) == 0) lines.push_back(line);
  return lines;
}

std::vector<std::string> atoms_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string& line : lines_of(text))
    if (line.rfind("ATOM  ", 0) == 0 || line.rfind("HETATM", 0) == 0) lines.push_back(line);
  return lines;
}

TEST(Pdb, ColumnsAreThoseOfTheStandard) {
  const System system = sample::make_system(1);
  const auto lines = atoms_of(pdb_text(system, sample::box("orthorhombic", 0), sample::positions(system.size(), 0)));
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(system.size()));
  //                   123456789012345678901234567890123456789012345678901234567890123456789012345678
  EXPECT_EQ(lines[0], "ATOM      1  N   ALA A   1       0.000   0.000   0.000  1.00  0.00           N  ");
  EXPECT_EQ(lines[4], "ATOM      5 HB11 ALA A   1       4.000  -7.568  -2.000  1.00  0.00           H  ");
  EXPECT_EQ(lines[11], "HETATM   12 Na+  Na+     3      11.000 -10.000  -5.500  1.00  0.00          NA  ");
  EXPECT_EQ(lines[15], "HETATM   16  EPW WAT     4      15.000   6.503  -7.500  1.00  0.00              ");
}

TEST(Pdb, CellTerAndBonds) {
  const System system = sample::make_system(2);
  const std::string text = pdb_text(system, sample::box("triclinic", 0), sample::positions(system.size(), 0));
  ASSERT_EQ(lines_of(text, "CRYST1").size(), 1u);
  EXPECT_EQ(lines_of(text, "CRYST1")[0].substr(0, 33), "CRYST1   30.000   30.000   30.000");
  EXPECT_EQ(lines_of(text, "TER").size(), 1u) << "after the one molecule of more than one residue";
  EXPECT_EQ(lines_of(text, "CONECT").at(0), "CONECT    1    2    3");
  EXPECT_EQ(lines_of(text, "CONECT").at(2), "CONECT    3    1    4    5    6");
  EXPECT_TRUE(lines_of(pdb_text(system, Box{}, sample::positions(system.size(), 0)), "CRYST1").empty());
}

TEST(Pdb, SubsetIsRenumbered) {
  const System system = sample::make_system(1);
  const std::string text = pdb_text(system, Box{}, sample::positions(system.size(), 0), {2, 5, 12, 13});
  ASSERT_EQ(atoms_of(text).size(), 4u);
  EXPECT_EQ(atoms_of(text)[1].substr(6, 10), "    2  C  ");
  EXPECT_EQ(lines_of(text, "CONECT").at(0), "CONECT    1    2");
}

TEST(Pdb, NumbersWrapAndLinesKeepTheirWidth) {
  const System system = sample::make_system(26000);  // 104,012 atoms, 26,003 residues
  std::vector<Vec3d> x(static_cast<std::size_t>(system.size()), Vec3d{-999.9999, 12345.6, 0.0});
  const std::string text = pdb_text(system, Box{}, x);
  const auto lines = atoms_of(text);
  ASSERT_EQ(lines.size(), x.size());
  for (const std::string& line : lines) ASSERT_EQ(line.size(), 80u) << line;
  EXPECT_EQ(lines[99998].substr(6, 5), "99999");
  EXPECT_EQ(lines[99999].substr(6, 5), "    0");
  EXPECT_EQ(lines[12 + 4 * (9999 - 4)].substr(22, 4), "9999");
  EXPECT_EQ(lines[12 + 4 * (10000 - 4)].substr(22, 4), "   0");
  EXPECT_TRUE(lines_of(text, "CONECT").empty()) << "serial numbers are no longer unique";
  EXPECT_EQ(lines[0].substr(30, 16), "-10000.0123456.0") << "decimals are given up, not columns";
  x[0].x = 1e9;
  EXPECT_THROW(pdb_text(system, Box{}, x), SimulationError);
}

}  // namespace
