#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "support/prmtop_builder.hpp"
#include "support/structure_texts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/structure.hpp"

namespace uplift {
namespace {

// Damaged PDB, mmCIF and XML files give an InputError or are read; address and undefined-behaviour sanitizers see the rest.
class StructureDamage : public ::testing::Test {
 protected:
  template <class Read>
  void survive(const std::string& good, const std::string& name, int times, Read read) {
    const std::string path = test::write_temporary(name, "");
    int refused = 0;
    for (int n = 0; n < times; ++n) {
      std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged(good);
      try {
        read(path);
      } catch (const InputError& e) {
        ++refused;
        EXPECT_GT(std::string(e.what()).size(), 20u);
        EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
      }
    }
    EXPECT_GT(refused, times / 10);  // else the changes do nothing
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % std::max<std::size_t>(n, 1); }
  std::string damaged(std::string text) {
    static const char* const hostile[] = {"2147483648", "-1",    "nan",   "1e308",  "********", "\"",
                                          "<",          "loop_", "data_", "ATOM  ", "\n"};
    for (std::size_t n = 1 + pick(3); n > 0 && !text.empty(); --n) {
      const std::size_t at = pick(text.size()), length = 1 + pick(80);
      switch (pick(6)) {
        case 0:
          text[at] = static_cast<char>(pick(256));
          break;
        case 1:
          text.resize(at);
          break;
        case 2:
          text.erase(at, length);
          break;
        case 3:
          text.insert(at, text.substr(pick(text.size()), length));
          break;
        case 4:
          text[at] = static_cast<char>('0' + pick(10));
          break;
        default: {
          const std::string what = hostile[pick(std::size(hostile))];
          text.replace(at, std::min(what.size(), text.size() - at), what);
        }
      }
    }
    return text;
  }
  std::mt19937_64 random_{20261125};
};

TEST_F(StructureDamage, Pdb) {
  survive(test::dipeptide_pdb, "damaged.pdb", 800, [](const std::string& path) { read_structure(path); });
}

TEST_F(StructureDamage, Mmcif) {
  survive(test::water_cif, "damaged.cif", 800, [](const std::string& path) { read_structure(path); });
}

TEST_F(StructureDamage, Xml) {
  const Structure water = read_structure(test::write_temporary("water.cif", test::water_cif));
  survive(test::water_xml, "damaged.xml", 800, [&](const std::string& path) {
    try {
      apply_forcefield(water, {path});
    } catch (const InputError& e) {
      // What the damaged force field lacks is an error about the structure.
      throw InputError(std::string(e.what()) + " (damaged.xml)");
    }
  });
}

}  // namespace
}  // namespace uplift
