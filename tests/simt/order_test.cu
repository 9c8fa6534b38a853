// Every test of the emulator begins in the order that the environment names (UPLIFT_SIMT_SEED, UPLIFT_SIMT_STREAMS), whatever
// tests before it did to the order: one process that runs all of them tries all of them in that order, and each fails alone as
// it fails among others.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "simt/runtime.hpp"

namespace {

class OrderOfEnvironment : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo &) override { simt::restore_order(); }
};
[[maybe_unused]] const bool listens = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new OrderOfEnvironment);  // gtest deletes it
  return true;
}();

class EmulatorOrder : public ::testing::TestWithParam<const char *> {};

/// Each of the two leaves a mess; whichever comes second shows whether it was cleared away.
TEST_P(EmulatorOrder, IsThatOfTheEnvironment) {
  const char *seed = std::getenv("UPLIFT_SIMT_SEED"), *streams = std::getenv("UPLIFT_SIMT_STREAMS");
  EXPECT_EQ(simt::seed(), seed ? std::strtoull(seed, nullptr, 10) : 0);
  EXPECT_EQ(simt::lazy_streams(), streams && std::string(streams) == "lazy");
  simt::set_seed(simt::seed() + 1);
  simt::set_lazy_streams(!simt::lazy_streams());
}
INSTANTIATE_TEST_SUITE_P(Twice, EmulatorOrder, ::testing::Values("first", "second"));

}  // namespace
