// Small systems and files for the tests of the Amber readers.
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "prmtop_builder.hpp"

namespace uplift::test {

PrmtopBuilder small_molecule() {
  // A formamide-like chain H-N(H)-C(=O)-C(H)(H)-S-H in three residues.
  PrmtopBuilder b;
  b.add_residue("AMI", {{"H1", "H", 1, 0.30, 1.008, 0, 1.3, 0.85},
                        {"N", "N", 7, -0.60, 14.01, 1, 1.55, 0.79},
                        {"H2", "H", 1, 0.30, 1.008, 0, 1.3, 0.85}});
  b.add_residue("CO", {{"C", "C", 6, 0.60, 12.01, 2, 1.7, 0.72}, {"O", "O", 8, -0.55, 16.00, 3, 1.5, 0.85}});
  b.add_residue("THI", {{"CA", "CT", 6, -0.10, 12.01, 2, 1.7, 0.72},
                        {"HA", "HC", 1, 0.08, 1.008, 0, 1.2, 0.85},
                        {"HB", "HC", 1, 0.08, 1.008, 0, 1.2, 0.85},
                        {"SG", "SH", 16, -0.30, 32.06, 4, 1.8, 0.96},
                        {"HG", "HS", 1, 0.19, 1.008, 0, 1.2, 0.85}});
  const int bonds[][2] = {{0, 1}, {1, 2}, {1, 3}, {3, 4}, {3, 5}, {5, 6}, {5, 7}, {5, 8}, {8, 9}};
  double r0 = 1.0;
  for (const auto& bond : bonds) {
    b.add_bond(bond[0], bond[1], 300 + 10 * r0, r0);
    r0 += 0.05;
  }
  const int angles[][3] = {{0, 1, 2}, {0, 1, 3}, {1, 3, 4}, {1, 3, 5}, {3, 5, 6}, {3, 5, 8}, {5, 8, 9}};
  for (const auto& a : angles) b.add_angle(a[0], a[1], a[2], 50, 100 + 2 * a[2]);
  b.add_dihedral({0, 1, 3, 4, 2.5, 2, 180});
  b.add_dihedral({.i = 0, .j = 1, .k = 3, .l = 4, .barrier = 2.0, .periodicity = 1, .phase = 0, .no_14 = true});
  b.add_dihedral({.i = 0, .j = 1, .k = 3, .l = 5, .barrier = 0.5, .periodicity = 3, .phase = 30, .scee = 1.0, .scnb = 1.5});
  b.add_dihedral({1, 3, 5, 8, 0.7, 4, 0});
  b.add_dihedral({.i = 3, .j = 5, .k = 8, .l = 9, .barrier = 0.9, .periodicity = 3, .phase = 0, .scee = 0, .scnb = 0});
  b.add_dihedral({.i = 1, .j = 5, .k = 3, .l = 4, .barrier = 10.5, .periodicity = 2, .phase = 180, .improper = true});
  for (int i = 0; i < 5; ++i)
    for (int j = i; j < 5; ++j) b.set_lj(i, j, 1e5 * (1 + i + 3 * j), 100.0 * (1 + i + 2 * j));
  for (int i = 0; i < 9; ++i)
    for (int j = i + 1; j < std::min(10, i + 4); ++j) b.add_exclusion(i, j);
  return b;
}

PrmtopBuilder chamber_molecule() {
  PrmtopBuilder b = small_molecule();
  b.chamber = true;
  b.title = "a CHAMBER test";
  b.add_urey_bradley(0, 3, 35.0, 2.2);
  b.add_urey_bradley(3, 8, 11.6, 2.561);
  b.add_improper(3, 1, 5, 4, 120, 0);
  b.add_improper(1, 0, 2, 3, 20, 180);
  std::vector<double> energy;
  for (int n = 0; n < 24 * 24; ++n) energy.push_back(0.01 * n - 2);
  const int map = b.add_cmap_grid(24, energy);
  b.add_cmap({0, 1, 3, 5, 8}, map);
  return b;
}

std::string inpcrd_text(const std::vector<double>& x, const std::vector<double>& v, const std::vector<double>& box,
                        const std::string& head_extra) {
  std::string atoms = columns(std::vector<int>{static_cast<int>(x.size() / 3)}, 1, 6);
  atoms.pop_back();
  std::string out = "made for a test\n" + atoms + head_extra + "\n";
  out += columns(x, 6, 12, 7, false);
  if (!v.empty()) out += columns(v, 6, 12, 7, false);
  if (!box.empty()) out += columns(box, 6, 12, 7, false);
  return out;
}

std::vector<double> water_coordinates(int waters, int sites) {
  int edge = 1;
  while (edge * edge * edge < waters) ++edge;
  std::vector<double> x;
  for (int w = 0; w < waters; ++w) {
    const double o[3] = {3.1 * (w % edge), 3.1 * (w / edge % edge), 3.1 * (w / edge / edge)};
    const double height = std::sqrt(0.9572 * 0.9572 - 0.7568 * 0.7568);
    x.insert(x.end(), {o[0], o[1], o[2], o[0] + 0.7568, o[1] + height, o[2], o[0] - 0.7568, o[1] + height, o[2]});
    for (int s = 3; s < sites; ++s) x.insert(x.end(), {o[0], o[1], o[2]});
  }
  return x;
}

namespace {

/// Temporary files go when the test program ends.
struct Temporaries {
  std::vector<std::string> paths;
  ~Temporaries() {
    for (const std::string& path : paths) std::remove(path.c_str());
  }
};

}  // namespace

std::string write_temporary(const std::string& name, const std::string& bytes) {
  static Temporaries temporaries;
  std::string path = ::testing::TempDir() + "uplift-" + std::to_string(::getpid()) + "-" +
                     std::to_string(temporaries.paths.size()) + "-" + name;
  temporaries.paths.push_back(path);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("deflateInit2");
  std::string in = bytes, out(deflateBound(&stream, bytes.size()) + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace uplift::test
