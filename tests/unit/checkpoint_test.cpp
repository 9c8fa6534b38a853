// checkpoint.upc: what goes in comes out, bit for bit; what is damaged is refused; a whole one is always there.
#include "uplift/io/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "support/input_folder.hpp"
#include "support/toy_backend.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CheckpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("uplift-checkpoint-" + std::to_string(::getpid()) + "-" +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name = "checkpoint.upc") const { return (folder_ / name).string(); }

  static Checkpoint sample(int atoms) {
    Checkpoint c;
    c.version = "0.1.0";
    c.input = "version: 1\ntitle: \"\xc3\xa9t\xc3\xa9\"\n";
    c.settings = "forces.cutoff: 0.9 nm\n";
    c.stage = 3;
    c.stage_name = "production";
    c.begun = true;
    c.stage_step = 1234567890123;
    c.stage_time = 0.1;
    c.stage_box = {{3.1, 0, 0}, {0.2, 3.0, 0}, {0.1, -0.3, 2.9}};
    c.has_velocities = true;
    c.system = 0xdeadbeef;
    for (int i = 0; i < atoms; ++i) {
      c.state.x.push_back({1.0 / 3 + i, -0.0, std::nextafter(1.0, 2.0)});
      c.state.v.push_back({5e-324, -i * 0.7, std::numeric_limits<double>::quiet_NaN()});
      c.state.list.x.push_back({i * 0.1, 1, 2});
    }
    c.state.box = {{3, 0, 0}, {0, 3, 0}, {0, 0, 3}};
    c.state.list.box = {{3.01, 0, 0}, {0, 2.99, 0}, {0, 0, 3}};
    c.state.step = 1234567890999;
    c.state.time = 1e300;
    c.state.heat = -1.0 / 7;
    c.state.chain = {0.25, 1e-17};
    c.state.barostat = {0.3, 4, 2};
    return c;
  }

  static std::string bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& content) const { std::ofstream(path(), std::ios::binary | std::ios::trunc) << content; }
  std::string refusal() const {
    try {
      read_checkpoint(path());
    } catch (const InputError& e) {
      return e.what();
    }
    return "(read)";
  }

  fs::path folder_;
};

bool same_bits(const std::vector<Vec3d>& a, const std::vector<Vec3d>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Vec3d)) == 0);
}

TEST_F(CheckpointTest, KeepsEveryBit) {
  for (int atoms : {0, 1, 31, 32, 33, 1000}) {
    const Checkpoint c = sample(atoms);
    write_checkpoint(path(), c);
    const Checkpoint r = read_checkpoint(path());
    EXPECT_EQ(r.version, c.version);
    EXPECT_EQ(r.input, c.input);
    EXPECT_EQ(r.settings, c.settings);
    EXPECT_EQ(r.stage, c.stage);
    EXPECT_EQ(r.stage_name, c.stage_name);
    EXPECT_EQ(r.begun, c.begun);
    EXPECT_EQ(r.stage_step, c.stage_step);
    EXPECT_EQ(r.stage_time, c.stage_time);
    EXPECT_EQ(std::memcmp(&r.stage_box, &c.stage_box, sizeof(Box)), 0);
    EXPECT_EQ(r.has_velocities, c.has_velocities);
    EXPECT_EQ(r.system, c.system);
    EXPECT_TRUE(same_bits(r.state.x, c.state.x));
    EXPECT_TRUE(same_bits(r.state.v, c.state.v));
    EXPECT_TRUE(same_bits(r.state.list.x, c.state.list.x));
    EXPECT_EQ(r.state.list.box, c.state.list.box);
    EXPECT_EQ(std::memcmp(&r.state.box, &c.state.box, sizeof(Box)), 0);
    EXPECT_EQ(r.state.step, c.state.step);
    EXPECT_EQ(r.state.time, c.state.time);
    EXPECT_EQ(r.state.heat, c.state.heat);
    EXPECT_EQ(r.state.chain, c.state.chain);
    EXPECT_EQ(r.state.barostat, c.state.barostat);
  }
}

TEST_F(CheckpointTest, KeepsWhatAMinimisationRemembers) {
  Checkpoint c = sample(2);
  write_checkpoint(path(), c);
  EXPECT_FALSE(read_checkpoint(path()).descent);
  DescentMemory d{17, 0.1, -1.0 / 3, 1e300, 1e200, 5e-324, c.state.v, {4, 0}, {{1, 2, 3, 4, 5, 6}, {1e-45f, 0, 0, 0, 0, -0.0f}},
                  {}, {}};
  for (int k = 0; k < DescentMemory::vectors * DescentMemory::vectors; ++k) d.products.push_back(0.1 * k);
  d.change = {d.step[1], d.step[0]};
  c.descent = d;
  write_checkpoint(path(), c);
  const DescentMemory r = *read_checkpoint(path()).descent;
  EXPECT_EQ(r.steps, d.steps);
  EXPECT_EQ(r.first_step, d.first_step);
  EXPECT_EQ(r.energy, d.energy);
  EXPECT_EQ(r.largest, d.largest);
  EXPECT_EQ(r.worst, d.worst);
  EXPECT_EQ(r.squared, d.squared);
  EXPECT_TRUE(same_bits(r.force, d.force));
  EXPECT_EQ(r.slots, d.slots);
  EXPECT_EQ(r.step, d.step);
  EXPECT_EQ(r.change, d.change);
  EXPECT_EQ(r.products, d.products);
  for (const std::vector<int>& slots : {std::vector{4, 9}, std::vector{4, 4}, std::vector{-1, 0}}) {
    c.descent->slots = slots;
    write_checkpoint(path(), c);
    EXPECT_NE(refusal().find("is not of this version"), std::string::npos) << refusal();
  }
  c.descent->slots = d.slots;
  c.descent->change.pop_back();
  write_checkpoint(path(), c);
  EXPECT_NE(refusal().find("vectors of the minimisation differ in number"), std::string::npos) << refusal();
}

TEST_F(CheckpointTest, KeepsThePreviousOne) {
  for (int step : {1, 2, 3}) {
    Checkpoint c = sample(5);
    c.state.step = step;
    write_checkpoint(path(), c);
  }
  EXPECT_EQ(read_checkpoint(path()).state.step, 3);
  EXPECT_EQ(read_checkpoint(previous_checkpoint(path())).state.step, 2);
  EXPECT_EQ(previous_checkpoint(path()), path("checkpoint.prev.upc"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2) << "temporary files are left";
}

TEST_F(CheckpointTest, EveryDamagedByteIsFound) {
  write_checkpoint(path(), sample(3));
  const std::string good = bytes(path());
  for (std::size_t k = 0; k < good.size(); ++k) {
    std::string bad = good;
    bad[k] = static_cast<char>(bad[k] ^ 0x10);
    put(bad);
    EXPECT_NE(refusal(), "(read)") << "byte " << k;
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    put(good.substr(0, length));
    EXPECT_NE(refusal(), "(read)") << length << " bytes";
  }
  put(good + "x");
  EXPECT_THAT(refusal(), HasSubstr("something behind it"));
  put(good);
  EXPECT_EQ(refusal(), "(read)");
}

/// Whole ones, by their checksum: arrays within arrays, which overran the stack (found by fuzzing), and an array that says it
/// has more numbers than anybody can count.
TEST_F(CheckpointTest, OfAnyContentIsReadOrRefused) {
  write_checkpoint(path(), sample(1));
  const std::string header = bytes(path()).substr(0, 12);  // up to the checksum
  const auto refusal_of = [&](const std::string& payload) {
    std::uint32_t crc = ~0u;  // as zlib's
    for (const char c : payload) {
      crc ^= static_cast<unsigned char>(c);
      for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
    }
    crc = ~crc;
    const std::uint64_t size = payload.size();
    std::string rest(12, '\0');
    std::memcpy(rest.data(), &crc, sizeof crc);
    std::memcpy(rest.data() + sizeof crc, &size, sizeof size);
    put(header + rest + payload);
    return refusal();
  };
  EXPECT_THAT(refusal_of(std::string(2000000, '\x81')), HasSubstr("nested too deep"));  // CBOR: an array of one, which is ...
  EXPECT_THAT(refusal_of('\x9b' + std::string(8, '\x0f')), HasSubstr("cannot be understood"));
}

TEST_F(CheckpointTest, SaysWhatIsWrongAndWhatToDo) {
  EXPECT_THAT(refusal(), HasSubstr("checkpoint.upc"));
  put("version: 1\n");
  EXPECT_THAT(refusal(), HasSubstr("not a checkpoint"));
  write_checkpoint(path(), sample(3));
  const std::string good = bytes(path());
  std::string newer = good;
  newer[8] = 99;
  put(newer);
  EXPECT_THAT(refusal(), HasSubstr("format 99"));
  put(good.substr(0, 100));
  EXPECT_THAT(refusal(), HasSubstr("checkpoint.prev.upc"));
}

TEST_F(CheckpointTest, AFailureToWriteLeavesTheOldOne) {
  write_checkpoint(path(), sample(3));
  const std::string before = bytes(path());
  fs::create_directory(path() + ".tmp");  // the temporary name is taken by something that cannot be written
  EXPECT_THROW(write_checkpoint(path(), sample(4)), SimulationError);
  EXPECT_EQ(bytes(path()), before);
}

TEST_F(CheckpointTest, KnowsWhatTheRunWasBegunFrom) {
  Checkpoint c = sample(2);
  write_checkpoint(path(), c);
  EXPECT_FALSE(read_checkpoint(path()).origin);  // as earlier versions wrote it
  c.origin = Origin{{{"bonds", 7}, {"1-4 interactions", 0xffffffff}}, 0x80000001, Box{{3, 0, 0}, {0.1, 3, 0}, {0, 0, 4}}};
  write_checkpoint(path(), c);
  const Checkpoint read = read_checkpoint(path());
  ASSERT_TRUE(read.origin);
  EXPECT_EQ(read.origin->parameters, c.origin->parameters);
  EXPECT_EQ(read.origin->positions, 0x80000001);
  EXPECT_EQ(read.origin->box, c.origin->box);
  c.origin->box.reset();
  write_checkpoint(path(), c);
  EXPECT_FALSE(read_checkpoint(path()).origin->box);
}

TEST(SystemFingerprint, TellsSystemsApart) {
  const System one = test::free_atoms(4, 16);
  System charged = one, heavier = one;
  charged.force_field.charges[2] = 0.5;
  heavier.masses[3] = 17;
  EXPECT_EQ(system_fingerprint(one), system_fingerprint(test::free_atoms(4, 16)));
  EXPECT_NE(system_fingerprint(one), system_fingerprint(charged));
  EXPECT_NE(system_fingerprint(one), system_fingerprint(heavier));
  EXPECT_NE(system_fingerprint(one), system_fingerprint(test::free_atoms(5, 16)));
}

}  // namespace
}  // namespace uplift
