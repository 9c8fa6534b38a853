#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <random>

#include "support/prmtop_builder.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"

namespace uplift {
namespace {

using test::PrmtopBuilder;

// Every outcome of reading a damaged file is a system or an InputError. The changes are those that happen: bytes flipped, cut
// off, pieces lost, doubled or moved, and numbers replaced by hostile ones. Address and undefined-behaviour sanitizers see the
// rest.
class Damage : public ::testing::Test {
 protected:
  std::string damaged(std::string text) {
    for (int n = 1 + pick(3); n > 0; --n) change(text);
    return text;
  }
  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes; }
  template <class Read>
  void survive(const std::string& good, int times, Read read) {
    int refused = 0;
    for (int n = 0; n < times; ++n) {
      write(damaged(good));
      try {
        read(path_);
      } catch (const InputError& e) {
        ++refused;
        EXPECT_GT(std::string(e.what()).size(), 20u);
      }
    }
    EXPECT_GT(refused, times / 4);  // else the changes do nothing and the test is worth nothing
  }
  std::string path_ = test::write_temporary("damaged", "");

 private:
  int pick(std::size_t n) { return static_cast<int>(random_() % std::max<std::size_t>(n, 1)); }
  void change(std::string& text) {
    if (text.empty()) return;
    const auto at = static_cast<std::size_t>(pick(text.size()));
    const auto length = static_cast<std::size_t>(1 + pick(200));
    static const char* const hostile[] = {"2147483647", "-2147483648", "99999999",      "-1", "0",   "nan", "1e308",
                                          "********",   "%FLAG",       "%FORMAT(10I8)", "\n", "\r\n"};
    switch (pick(9)) {
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
        text.insert(at, text.substr(at, length));
        break;
      case 4:
        text.insert(at, text.substr(static_cast<std::size_t>(pick(text.size())), length));
        break;
      case 5:
        text[at] = static_cast<char>('0' + pick(10));
        break;
      case 6:
        text[at] = ' ';
        break;
      default: {
        const std::string what = hostile[pick(std::size(hostile))];
        text.replace(at, std::min(what.size(), text.size() - at), what);
      }
    }
  }
  std::mt19937_64 random_{20261123};
};

TEST_F(Damage, Prmtop) {
  const auto read = [](const std::string& path) { read_prmtop(path); };
  PrmtopBuilder tip4p, tip5p;
  tip4p.add_tip4pew(2);
  tip5p.add_tip5p(1);
  for (const std::string& text : {test::small_molecule().text(), test::chamber_molecule().text(), tip4p.text(), tip5p.text()})
    survive(text, 3000, read);
}

TEST_F(Damage, PrmtopCutAtEveryPlace) {
  const std::string text = test::chamber_molecule().text();
  write(text);
  const AmberTopology whole = read_prmtop(path_);
  int accepted = 0;
  for (std::size_t size = 0; size < text.size(); ++size) {
    write(text.substr(0, size));
    AmberTopology part;
    try {
      part = read_prmtop(path_);
    } catch (const InputError&) {
      continue;
    }
    // Accepted is only what cannot be told from a complete file: optional sections at the end are missing, whole ones.
    ++accepted;
    const ForceField &a = part.force_field, &b = whole.force_field;
    EXPECT_EQ(part.topology.atoms.back().type, whole.topology.atoms.back().type);
    EXPECT_EQ(a.dihedrals.size(), b.dihedrals.size());
    EXPECT_EQ(a.exclusions, b.exclusions);
    if (!a.gb.empty()) {
      EXPECT_EQ(a.gb.back().screen, b.gb.back().screen) << size;
    }
    if (!a.cmap_grids.empty()) {
      EXPECT_EQ(a.cmap_grids[0].energy, b.cmap_grids[0].energy) << size;
      EXPECT_EQ(a.cmaps.size(), b.cmaps.size()) << size;
    }
  }
  EXPECT_LT(accepted, 300);  // of 10,000: blanks and headings between the optional sections
}

TEST_F(Damage, AsciiCoordinates) {
  const std::vector<double> x = test::water_coordinates(11, 3);
  survive(test::inpcrd_text(x, x, {30, 30, 30, 90, 90, 90}, "  0.5000000E+03"), 6000,
          [](const std::string& path) { read_amber_coordinates(path); });
}

TEST_F(Damage, GzippedPrmtop) {
  survive(test::gzip(test::small_molecule().text()), 1500, [](const std::string& path) { read_prmtop(path); });
}

/// A NetCDF classic file of the AMBERRESTART convention, byte by byte.
std::string netcdf_bytes() {
  std::string out("CDF\x01", 4);
  const auto word = [&](std::uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(v >> shift & 255);
  };
  const auto text = [&](std::string s) {
    word(static_cast<std::uint32_t>(s.size()));
    out += s + std::string((4 - s.size() % 4) % 4, '\0');
  };
  word(0);
  word(10), word(2);
  text("atom"), word(4);
  text("spatial"), word(3);
  word(12), word(1);
  text("Conventions"), word(2), text("AMBERRESTART");
  word(11), word(1);
  text("coordinates"), word(2), word(0), word(1);
  word(0), word(0);
  word(6), word(96);
  word(static_cast<std::uint32_t>(out.size() + 4));
  for (int n = 0; n < 12; ++n) word(0x40000000u), word(0);
  return out;
}

TEST_F(Damage, NetcdfCoordinates) {
  write(netcdf_bytes());
  ASSERT_EQ(read_amber_coordinates(path_).x.size(), 4u);
  EXPECT_DOUBLE_EQ(read_amber_coordinates(path_).x[3].z, 0.2);
  survive(netcdf_bytes(), 10000, [](const std::string& path) { read_amber_coordinates(path); });
  for (std::size_t size = 0; size < netcdf_bytes().size(); ++size) {
    write(netcdf_bytes().substr(0, size));
    EXPECT_THROW(read_amber_coordinates(path_), InputError) << size;
  }
  // Every 32-bit word replaced by hostile values.
  for (std::size_t at = 0; at + 4 <= netcdf_bytes().size(); at += 4)
    for (std::uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
      std::string bytes = netcdf_bytes();
      for (std::size_t k = 0; k < 4; ++k) bytes[at + k] = static_cast<char>(value >> (24 - 8 * k) & 255);
      write(bytes);
      try {
        read_amber_coordinates(path_);
      } catch (const InputError&) {
      }
    }
}

}  // namespace
}  // namespace uplift
