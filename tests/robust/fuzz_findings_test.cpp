// Inputs that fuzz targets (tests/fuzz) found, made small.
#include <gtest/gtest.h>

#include <string>

#include "support/prmtop_builder.hpp"
#include "support/structure_texts.hpp"
#include "uplift/core/error.hpp"
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

}  // namespace
}  // namespace uplift
