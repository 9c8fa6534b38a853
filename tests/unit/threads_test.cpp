#include "cpu/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace uplift::cpu {
namespace {

TEST(Threads, RunsEveryTaskOnceForAnyCount) {
  for (int count : {1, 2, 3, 8}) {
    const Threads threads(count);
    for (int tasks : {0, 1, 2, 3, 7, 64, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      threads.for_each(tasks, [&](int task, int thread) {
        EXPECT_GE(thread, 0);
        EXPECT_LT(thread, count);
        ++runs[static_cast<std::size_t>(task)];
      });
      for (const auto& r : runs) EXPECT_EQ(r, 1) << count << " threads, " << tasks << " tasks";
    }
  }
}

// Far more threads than cores, loops of every length one after another: late threads must neither miss nor repeat a task, nor
// run one of a loop that is over.
TEST(Threads, LoopsFollowEachOtherWithoutMixing) {
  const Threads threads(16);
  long long expected = 0;
  std::atomic<long long> sum{0};
  for (int loop = 0; loop < 3000; ++loop) {
    const int tasks = 2 + loop % 37;
    threads.for_each(tasks, [&sum, loop](int task, int) { sum += 1000LL * loop + task; });
    expected += 1000LL * loop * tasks + tasks * (tasks - 1) / 2;
    ASSERT_EQ(sum, expected) << "loop " << loop;
  }
}

TEST(Threads, SharesWorkAmongThreads) {
  const Threads threads(2);
  std::vector<int> by_thread(2);
  threads.for_each(20, [&](int, int thread) {
    ++by_thread[static_cast<std::size_t>(thread)];
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  });
  EXPECT_GT(by_thread[0], 0);
  EXPECT_GT(by_thread[1], 0);
}

TEST(Threads, HelpThoseWhoseShareTakesLonger) {
  for (int held = 0; held < 8; ++held) {  // this task ends when all others have, those of its own share too
    const Threads threads(2);
    std::atomic<int> done{0};
    threads.for_each(8, [&](int task, int) {
      if (task == held)
        while (done < 7) std::this_thread::yield();
      ++done;
    });
    EXPECT_EQ(done, 8);
  }
}

TEST(Threads, WakesAfterALongPause) {
  const Threads threads(3);
  for (int pause = 0; pause < 3; ++pause) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> runs{0};
    threads.for_each(50, [&](int, int) { ++runs; });
    EXPECT_EQ(runs, 50);
  }
}

TEST(Threads, ThrowsTheFailureOfATaskAfterTheOthersHaveRun) {
  for (int count : {2, 5}) {
    const Threads threads(count);
    std::atomic<int> runs{0};
    EXPECT_THROW(threads.for_each(100,
                                  [&](int task, int) {
                                    ++runs;
                                    if (task % 10 == 3) throw std::runtime_error("task failed");
                                  }),
                 std::runtime_error);
    EXPECT_EQ(runs, 100);
    threads.for_each(10, [&](int, int) { ++runs; });  // and the pool goes on
    EXPECT_EQ(runs, 110);
  }
}

TEST(Threads, BlocksCoverTheItems) {
  const Threads threads(2);
  std::vector<std::atomic<int>> hits(103);
  threads.for_blocks(103, 10, [&](int first, int last, int) {
    for (int i = first; i < last; ++i) ++hits[static_cast<std::size_t>(i)];
  });
  for (const auto& h : hits) EXPECT_EQ(h, 1);
}

}  // namespace
}  // namespace uplift::cpu
