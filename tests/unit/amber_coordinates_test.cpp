#include <gtest/gtest.h>
#include <netcdf.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "support/prmtop_builder.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber.hpp"

namespace uplift {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double half_unit = 0.5e-8 * 1.0001;  // 7 decimals of an Angstrom, in nm
using Values = std::vector<double>;

Coordinates read(const std::string& bytes) { return read_amber_coordinates(test::write_temporary("a.rst7", bytes)); }

Values some(int atoms, double scale) {
  Values x;
  for (int n = 0; n < 3 * atoms; ++n) x.push_back(scale * std::sin(1.7 * n + 0.3));
  return x;
}

TEST(AmberCoordinates, PositionsVelocitiesBoxInEveryCombination) {
  for (int atoms : {3, 4, 31, 32, 33, 1000})
    for (bool velocities : {false, true})
      for (bool box : {false, true}) {
        const Values x = some(atoms, 300), v = some(atoms, 2);
        const Coordinates c =
            read(test::inpcrd_text(x, velocities ? v : Values{}, box ? Values{30, 40, 50, 90, 90, 90} : Values{}));
        ASSERT_EQ(c.x.size(), static_cast<std::size_t>(atoms));
        for (int i = 0; i < atoms; ++i) {
          EXPECT_NEAR(c.x[static_cast<std::size_t>(i)].x, 0.1 * x[static_cast<std::size_t>(3 * i)], half_unit);
          EXPECT_NEAR(c.x[static_cast<std::size_t>(i)].z, 0.1 * x[static_cast<std::size_t>(3 * i + 2)], half_unit);
        }
        ASSERT_EQ(c.v.size(), velocities ? static_cast<std::size_t>(atoms) : 0u);
        if (velocities) {
          EXPECT_NEAR(c.v.back().y, 2.0455 * v[v.size() - 2], 20.455 * half_unit);
        }
        ASSERT_EQ(c.box.has_value(), box);
        if (box) {
          EXPECT_TRUE(c.box->orthorhombic());
          EXPECT_TRUE(c.box_angles_given);
          EXPECT_DOUBLE_EQ(c.box->b.y, 4);
        }
      }
}

TEST(AmberCoordinates, ColumnsNeedNoBlanksBetween) {
  // F12.7 leaves no blank for -100.1234567 and wider.
  const Coordinates c = read("t\n 2\n-100.1234567-200.1234567-300.1234567-999.9999999 123.1234567-100.0000001\n");
  EXPECT_NEAR(c.x[0].y, -20.01234567, half_unit);
  EXPECT_NEAR(c.x[1].x, -99.99999999, half_unit);
  EXPECT_NEAR(c.x[1].z, -10.00000001, half_unit);
}

TEST(AmberCoordinates, TitleMayBeginLikeANetcdfFile) {
  EXPECT_EQ(read("CDF of water\n 1\n   1.0000000   2.0000000   3.0000000").x.size(), 1u);
}

TEST(AmberCoordinates, HeadWithTimeAndManyAtoms) {
  const Values x = some(3, 10);
  EXPECT_EQ(read(test::inpcrd_text(x, {}, {}, "  0.5000000E+03")).time, 500);
  EXPECT_EQ(read(test::inpcrd_text(x, {}, {}, "  0.5000000E+03  0.3000000E+03")).time, 500);
  EXPECT_EQ(read(test::inpcrd_text(x)).time, 0);
}

TEST(AmberCoordinates, OneAndTwoAtoms) {
  // Two atoms: positions are one line, and so are velocities and box.
  const Values x2 = some(2, 10), box = {30, 31, 32, 90, 90, 90};
  EXPECT_FALSE(read(test::inpcrd_text(x2)).box);
  const Coordinates boxed = read(test::inpcrd_text(x2, {}, box));
  EXPECT_TRUE(boxed.box);
  EXPECT_TRUE(boxed.v.empty());
  const Coordinates moving = read(test::inpcrd_text(x2, some(2, 1)));
  EXPECT_FALSE(moving.box);
  EXPECT_EQ(moving.v.size(), 2u);
  const Coordinates both = read(test::inpcrd_text(x2, some(2, 1), box));
  EXPECT_TRUE(both.box);
  EXPECT_EQ(both.v.size(), 2u);
  const Values x1 = some(1, 10);
  EXPECT_TRUE(read(test::inpcrd_text(x1, {}, box)).box);
  EXPECT_TRUE(read(test::inpcrd_text(x1, {}, {30, 31, 32})).box);
  EXPECT_EQ(read(test::inpcrd_text(x1, {0.1, 0.2, -0.3})).v.size(), 1u);
}

TEST(AmberCoordinates, BoxOfLengthsOnlyTakesItsAnglesFromThePrmtop) {
  test::PrmtopBuilder b;
  b.add_tip3p(2);
  b.ifbox = 2;
  b.box_dimensions = {109.4712190, 30, 30, 30};
  const AmberTopology t = read_prmtop(test::write_temporary("a.prmtop", b.text()));
  const Coordinates c = read(test::inpcrd_text(test::water_coordinates(2, 3), {}, {32, 32, 32}));
  ASSERT_TRUE(c.box);
  EXPECT_FALSE(c.box_angles_given);
  EXPECT_TRUE(c.box->orthorhombic());
  const auto box = choose_box(t, c);
  ASSERT_TRUE(box);
  EXPECT_NEAR(box->b.x, 3.2 * std::cos(109.4712190 * pi / 180), 1e-12);
  const Coordinates full = read(test::inpcrd_text(test::water_coordinates(2, 3), {}, {32, 32, 32, 90, 90, 90}));
  EXPECT_TRUE(choose_box(t, full)->orthorhombic());
  EXPECT_FALSE(choose_box(t, read(test::inpcrd_text(test::water_coordinates(2, 3)))));
}

TEST(AmberCoordinates, AnglesKeepTheDigitsOfTheFile) {
  const Coordinates c =
      read(test::inpcrd_text(some(3, 1), {}, {42.4388485, 42.4388485, 42.4388485, 109.471219, 109.471219, 109.471219}));
  EXPECT_NEAR(c.box->b.x, 4.24388485 * std::cos(109.471219 * pi / 180), 1e-14);
  EXPECT_NEAR(c.box->c.y, -2.0005862820516200, 1e-12);  // OpenMM's reduced third vector for these numbers
}

TEST(AmberCoordinates, BoxOfZerosIsNone) { EXPECT_FALSE(read(test::inpcrd_text(some(3, 1), {}, {0, 0, 0, 90, 90, 90})).box); }

TEST(AmberCoordinates, AtomCountsMustAgree) {
  test::PrmtopBuilder b;
  b.add_tip3p(2);
  const AmberTopology t = read_prmtop(test::write_temporary("a.prmtop", b.text()));
  EXPECT_NO_THROW(check(t, read(test::inpcrd_text(test::water_coordinates(2, 3)))));
  EXPECT_THROW(check(t, read(test::inpcrd_text(test::water_coordinates(3, 3)))), InputError);
}

/// A restart written by libnetcdf, which shares nothing with the reader.
std::string netcdf_restart(int mode, nc_type type, const Values& x, const Values& v, bool cell,
                           const std::string& convention = "AMBERRESTART") {
  const std::string path = test::write_temporary("a.ncrst", "");
  const auto ok = [](int status) {
    if (status != NC_NOERR) throw std::runtime_error(nc_strerror(status));
  };
  int file, atom, spatial, cell_spatial, cell_angular, time_id, x_id, v_id = -1, lengths_id = -1, angles_id = -1;
  ok(nc_create(path.c_str(), NC_CLOBBER | mode, &file));
  ok(nc_def_dim(file, "spatial", 3, &spatial));
  ok(nc_def_dim(file, "atom", x.size() / 3, &atom));
  ok(nc_def_dim(file, "cell_spatial", 3, &cell_spatial));
  ok(nc_def_dim(file, "cell_angular", 3, &cell_angular));
  const int shape[] = {atom, spatial};
  ok(nc_def_var(file, "time", NC_DOUBLE, 0, nullptr, &time_id));
  ok(nc_put_att_text(file, time_id, "units", 10, "picosecond"));
  ok(nc_def_var(file, "coordinates", type, 2, shape, &x_id));
  if (!v.empty()) {
    ok(nc_def_var(file, "velocities", type, 2, shape, &v_id));
    const double scale = 20.455;
    ok(nc_put_att_double(file, v_id, "scale_factor", NC_DOUBLE, 1, &scale));
  }
  if (cell) {
    ok(nc_def_var(file, "cell_lengths", NC_DOUBLE, 1, &cell_spatial, &lengths_id));
    ok(nc_def_var(file, "cell_angles", NC_DOUBLE, 1, &cell_angular, &angles_id));
  }
  ok(nc_put_att_text(file, NC_GLOBAL, "Conventions", convention.size(), convention.c_str()));
  ok(nc_put_att_text(file, NC_GLOBAL, "title", 3, "odd"));
  ok(nc_enddef(file));
  const double time = 12.5, lengths[] = {30, 40, 50}, angles[] = {80, 90, 100};
  ok(nc_put_var_double(file, time_id, &time));
  ok(nc_put_var_double(file, x_id, x.data()));
  if (!v.empty()) ok(nc_put_var_double(file, v_id, v.data()));
  if (cell) {
    ok(nc_put_var_double(file, lengths_id, lengths));
    ok(nc_put_var_double(file, angles_id, angles));
  }
  ok(nc_close(file));
  std::stringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

TEST(AmberNetcdf, AllClassicVersionsAndTypes) {
  const Values x = some(33, 300), v = some(33, 2);
  for (int mode : {0, NC_64BIT_OFFSET, NC_64BIT_DATA})
    for (nc_type type : {NC_FLOAT, NC_DOUBLE}) {
      const std::string bytes = netcdf_restart(mode, type, x, v, true);
      for (const std::string& packed : {bytes, test::gzip(bytes)}) {
        const Coordinates c = read(packed);
        ASSERT_EQ(c.x.size(), 33u);
        ASSERT_EQ(c.v.size(), 33u);
        const double epsilon = type == NC_FLOAT ? 6e-8 : 3e-16;  // half a unit in the last place, and a rounding
        for (std::size_t i = 0; i < 33; ++i) {
          EXPECT_NEAR(c.x[i].y, 0.1 * x[3 * i + 1], epsilon * 30);
          EXPECT_NEAR(c.v[i].z, 2.0455 * v[3 * i + 2], epsilon * 5);
        }
        EXPECT_EQ(c.time, 12.5);
        ASSERT_TRUE(c.box);
        Vec3d lengths, angles;
        box_parameters(*c.box, lengths, angles);
        EXPECT_NEAR(lengths.z, 5, 1e-14);
        EXPECT_NEAR(angles.x * 180 / pi, 80, 1e-12);
        EXPECT_NEAR(angles.z * 180 / pi, 100, 1e-12);
      }
    }
}

TEST(AmberNetcdf, VelocitiesAndCellMayBeMissing) {
  const Coordinates c = read(netcdf_restart(0, NC_DOUBLE, some(5, 1), {}, false));
  EXPECT_TRUE(c.v.empty());
  EXPECT_FALSE(c.box);
}

TEST(AmberNetcdf, TrajectoriesAndNonsenseAreRefused) {
  EXPECT_THROW(read(netcdf_restart(0, NC_DOUBLE, some(5, 1), {}, false, "AMBER")), InputError);
  EXPECT_THROW(read(netcdf_restart(0, NC_DOUBLE, some(5, 1), {}, false, "CF-1.6")), InputError);
  Values x = some(5, 1);
  x[7] = std::nan("");
  try {
    read(netcdf_restart(0, NC_DOUBLE, x, {}, false));
    FAIL() << "accepted";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("atom 3"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace uplift
