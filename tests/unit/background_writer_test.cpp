#include "uplift/io/background_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace uplift {
namespace {

using namespace std::chrono_literals;

TEST(BackgroundWriter, WorksInOrder) {
  std::vector<int> done, wanted(100);
  std::iota(wanted.begin(), wanted.end(), 0);
  BackgroundWriter writer(3);
  for (int k : wanted) writer.add([&done, k] { done.push_back(k); });
  writer.drain();
  EXPECT_EQ(done, wanted);
}

TEST(BackgroundWriter, HoldsNoMoreThanItMay) {
  std::atomic<int> alive = 0, most = 0;
  struct Held {
    std::atomic<int>& alive;
    explicit Held(std::atomic<int>& a) : alive(a) { ++alive; }
    ~Held() { --alive; }
  };
  BackgroundWriter writer(2);
  for (int k = 0; k < 20; ++k) {
    auto held = std::make_shared<Held>(alive);
    most = std::max(most.load(), alive.load());
    writer.add([held] { std::this_thread::sleep_for(1ms); });
  }
  writer.drain();
  EXPECT_LE(most, 4);  // two wait, one is worked on, one is about to be queued
  EXPECT_EQ(alive, 0);
}

TEST(BackgroundWriter, TellsOfAnErrorAndDropsTheRest) {
  std::atomic<int> done = 0;
  BackgroundWriter writer;
  writer.add([] { throw std::runtime_error("the disk is full"); });
  EXPECT_THROW(writer.drain(), std::runtime_error);
  EXPECT_THROW(writer.add([&] { ++done; }), std::runtime_error);
  EXPECT_THROW(writer.drain(), std::runtime_error);  // still: what is lost stays lost
  EXPECT_EQ(done, 0);

  BackgroundWriter other;
  other.add([] { throw std::runtime_error("the disk is full"); });
  std::this_thread::sleep_for(20ms);
  EXPECT_THROW(other.add([] {}), std::runtime_error);
}

TEST(BackgroundWriter, FinishesBeforeItGoes) {
  std::atomic<int> done = 0;
  {
    BackgroundWriter writer(10);
    for (int k = 0; k < 10; ++k)
      writer.add([&] {
        std::this_thread::sleep_for(1ms);
        ++done;
      });
  }
  EXPECT_EQ(done, 10);
  const BackgroundWriter idle;  // never had a job
}

}  // namespace
}  // namespace uplift
