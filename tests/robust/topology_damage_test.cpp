#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "support/prmtop_builder.hpp"
#include "support/topology_texts.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/charmm.hpp"
#include "uplift/io/gromacs.hpp"

namespace uplift {
namespace {

// Damaged GROMACS and CHARMM files give an InputError or are read; address and undefined-behaviour sanitizers see the rest.
class TopologyDamage : public ::testing::Test {
 protected:
  template <class Read>
  void survive(const std::string& good, const std::string& name, int times, Read read) {
    const std::string path = test::write_temporary(name, good);
    EXPECT_NO_THROW(read(path));
    int refused = 0;
    for (int n = 0; n < times; ++n) {
      write(path, damaged(good));
      try {
        read(path);
      } catch (const InputError& e) {
        ++refused;
        EXPECT_NE(std::string(e.what()).find(name), std::string::npos) << e.what();
      }
    }
    EXPECT_GT(refused, times / 4);  // else the changes do nothing
  }
  /// A file that ends too early is refused, or holds all that the whole one holds.
  template <class Read>
  void cut(const std::string& good, const std::string& name, std::size_t harmless, Read read) {
    const std::string path = test::write_temporary(name, good);
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < good.size(); ++size) {
      write(path, good.substr(0, size));
      try {
        read(path);
        ++accepted;
      } catch (const InputError&) {
      }
    }
    EXPECT_LE(accepted, harmless);
  }

 private:
  /// A new file each time: some file systems wait for the disk when one is written over.
  static void write(const std::string& path, const std::string& bytes) {
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
  }
  std::size_t pick(std::size_t n) { return random_() % std::max<std::size_t>(n, 1); }
  std::string damaged(std::string text) {
    static const char* const hostile[] = {"2147483648", "2147483647", "-1",       "nan",     "1e308", "********", "[ atoms ]",
                                          "#ifdef X",   "#endif",     "#include", "\\\n",    "\n",    "!NBOND",   "READ RTF",
                                          "\"a.top\"",  ";",          "1e-320",   "#define", "0"};
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

GromacsOptions small() {
  GromacsOptions options{{"POSRES"}, {}};
  options.most_atoms = 100000;
  return options;
}

TEST_F(TopologyDamage, GromacsTopology) {
  survive(test::gromacs_text(), "a.top", 1200, [](const std::string& path) { read_gromacs_topology(path, small()); });
  // What may be missing at the end: digits of the last count, and the last molecules.
  cut(test::gromacs_text(), "a.top", 12, [](const std::string& path) { read_gromacs_topology(path, small()); });
}

TEST_F(TopologyDamage, Gro) {
  survive(test::gro_text(), "a.gro", 1200, [](const std::string& path) { read_gro(path); });
  cut(test::gro_text(), "a.gro", 0, [](const std::string& path) { read_gro(path); });
}

TEST_F(TopologyDamage, PsfAndParameters) {
  const std::string good_prm = test::write_temporary("good.prm", test::prm_text()),
                    good_psf = test::write_temporary("good.psf", test::psf_text());
  survive(test::psf_text(), "a.psf", 1200, [&](const std::string& path) { read_psf(path, {good_prm}); });
  const std::string psf_name = good_psf;
  int refused = 0;
  survive(test::prm_text(), "a.prm", 1200, [&](const std::string& path) {
    try {
      read_psf(psf_name, {path});
    } catch (const InputError& e) {
      ++refused;
      throw InputError(path + " " + e.what());  // a parameter that is missing is reported where the PSF needs it
    }
  });
  EXPECT_GT(refused, 0);
  // After the improper of the PSF come sections that a system may lack.
  const std::size_t optional = test::psf_text().size() - test::psf_text().find("!NDON");
  cut(test::psf_text(), "a.psf", optional, [&](const std::string& path) { read_psf(path, {good_prm}); });
}

TEST_F(TopologyDamage, CharmmCard) {
  const std::string text =
      "* title\n*\n    2  EXT\n"
      "    1    1 ALA  N      1.00000   2.00000  -3.50000 PEP  1      0.00000\n"
      "    2    1 ALA  CA    11.00000   2.00000   3.50000 PEP  1      0.00000\n";
  survive(text, "a.crd", 800, [](const std::string& path) { read_charmm_card(path); });
}

}  // namespace
}  // namespace uplift
