// The emulator runs kernels as a GPU would, and finds what a GPU would not forgive: each mistake is planted here once; those of
// the host in runtime_test.cu.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cuda/launch.cuh>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "array.hpp"

namespace uplift::cuda {
namespace {

using ::testing::HasSubstr;

enum class Mistake {
  none,
  no_barrier,
  out_of_bounds,
  divergent_shuffle,
  lane_not_in_mask,
  divergent_barrier,
  no_syncwarp,
  unwritten
};

/// Sum of `n` values: lanes by shuffles, warps through shared memory, blocks by an atomic.
template <Mistake mistake>
__global__ void reduce(const float* in, int n, double* out) {
  UPLIFT_SHARED(float[8], part);
  float s = 0;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < static_cast<unsigned>(n); i += gridDim.x * blockDim.x)
    s += in[i];
  const int lane = static_cast<int>(threadIdx.x & 31), warp = static_cast<int>(threadIdx.x >> 5);
  if (mistake == Mistake::divergent_shuffle) {
    if (lane < 16)
      s += __shfl_down_sync(0xffffffffu, s, 16);
    else
      s += __shfl_xor_sync(0xffffffffu, s, 1);
  }
  if (mistake == Mistake::lane_not_in_mask && lane < 16) s += __shfl_sync(0x0000ffffu, s, lane + 16);
  for (unsigned o = 16; o > 0; o >>= 1) s += __shfl_down_sync(0xffffffffu, s, o);
  if (lane == 0 && mistake != Mistake::unwritten) part[mistake == Mistake::out_of_bounds ? warp + 1 : warp] = s;
  if (mistake == Mistake::divergent_barrier) {
    if (warp != 3)
      __syncthreads();
    else
      __syncthreads();
  } else if (mistake != Mistake::no_barrier) {
    __syncthreads();
  }
  if (warp == 0) {
    s = lane < static_cast<int>(blockDim.x >> 5) ? part[lane] : 0.0f;
    if (mistake == Mistake::no_syncwarp) {  // reads a neighbour's value without waiting for it
      part[lane & 7] = s + 1;
      s = lane < 8 ? part[(lane + 1) & 7] - 1 : 0.0f;
    }
    for (unsigned o = 16; o > 0; o >>= 1) s += __shfl_down_sync(0xffffffffu, s, o);
    if (lane == 0) atomicAdd(out, static_cast<double>(s));
  }
}

class Emulator : public ::testing::Test {
 protected:
  void TearDown() override { cudaGetLastError(); }
  template <Mistake mistake>
  static double sum_of(int n) {
    std::vector<float> values(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(i % 97) - 40;
    Array<float> in(values);
    Array<double> out(std::vector<double>{0});
    UPLIFT_LAUNCH(reduce<mistake>, LaunchShape{3, 256}, nullptr, in.data(), n, out.data());
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    return out.values()[0];
  }
  static double expected(int n) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += i % 97 - 40;
    return sum;
  }
  template <Mistake mistake>
  static std::string complaint() {
    try {
      sum_of<mistake>(1000);
    } catch (const simt::Error& e) {
      return e.what();
    }
    return "(nothing)";
  }
};

TEST_F(Emulator, SumsWhateverTheOrder) {
  for (std::uint64_t seed = 0; seed < 9; ++seed) {
    simt::set_seed(seed);
    for (int n : {0, 1, 31, 32, 33, 1000, 10007})
      EXPECT_EQ(sum_of<Mistake::none>(n), expected(n)) << n << " values, seed " << seed;
  }
}

TEST_F(Emulator, AMissingBarrierReadsNotANumber) {
  const simt::checks::Pause pause;
  EXPECT_TRUE(std::isnan(sum_of<Mistake::no_barrier>(1000)));
}

TEST_F(Emulator, UnwrittenSharedMemoryIsNotANumber) {
  const simt::checks::Pause pause;
  EXPECT_TRUE(std::isnan(sum_of<Mistake::unwritten>(1000)));
}

TEST_F(Emulator, AMissingSyncwarpGivesOtherResultsInSomeOrders) {
  const simt::checks::Pause pause;
  int wrong = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    simt::set_seed(seed);
    const double sum = sum_of<Mistake::no_syncwarp>(1000);
    wrong += !(sum == expected(1000));
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(Emulator, DivergentShufflesAreNamed) {
  const std::string text = complaint<Mistake::divergent_shuffle>();
  EXPECT_THAT(text, HasSubstr("different collectives"));
  EXPECT_THAT(text, HasSubstr("emulator_test.cu:"));
  EXPECT_THAT(text, HasSubstr("reduce<mistake>"));
}

TEST_F(Emulator, AShuffleFromOutsideTheMaskIsNamed) {
  EXPECT_THAT(complaint<Mistake::lane_not_in_mask>(), HasSubstr("not in the mask"));
}

TEST_F(Emulator, DivergentBarriersAreNamed) {
  EXPECT_THAT(complaint<Mistake::divergent_barrier>(), HasSubstr("different barriers"));
}

TEST_F(Emulator, GoesOnAfterAMistake) {
  complaint<Mistake::divergent_barrier>();
  complaint<Mistake::divergent_shuffle>();
  EXPECT_EQ(sum_of<Mistake::none>(1000), expected(1000));
}

#if defined(__SANITIZE_ADDRESS__)
TEST_F(Emulator, OutOfBoundsSharedMemoryIsCaught) {
  EXPECT_DEATH(sum_of<Mistake::out_of_bounds>(1000), "use-after-poison|out of bounds");
}
#endif

__global__ void wait_for_half() {
  if (threadIdx.x < 16) __syncwarp(0xffffffffu);
  if (threadIdx.x >= 16) __syncthreads();
}
TEST_F(Emulator, ADeadlockNamesWhoWaitsWhere) {
  UPLIFT_LAUNCH(wait_for_half, LaunchShape{1, 16}, nullptr);  // a warp that is not full: no deadlock
  try {
    UPLIFT_LAUNCH(wait_for_half, LaunchShape{1, 32}, nullptr);
    cudaDeviceSynchronize();  // streams may be lazy
    FAIL() << "no deadlock";
  } catch (const simt::Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("deadlock"));
    EXPECT_THAT(e.what(), HasSubstr("__syncwarp"));
    EXPECT_THAT(e.what(), HasSubstr("__syncthreads"));
  }
}

__global__ void votes(unsigned* out) {
  const unsigned lane = threadIdx.x & 31;
  out[threadIdx.x * 5 + 0] = __ballot_sync(0xffffffffu, lane % 3 == 0);
  out[threadIdx.x * 5 + 1] =
      static_cast<unsigned>(__any_sync(0xffffffffu, lane == 7)) + 2 * static_cast<unsigned>(__all_sync(0xffffffffu, lane < 31));
  out[threadIdx.x * 5 + 2] = __match_any_sync(0xffffffffu, lane / 8);
  out[threadIdx.x * 5 + 3] = __shfl_up_sync(0xffffffffu, lane, 3, 8);
  out[threadIdx.x * 5 + 4] =
      static_cast<unsigned>(__syncthreads_count(lane < 5)) + 100 * __reduce_or_sync(0xffffffffu, lane == 3   ? 1
                                                                                                 : lane == 9 ? 4
                                                                                                             : 0);
}
TEST_F(Emulator, CollectivesDoWhatTheManualSays) {
  for (std::uint64_t seed : {0u, 3u}) {
    simt::set_seed(seed);
    Array<unsigned> out(std::vector<unsigned>(64 * 5, 0));
    UPLIFT_LAUNCH(votes, LaunchShape{1, 64}, nullptr, out.data());
    const auto v = out.values();
    for (unsigned t = 0; t < 64; ++t) {
      const unsigned lane = t & 31;
      EXPECT_EQ(v[t * 5], 0x49249249u);
      EXPECT_EQ(v[t * 5 + 1], 1u);
      EXPECT_EQ(v[t * 5 + 2], 0xffu << (lane / 8 * 8));
      EXPECT_EQ(v[t * 5 + 3], lane % 8 < 3 ? lane : lane - 3);
      EXPECT_EQ(v[t * 5 + 4], 510u);
    }
  }
}

__global__ void reverse(float* values, int n) {
  UPLIFT_DYNAMIC_SHARED(float, s);
  const int i = static_cast<int>(threadIdx.x);
  s[i] = values[i];
  __syncthreads();
  values[i] = s[n - 1 - i];
}
TEST_F(Emulator, DynamicSharedMemory) {
  std::vector<float> values(128);
  std::iota(values.begin(), values.end(), 0.0f);
  Array<float> a(values);
  UPLIFT_LAUNCH(reverse, (LaunchShape{1, 128, 128 * sizeof(float)}), nullptr, a.data(), 128);
  const auto v = a.values();
  for (std::size_t i = 0; i < 128; ++i) EXPECT_EQ(v[i], static_cast<float>(127 - i));
  for (const LaunchShape& impossible : {LaunchShape{1, 2048}, LaunchShape{1, 32, 300 * 1024}})
    EXPECT_THROW(
        {
          UPLIFT_LAUNCH(reverse, impossible, nullptr, a.data(), 32);
          cudaDeviceSynchronize();
        },
        simt::Error);
}

__global__ void both_kinds(float* out, int n) {
  UPLIFT_DYNAMIC_SHARED(float, s);
  UPLIFT_SHARED(float[2048], own);
  s[n - 1] = 1;
  own[2047] = 2;
  *out = s[n - 1] + own[2047];
}
/// Variables and dynamic memory together have 48 KiB, unless somebody asks for more; a launch does.
TEST_F(Emulator, MoreSharedMemoryMustBeAskedFor) {
  Array<float> a(std::vector<float>(1, 0.0f));
  float* out = a.data();
  for (const int kib : {40, 44, 100}) {
    const int n = 256 * kib;
    const auto run = [&](std::size_t granted) {
      simt::enqueue(
          nullptr,
          [=] {
            simt::run(
                1, 1, {n * sizeof(float), granted}, [=] { both_kinds(out, n); }, "both_kinds");
          },
          true);
      cudaDeviceSynchronize();
    };
    if (kib == 40)
      EXPECT_NO_THROW(run(0));
    else
      EXPECT_THROW(run(0), simt::Error);
    EXPECT_NO_THROW(run(n * sizeof(float)));
    check(cudaMemset(out, 0, sizeof(float)), "clear");
    UPLIFT_LAUNCH(both_kinds, (LaunchShape{1, 1, n * sizeof(float)}), nullptr, out, n);
    EXPECT_EQ(a.values()[0], 3.0f) << kib;
  }
}

}  // namespace
}  // namespace uplift::cuda
