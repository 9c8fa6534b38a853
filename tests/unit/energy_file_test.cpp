#include "uplift/io/energy_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "package/sample_system.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/energy_json.hpp"
#include "uplift/io/forces_file.hpp"
#include "uplift/io/info.hpp"

namespace {

using namespace uplift;
using testing::HasSubstr;

const Provenance provenance{"a title", "1.2.3", "version: 1\n"};
const std::vector<EnergyTerm> terms{EnergyTerm::bond, EnergyTerm::lj, EnergyTerm::coulomb_direct};

struct EnergyFile : testing::Test {
  std::string path =
      (std::filesystem::temp_directory_path() /
       ("uplift-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".h5"))
          .string();
  ~EnergyFile() override { std::filesystem::remove(path); }
};

EnergyRow row_of(int i) {
  EnergyRow row;
  row.step = 5 * i;
  row.time = 0.01 * i;
  row.energies[EnergyTerm::bond] = i;
  row.energies[EnergyTerm::lj] = -2.0 * i;
  row.energies[EnergyTerm::coulomb_direct] = 0.5;
  row.kinetic = 7;
  row.temperature = 300 + i;
  row.pressure = -i;
  row.volume = 27;
  row.conserved_quantity = 1e6 + i;
  return row;
}

void expect_rows(const std::string& path, int count) {
  const h5::File file = h5::File::read(path);
  for (const std::string& name : file.names()) {
    if (file.is_group(name)) continue;
    EXPECT_EQ(file.dataset(name).rows(), static_cast<std::uint64_t>(count)) << name;
  }
  const auto steps = file.dataset("step").read<std::int64_t>();
  const auto potential = file.dataset("potential").read<double>(), total = file.dataset("total").read<double>();
  for (int i = 0; i < count; ++i) {
    const auto n = static_cast<std::size_t>(i);
    ASSERT_EQ(steps[n], 5 * i);
    ASSERT_EQ(potential[n], -i + 0.5);
    ASSERT_EQ(total[n], -i + 7.5);
  }
}

class EnergyRows : public testing::TestWithParam<int> {};
TEST_P(EnergyRows, AllArrive) {
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("uplift-rows-" + std::to_string(::getpid()) + "-" + std::to_string(GetParam())))
                               .string();
  {
    EnergyWriter writer = EnergyWriter::create(path, terms, true, provenance);
    for (int i = 0; i < GetParam(); ++i) writer.write(row_of(i));
    EXPECT_EQ(writer.rows(), GetParam());
  }  // rows that wait are written when it goes
  expect_rows(path, GetParam());
  std::filesystem::remove(path);
}
INSTANTIATE_TEST_SUITE_P(Sizes, EnergyRows, testing::Values(0, 1, 31, 32, 33, 1000, 1024, 5000));

TEST_F(EnergyFile, HasTheColumnsOfTheSystem) {
  EnergyWriter::create(path, terms, true, provenance);
  {
    const h5::File file = h5::File::read(path);
    EXPECT_THAT(file.names(),
                testing::UnorderedElementsAre("parameters", "step", "time", "bond", "lj", "coulomb_direct", "potential",
                                              "kinetic", "total", "temperature", "pressure", "volume", "conserved_quantity"));
    EXPECT_EQ(file.dataset("bond").text("unit"), "kJ mol-1");
    EXPECT_EQ(file.dataset("pressure").text("unit"), "bar");
    EXPECT_EQ(file.dataset("volume").text("unit"), "nm+3");
    EXPECT_EQ(file.dataset("temperature").text("unit"), "K");
    EXPECT_EQ(file.dataset("time").text("unit"), "ps");
  }
  EnergyWriter::create(path, terms, false, provenance);
  EXPECT_FALSE(h5::File::read(path).contains("pressure"));
}

TEST_F(EnergyFile, TrimmedAndContinued) {
  {
    EnergyWriter writer = EnergyWriter::create(path, terms, true, provenance);
    for (int i = 0; i < 100; ++i) writer.write(row_of(i));
  }
  {
    EnergyWriter writer = EnergyWriter::append(path, terms, true);
    EXPECT_EQ(writer.rows(), 100);
    writer.trim_after(5 * 40 + 3);
    EXPECT_EQ(writer.rows(), 41);
    for (int i = 41; i < 120; ++i) writer.write(row_of(i));
    EXPECT_THROW(writer.write(row_of(119)), std::logic_error);
  }
  expect_rows(path, 120);
  EXPECT_THROW(EnergyWriter::append(path, {EnergyTerm::bond}, true), InputError);
  EXPECT_THAT(describe_file(path),
              testing::AllOf(HasSubstr("energy table"), HasSubstr("conserved_quantity"), HasSubstr("0 to 595")));
}

// What a kill between two columns leaves: one dataset longer than the others.
TEST_F(EnergyFile, GivesBackTheRowsOfAStage) {
  for (const bool periodic : {true, false}) {
    constexpr int count = 5000;
    const auto rich = [&](int i) {
      EnergyRow row = row_of(i);
      if (!periodic) row.pressure = row.volume = 0;
      row.energies.bias = {1.0 * i, 2.0 * i, 3.0 * i, 4.0 * i, 0.5, 0.25};
      return row;
    };
    EnergyWriter writer = EnergyWriter::create(path, terms, periodic, provenance, true);
    for (int i = 0; i < count; ++i) writer.write(rich(i));
    for (const int first : {0, 1, 4321, count - 1}) {
      int expected = first == 0 ? 0 : first + 1;  // the first step of a stage is the last one of that before
      writer.rows_since(5 * first, [&](const EnergyRow& row) {
        const EnergyRow r = rich(expected++);
        ASSERT_EQ(row.step, r.step);
        for (EnergyTerm term : terms) EXPECT_EQ(row.energies[term], r.energies[term]);
        const BiasEnergies &a = row.energies.bias, &b = r.energies.bias;
        EXPECT_EQ((std::vector{row.time, row.kinetic, row.temperature, row.pressure, row.volume, row.conserved_quantity}),
                  (std::vector{r.time, r.kinetic, r.temperature, r.pressure, r.volume, r.conserved_quantity}));
        EXPECT_EQ((std::vector{a.dihedral, a.total, a.boost_dihedral, a.boost_total, a.factor_dihedral, a.factor_total}),
                  (std::vector{b.dihedral, b.total, b.boost_dihedral, b.boost_total, b.factor_dihedral, b.factor_total}));
      });
      EXPECT_EQ(expected, count) << first;
    }
  }
}

TEST_F(EnergyFile, RaggedTableIsTrimmedToWholeRows) {
  {
    EnergyWriter writer = EnergyWriter::create(path, terms, true, provenance);
    for (int i = 0; i < 10; ++i) writer.write(row_of(i));
  }
  {
    h5::File file = h5::File::append(path);
    const std::vector<double> extra{1, 2};
    h5::Dataset bond = file.dataset("bond"), kinetic = file.dataset("kinetic");
    bond.append(std::span<const double>(extra));
    kinetic.trim(9);
  }
  EXPECT_THAT(describe_file(path), HasSubstr("rows          9"));
  EXPECT_EQ(EnergyWriter::append(path, terms, true).rows(), 9);
  expect_rows(path, 9);
}

EnergyReport report_of(int atoms) {
  EnergyReport report;
  report.atoms = atoms;
  report.precision = "mixed";
  report.backend = "cpu";
  report.terms = terms;
  report.energies = row_of(3).energies;
  report.energies[EnergyTerm::bond] = 0.1 + 0.2;  // needs 17 digits
  report.pme = PmeParameters{3.125, {32, 36, 40}, 5};
  return report;
}

TEST(EnergyJson, SaysWhatTheContractSays) {
  const auto json = nlohmann::json::parse(energy_json(report_of(12)));
  EXPECT_EQ(json["atoms"], 12);
  EXPECT_EQ(json["precision"], "mixed");
  EXPECT_EQ(json["backend"], "cpu");
  EXPECT_EQ(json["units"], "kJ/mol");
  EXPECT_EQ(json["energies"].size(), 4u);
  EXPECT_EQ(json["energies"]["bond"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(json["energies"]["potential"].get<double>(), report_of(12).energies.potential());
  EXPECT_EQ(json["pme"], nlohmann::json::parse(R"({"alpha": 3.125, "grid": [32, 36, 40], "order": 5})"));
  EnergyReport open = report_of(12);
  open.pme.reset();
  EXPECT_FALSE(nlohmann::json::parse(energy_json(open)).contains("pme"));
  EXPECT_THROW(write_energy_json("/dev/null/e.json", open), SimulationError);
}

TEST(EnergyJson, NotANumberStaysValidJson) {
  EnergyReport report = report_of(1);
  report.energies[EnergyTerm::lj] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(nlohmann::json::parse(energy_json(report))["energies"]["lj"].is_null());
}

TEST(EnergyTerms, OfASystem) {
  System system = sample::make_system(1);
  system.force_field.bonds.push_back({0, 1, 0.1, 1000});
  EXPECT_EQ(energy_terms(system), (std::vector<EnergyTerm>{EnergyTerm::bond, EnergyTerm::lj, EnergyTerm::coulomb_direct,
                                                           EnergyTerm::coulomb_reciprocal, EnergyTerm::dispersion_correction}));
  system.forces.nonbonded = NonbondedMethod::no_cutoff;
  system.forces.implicit_solvent = ImplicitSolventSettings{};
  EXPECT_EQ(energy_terms(system), (std::vector<EnergyTerm>{EnergyTerm::bond, EnergyTerm::lj, EnergyTerm::coulomb_direct,
                                                           EnergyTerm::implicit_solvent}));
}

TEST_F(EnergyFile, ForcesKeepEveryBit) {
  const std::vector<Vec3d> f{{0.1, 1.0 / 3, -1e-300}, {4e15, 0, -0.0}}, x{{1, 2, 3}, {4, 5, 6}};
  write_forces_file(path, report_of(2), f, x);
  const h5::File file = h5::File::read(path);
  EXPECT_EQ(file.dataset("forces").shape(), (h5::Shape{2, 3}));
  EXPECT_EQ(file.dataset("forces").read<double>(), (std::vector<double>{0.1, 1.0 / 3, -1e-300, 4e15, 0, -0.0}));
  EXPECT_EQ(file.dataset("positions").read<double>(), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(file.number("atoms"), 2);
  EXPECT_EQ(file.open_group("energies").number("bond"), 0.1 + 0.2);
  EXPECT_EQ(file.open_group("pme").number("alpha"), 3.125);
  EXPECT_THAT(describe_file(path), HasSubstr("forces of a single point"));
}

}  // namespace
