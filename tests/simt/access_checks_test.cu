// The emulator finds accesses that nothing puts in an order, in whatever order they happened, accesses to what is nobody's, and
// reads of what nobody has written:
// each mistake is planted here once, beside the same without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cuda/launch.cuh>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "array.hpp"

namespace uplift::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr unsigned all = 0xffffffffu;

class EmulatorChecks : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!simt::checks::watched()) GTEST_SKIP() << "a sanitizer's build tells of no accesses";
  }
  void TearDown() override { cudaGetLastError(); }
  /// "" if there is nothing to complain of.
  static std::string complaint(const std::function<void()>& work) {
    try {
      work();
      check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    } catch (const simt::Error& e) {
      const simt::checks::Pause pause;
      cudaDeviceSynchronize();  // what was queued behind it
      return e.what();
    }
    return "";
  }
  template <class... P, class... A>
  static std::string complaint_of(void (*kernel)(P...), LaunchShape shape, A... arguments) {
    return complaint([&] { launch_kernel("planted", kernel, shape, nullptr, arguments...); });
  }
};

class Streams {
 public:
  Streams() {
    for (cudaStream_t& s : stream_) check(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "stream");
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
  }
  ~Streams() {
    for (cudaStream_t s : stream_) cudaStreamDestroy(s);
    cudaEventDestroy(event);
  }
  cudaStream_t operator[](int k) const { return stream_[k]; }
  void wait(int waits, int waits_for) const {
    check(cudaEventRecord(event, stream_[waits_for]), "record");
    check(cudaStreamWaitEvent(stream_[waits], event, 0), "wait");
  }
  cudaEvent_t event{};

 private:
  cudaStream_t stream_[2]{};
};

enum class By { nothing, shuffle, syncwarp, barrier };

/// Each lane reads what its neighbour has written.
template <By by>
__global__ void neighbour(float* out) {
  UPLIFT_SHARED(float[64], values);
  const int t = static_cast<int>(threadIdx.x), n = static_cast<int>(blockDim.x);
  values[t] = static_cast<float>(t);
  if (by == By::shuffle) __shfl_sync(all, t, 0);
  if (by == By::syncwarp) __syncwarp();
  if (by == By::barrier) __syncthreads();
  out[t] = values[(t + 1) % n];
}
TEST_F(EmulatorChecks, OfNeighboursInAWarp) {
  Array<float> out(std::vector<float>(32, 0));
  EXPECT_THAT(complaint_of(neighbour<By::nothing>, {1, 32}, out.data()),
              AllOf(HasSubstr("race"), HasSubstr("shared memory"), HasSubstr("planted"), HasSubstr("block 0, thread ")));
  EXPECT_THAT(complaint_of(neighbour<By::shuffle>, {1, 32}, out.data()), HasSubstr("race"));  // is no barrier for memory
  EXPECT_EQ(complaint_of(neighbour<By::syncwarp>, {1, 32}, out.data()), "");
  EXPECT_EQ(complaint_of(neighbour<By::barrier>, {1, 32}, out.data()), "");
}
TEST_F(EmulatorChecks, OfTwoWarps) {
  Array<float> out(std::vector<float>(64, 0));
  EXPECT_THAT(complaint_of(neighbour<By::syncwarp>, {1, 64}, out.data()), HasSubstr("race"));
  EXPECT_EQ(complaint_of(neighbour<By::barrier>, {1, 64}, out.data()), "");
}
TEST_F(EmulatorChecks, AreNamedWithBothPlaces) {
  Array<float> out(std::vector<float>(32, 0));
  EXPECT_THAT(complaint_of(neighbour<By::nothing>, {1, 32}, out.data()),
              ::testing::ContainsRegex("written by.*access_checks_test.cu:[0-9]+(.|\n)*read by.*access_checks_test.cu:[0-9]+"));
}

/// What has been read is written for the next turn.
template <bool waits>
__global__ void turns(float* out) {
  UPLIFT_SHARED(float, value);
  for (int k = 0; k < 3; ++k) {
    if (threadIdx.x == 0) value = static_cast<float>(k);
    __syncthreads();
    out[threadIdx.x] += value;
    if (waits) __syncthreads();
  }
}
TEST_F(EmulatorChecks, OfAWriteAfterReads) {
  Array<float> out(std::vector<float>(64, 0));
  EXPECT_THAT(complaint_of(turns<false>, {1, 64}, out.data()), HasSubstr("race"));
  EXPECT_EQ(complaint_of(turns<true>, {1, 64}, out.data()), "");
}

enum class Writes { plainly, by_atomics, both_ways, beside_each_other };
template <Writes writes>
__global__ void from_blocks(int* out, std::uint8_t* bytes) {
  const auto b = static_cast<int>(blockIdx.x);
  if (threadIdx.x > 0) return;
  if (writes == Writes::plainly) *out = b;
  if (writes == Writes::by_atomics || (writes == Writes::both_ways && b > 0)) atomicAdd(out, b);
  if (writes == Writes::both_ways && b == 0) *out = 0;
  if (writes == Writes::beside_each_other) bytes[b] = static_cast<std::uint8_t>(b);
}
TEST_F(EmulatorChecks, OfBlocksThatNeverRunAtOnceHere) {
  Array<int> out(std::vector<int>{0});
  Array<std::uint8_t> bytes(std::vector<std::uint8_t>(8, 0));
  for (const std::uint64_t seed : {0, 1, 2}) {
    simt::set_seed(seed);
    EXPECT_THAT(complaint_of(from_blocks<Writes::plainly>, {8, 32}, out.data(), bytes.data()), HasSubstr("race"));
    EXPECT_THAT(complaint_of(from_blocks<Writes::both_ways>, {8, 32}, out.data(), bytes.data()),
                AllOf(HasSubstr("race"), HasSubstr("changed by an atomic")));
    EXPECT_EQ(complaint_of(from_blocks<Writes::by_atomics>, {8, 32}, out.data(), bytes.data()), "");
    EXPECT_EQ(complaint_of(from_blocks<Writes::beside_each_other>, {8, 32}, out.data(), bytes.data()), "");
  }
}

template <bool glances>
__global__ void maximum(unsigned* most) {
  const unsigned own = 32 * blockIdx.x + threadIdx.x;
  if (own > (glances ? glance(most) : *most)) atomicMax(most, own);
}
TEST_F(EmulatorChecks, NotOfAGlance) {
  Array<unsigned> most(std::vector<unsigned>{0});
  EXPECT_THAT(complaint_of(maximum<false>, {4, 32}, most.data()), HasSubstr("race"));
  EXPECT_EQ(complaint_of(maximum<true>, {4, 32}, most.data()), "");
}

enum class Fences { none, before, after, both, both_but_early };
/// The block that is ready last adds up what all have written.
template <Fences fences>
__global__ void last_adds_up(int* part, int* ready, int* sum) {
  UPLIFT_SHARED(bool, last);
  constexpr bool before = fences == Fences::before || fences == Fences::both,
                 after = fences == Fences::after || fences == Fences::both || fences == Fences::both_but_early;
  part[32 * blockIdx.x + threadIdx.x] = static_cast<int>(threadIdx.x);
  if (fences == Fences::both_but_early) __threadfence();  // of each thread for itself: not what others of its block wrote
  __syncthreads();
  if (threadIdx.x == 0) {
    if (before) __threadfence();
    last = atomicAdd(ready, 1) == static_cast<int>(gridDim.x) - 1;
    if (after) __threadfence();
  }
  __syncthreads();
  if (!last) return;
  for (unsigned b = 0; b < gridDim.x; ++b) atomicAdd(sum, part[32 * b + (threadIdx.x + 1) % 32]);
}
TEST_F(EmulatorChecks, OfBlocksThatTellOfThemselvesWithoutFences) {
  const auto told = [](auto kernel) {
    Array<int> part(std::vector<int>(128, 0)), ready(std::vector<int>{0}), sum(std::vector<int>{0});
    const std::string text = complaint_of(kernel, {4, 32}, part.data(), ready.data(), sum.data());
    EXPECT_EQ(sum.values()[0], 4 * 31 * 16);  // no harm done, here
    return text;
  };
  EXPECT_THAT(told(last_adds_up<Fences::none>), HasSubstr("race"));
  EXPECT_THAT(told(last_adds_up<Fences::before>), HasSubstr("race"));
  EXPECT_THAT(told(last_adds_up<Fences::after>), HasSubstr("race"));
  EXPECT_THAT(told(last_adds_up<Fences::both_but_early>), HasSubstr("race"));
  EXPECT_EQ(told(last_adds_up<Fences::both>), "");
}

__global__ void add_one(float* values, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) values[i] += 1;
}
TEST_F(EmulatorChecks, OfStreams) {
  Array<float> a(std::vector<float>(64, 0));
  const auto both = [&](const std::function<void(const Streams&)>& between) {
    const Streams s;
    return complaint([&] {
      UPLIFT_LAUNCH(add_one, cover(64, 32), s[0], a.data(), 64);
      between(s);
      UPLIFT_LAUNCH(add_one, cover(64, 32), s[1], a.data(), 64);
      check(cudaStreamSynchronize(s[1]), "synchronise");
    });
  };
  EXPECT_THAT(both([](const Streams&) {}), AllOf(HasSubstr("race"), HasSubstr("device memory"), HasSubstr("add_one")));
  EXPECT_THAT(both([](const Streams& s) { s.wait(0, 1); }), HasSubstr("race"));  // the wrong one waits
  EXPECT_EQ(both([](const Streams& s) { s.wait(1, 0); }), "");
  EXPECT_EQ(both([](const Streams& s) { check(cudaStreamSynchronize(s[0]), "synchronise"); }), "");
  EXPECT_THAT(both([](const Streams& s) { check(cudaStreamSynchronize(s[1]), "synchronise"); }), HasSubstr("race"));
  EXPECT_EQ(both([](const Streams& s) {
              check(cudaEventRecord(s.event, s[0]), "record");
              check(cudaEventSynchronize(s.event), "wait");
            }),
            "");
  EXPECT_EQ(a.values()[63], 12);
}
TEST_F(EmulatorChecks, OfCopies) {
  Array<float> a(std::vector<float>(64, 0));
  float* pinned = nullptr;
  check(cudaMallocHost(reinterpret_cast<void**>(&pinned), 64 * sizeof(float)), "cudaMallocHost");
  for (const bool waits : {false, true}) {
    const Streams s;
    const std::string text = complaint([&] {
      UPLIFT_LAUNCH(add_one, cover(64, 32), s[0], a.data(), 64);
      if (waits) s.wait(1, 0);
      check(cudaMemcpyAsync(pinned, a.data(), 64 * sizeof(float), cudaMemcpyDeviceToHost, s[1]), "copy");
      check(cudaStreamSynchronize(s[1]), "synchronise");
    });
    EXPECT_EQ(text.empty(), waits) << text;
    EXPECT_TRUE(waits || text.find("a copy") != std::string::npos) << text;
  }
  cudaFreeHost(pinned);
}
/// Branches that are joined at their ends, but not where one needs the other.
TEST_F(EmulatorChecks, OfBranchesOfAGraph) {
  Array<float> a(std::vector<float>(64, 0)), b(std::vector<float>(64, 0));
  for (const bool waits : {false, true}) {
    const Streams s;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    check(cudaStreamBeginCapture(s[0], cudaStreamCaptureModeThreadLocal), "capture");
    UPLIFT_LAUNCH(add_one, cover(64, 32), s[0], a.data(), 64);
    s.wait(1, 0);
    UPLIFT_LAUNCH(add_one, cover(64, 32), s[1], b.data(), 64);
    if (waits) s.wait(0, 1);
    UPLIFT_LAUNCH(add_one, cover(64, 32), s[0], b.data(), 64);
    s.wait(0, 1);
    check(cudaStreamEndCapture(s[0], &graph), "capture");
    check(cudaGraphInstantiate(&exec, graph, 0), "graph");
    const std::string text = complaint([&] {
      for (int k = 0; k < 2; ++k) check(cudaGraphLaunch(exec, s[0]), "launch");
    });
    EXPECT_EQ(text.empty(), waits) << text;
    check(cudaDeviceSynchronize(), "synchronise");
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(graph);
  }
}

template <bool shared>
__global__ void beyond(float* out, int n) {
  UPLIFT_SHARED(float[8], part);
  UPLIFT_SHARED(float[8], other);
  part[threadIdx.x] = other[threadIdx.x] = 1;
  (shared ? part : out)[n] = 1;
}
TEST_F(EmulatorChecks, AndWhatIsNobodys) {
  Array<float> a(std::vector<float>(10, 0));
  EXPECT_EQ(complaint_of(beyond<false>, {1, 1}, a.data(), 9), "");
  EXPECT_THAT(complaint_of(beyond<false>, {1, 1}, a.data(), 10),
              AllOf(HasSubstr("device memory that is nobody's"), HasSubstr("written")));
  EXPECT_EQ(complaint_of(beyond<true>, {1, 1}, a.data(), 7), "");
  EXPECT_THAT(complaint_of(beyond<true>, {1, 1}, a.data(), 8), HasSubstr("shared memory that is nobody's"));
}

template <bool shared>
__global__ void unwritten(float* out, int written) {
  UPLIFT_SHARED(float[8], part);
  for (int k = 0; k < written; ++k) (shared ? part : out)[k] = 1;
  float sum = 0;
  for (int k = 0; k < 8; ++k) sum += (shared ? part : out)[k];
  out[0] = sum;
}
TEST_F(EmulatorChecks, AndWhatNobodyHasWritten) {
  for (const bool all_of_it : {false, true}) {
    float* out = nullptr;
    check(cudaMalloc(reinterpret_cast<void**>(&out), 8 * sizeof(float)), "cudaMalloc");
    const std::string text = complaint_of(unwritten<false>, {1, 1}, out, all_of_it ? 8 : 7);
    EXPECT_EQ(text.find("device memory that nobody has written, read") == std::string::npos, all_of_it) << text;
    check(cudaFree(out), "cudaFree");
  }
  Array<float> out(std::vector<float>{0});
  EXPECT_EQ(complaint_of(unwritten<true>, {1, 1}, out.data(), 8), "");
  // What another block has written there does not count.
  EXPECT_THAT(complaint_of(unwritten<true>, {1, 1}, out.data(), 7), HasSubstr("shared memory that nobody has written"));
}

}  // namespace
}  // namespace uplift::cuda
