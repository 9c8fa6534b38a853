// The emulator runs kernels as a GPU would, and finds what a GPU would not forgive: each mistake is planted here once.
#include <cufft.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cuda/launch.cuh>

#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <thread>
#include <vector>

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

/// Device memory that frees itself.
template <class T>
class Array {
 public:
  explicit Array(const std::vector<T>& values) : size_(values.size()) {
    check(cudaMalloc(reinterpret_cast<void**>(&data_), size_ * sizeof(T)), "cudaMalloc");
    check(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice), "cudaMemcpy");
  }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  T* data() { return data_; }
  std::vector<T> values() const {
    std::vector<T> v(size_);
    check(cudaMemcpy(v.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy");
    return v;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_;
};

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

TEST_F(Emulator, AMissingBarrierReadsNotANumber) { EXPECT_TRUE(std::isnan(sum_of<Mistake::no_barrier>(1000))); }

TEST_F(Emulator, UnwrittenSharedMemoryIsNotANumber) { EXPECT_TRUE(std::isnan(sum_of<Mistake::unwritten>(1000))); }

TEST_F(Emulator, AMissingSyncwarpGivesOtherResultsInSomeOrders) {
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

__global__ void add_one(float* values, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) values[i] += 1;
}

TEST_F(Emulator, StreamsEventsAndGraphs) {
  for (bool lazy : {false, true}) {
    simt::set_lazy_streams(lazy);
    Array<float> a(std::vector<float>(1000, 0.0f));
    cudaStream_t one, two;
    cudaEvent_t ready;
    check(cudaStreamCreateWithFlags(&one, cudaStreamNonBlocking), "stream");
    check(cudaStreamCreateWithFlags(&two, cudaStreamNonBlocking), "stream");
    check(cudaEventCreateWithFlags(&ready, cudaEventDisableTiming), "event");
    float last = -1;
    UPLIFT_LAUNCH(add_one, cover(1000, 256), one, a.data(), 1000);
    check(cudaEventRecord(ready, one), "record");
    check(cudaStreamWaitEvent(two, ready, 0), "wait");
    check(cudaMemcpyAsync(&last, a.data() + 999, sizeof(float), cudaMemcpyDeviceToHost, two), "copy");
    EXPECT_EQ(last, lazy ? -1.0f : 1.0f);
    check(cudaStreamSynchronize(two), "synchronise");
    EXPECT_EQ(last, 1.0f);

    cudaGraph_t graph;
    cudaGraphExec_t exec;
    check(cudaStreamBeginCapture(one, cudaStreamCaptureModeThreadLocal), "capture");
    UPLIFT_LAUNCH(add_one, cover(1000, 256), one, a.data(), 1000);
    UPLIFT_LAUNCH(add_one, cover(1000, 256), one, a.data(), 1000);
    check(cudaStreamEndCapture(one, &graph), "capture");
    EXPECT_EQ(simt::graph_nodes(graph), 2u);
    check(cudaGraphInstantiate(&exec, graph, 0), "graph");
    const auto before = simt::counters();
    for (int k = 0; k < 3; ++k) check(cudaGraphLaunch(exec, one), "launch");
    check(cudaStreamSynchronize(one), "synchronise");
    EXPECT_EQ(a.values()[500], 7.0f);
    const auto after = simt::counters();
    EXPECT_EQ(after.kernels - before.kernels, 6u);
    EXPECT_EQ(after.launches - before.launches, 4u);  // three graphs, one copy
    check(cudaGraphExecDestroy(exec), "graph");
    check(cudaGraphDestroy(graph), "graph");
    check(cudaEventDestroy(ready), "event");
    check(cudaStreamDestroy(one), "stream");
    check(cudaStreamDestroy(two), "stream");
  }
}

TEST_F(Emulator, AGraphHasBranches) {
  simt::set_lazy_streams(true);
  cudaStream_t main, side;
  cudaEvent_t fork, join;
  check(cudaStreamCreateWithFlags(&main, cudaStreamNonBlocking), "stream");
  check(cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking), "stream");
  check(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), "event");
  check(cudaEventCreateWithFlags(&join, cudaEventDisableTiming), "event");
  Array<float> a(std::vector<float>(100, 0.0f)), b(std::vector<float>(100, 0.0f));
  const auto one = [](Array<float>& array, cudaStream_t stream) {
    UPLIFT_LAUNCH(add_one, cover(100, 128), stream, array.data(), 100);
  };
  for (const bool joined : {true, false}) {
    check(cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal), "capture");
    one(a, main);
    check(cudaEventRecord(fork, main), "record");
    check(cudaStreamWaitEvent(side, fork, 0), "wait");
    one(b, side);
    one(b, side);
    check(cudaEventRecord(join, side), "record");
    one(a, main);
    if (joined) check(cudaStreamWaitEvent(main, join, 0), "wait");
    UPLIFT_LAUNCH(add_one, cover(100, 128), main, b.data(), 100);
    cudaGraph_t graph;
    ASSERT_EQ(cudaStreamEndCapture(main, &graph), joined ? cudaSuccess : cudaErrorStreamCaptureUnjoined);
    if (joined) {
      EXPECT_EQ(simt::graph_nodes(graph), 5u);
      EXPECT_EQ(simt::graph_depth(graph), 4u);
      cudaGraphExec_t exec;
      check(cudaGraphInstantiate(&exec, graph, 0), "graph");
      for (int k = 0; k < 10; ++k) check(cudaGraphLaunch(exec, main), "launch");
      check(cudaStreamSynchronize(main), "synchronise");
      EXPECT_EQ(a.values()[50], 20.0f);
      EXPECT_EQ(b.values()[50], 30.0f);
      // Other arguments may take their place in it, other work may not.
      Array<float> c(std::vector<float>(100, 0.0f));
      for (const bool same : {true, false}) {
        cudaGraph_t other;
        cudaGraphExecUpdateResultInfo result;
        check(cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal), "capture");
        one(a, main);
        check(cudaEventRecord(fork, main), "record");
        check(cudaStreamWaitEvent(side, fork, 0), "wait");
        one(c, side);
        if (same) one(c, side);
        check(cudaEventRecord(join, side), "record");
        one(a, main);
        check(cudaStreamWaitEvent(main, join, 0), "wait");
        one(c, main);
        check(cudaStreamEndCapture(main, &other), "capture");
        EXPECT_EQ(cudaGraphExecUpdate(exec, other, &result), same ? cudaSuccess : cudaErrorGraphExecUpdateFailure);
        check(cudaGraphDestroy(other), "graph");
        check(cudaGraphLaunch(exec, main), "launch");
        check(cudaStreamSynchronize(main), "synchronise");
        EXPECT_EQ(c.values()[50], same ? 3.0f : 6.0f);
      }
      cudaGetLastError();
      check(cudaGraphExecDestroy(exec), "graph");
    }
    check(cudaGraphDestroy(graph), "graph");
  }
  for (cudaEvent_t event : {fork, join}) check(cudaEventDestroy(event), "event");
  for (cudaStream_t stream : {main, side}) check(cudaStreamDestroy(stream), "stream");
}

/// Who captures must not wait, allocate or ask: the call is refused, and the graph is lost. Other threads may.
TEST_F(Emulator, ACaptureIsSpoiltByWhatAGpuRefuses) {
  cudaStream_t stream, aside;
  cudaEvent_t event;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  check(cudaStreamCreateWithFlags(&aside, cudaStreamNonBlocking), "stream");
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
  check(cudaEventRecord(event, aside), "record");
  Array<float> a(std::vector<float>(8, 0.0f));
  float host[8] = {};
  void* memory = nullptr;
  cufftHandle plan;
  const std::vector<std::pair<const char*, std::function<bool()>>> refused = {
      {"allocate", [&] { return cudaMalloc(&memory, 8) == cudaSuccess; }},
      {"pin", [&] { return cudaMallocHost(&memory, 8) == cudaSuccess; }},
      {"free", [&] { return cudaFree(a.data()) == cudaSuccess; }},
      {"copy", [&] { return cudaMemcpy(host, a.data(), 8, cudaMemcpyDeviceToHost) == cudaSuccess; }},
      {"wait for a stream", [&] { return cudaStreamSynchronize(stream) == cudaSuccess; }},
      {"wait for another stream", [&] { return cudaStreamSynchronize(aside) == cudaSuccess; }},
      {"wait for the device", [&] { return cudaDeviceSynchronize() == cudaSuccess; }},
      {"wait for an event", [&] { return cudaEventSynchronize(event) == cudaSuccess; }},
      {"ask for an event", [&] { return cudaEventQuery(event) == cudaSuccess; }},
      {"plan", [&] { return cufftPlan3d(&plan, 8, 8, 8, CUFFT_R2C) == CUFFT_SUCCESS; }}};
  for (const auto& [what, call] : refused) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
    EXPECT_FALSE(call()) << what;
    cudaGraph_t graph;
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated) << what;
    EXPECT_EQ(graph, nullptr);
  }
  cudaGetLastError();
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
  EXPECT_EQ(cudaMemcpyAsync(host, a.data(), 8, cudaMemcpyDeviceToHost, stream),
            cudaErrorStreamCaptureUnsupported);                                       // not pinned
  EXPECT_EQ(cudaStreamWaitEvent(stream, event, 0), cudaErrorStreamCaptureIsolation);  // of before
  cudaGetLastError();
  UPLIFT_LAUNCH(add_one, cover(8, 32), stream, a.data(), 8);
  check(cudaEventRecord(event, stream), "record");
  cudaGraph_t graph = nullptr;
  std::thread other([&] {
    EXPECT_EQ(cudaMalloc(&memory, 8), cudaSuccess);
    EXPECT_EQ(cudaFree(memory), cudaSuccess);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureWrongThread);
  });
  other.join();
  check(cudaStreamEndCapture(stream, &graph), "capture");
  EXPECT_EQ(cudaStreamWaitEvent(aside, event, 0), cudaErrorCapturedEvent);  // it happens in the graph alone
  EXPECT_EQ(cudaEventQuery(event), cudaErrorCapturedEvent);
  cudaGetLastError();
  check(cudaEventRecord(event, stream), "record");
  check(cudaStreamWaitEvent(aside, event, 0), "wait");
  check(cudaGraphDestroy(graph), "graph");
  check(cudaEventDestroy(event), "event");
  for (cudaStream_t s : {stream, aside}) check(cudaStreamDestroy(s), "stream");
}

/// The error of a call that nobody looked at is told by the launch that follows, in its thread alone.
TEST_F(Emulator, ALaunchTellsOfErrorsBeforeIt) {
  Array<float> a(std::vector<float>(8, 0.0f));
  const auto launch = [&] { UPLIFT_LAUNCH(add_one, cover(8, 32), nullptr, a.data(), 8); };
  EXPECT_EQ(cudaFree(a.data() + 1), cudaErrorInvalidValue);
  std::thread(launch).join();
  EXPECT_THROW(launch(), SimulationError);
  EXPECT_NO_THROW(launch());
  EXPECT_THROW(check(cudaFree(a.data() + 1), "free"), SimulationError);
  EXPECT_NO_THROW(launch());  // that one has been told
}

TEST_F(Emulator, CopiesKnowTheirSides) {
  Array<float> a(std::vector<float>(8, 0.0f));
  float host[9] = {};
  EXPECT_EQ(cudaMemcpy(a.data(), host, 32, cudaMemcpyDeviceToHost), cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(a.data(), host, 32, cudaMemcpyDeviceToDevice), cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemcpy(a.data(), host, 36, cudaMemcpyHostToDevice), cudaErrorInvalidValue);  // beyond the end
  EXPECT_EQ(cudaMemset(a.data() + 1, 0, 32), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(host, 0, 32), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemcpy(a.data(), host, 32, cudaMemcpyDefault), cudaSuccess);
}

/// What a copy to pinned memory will bring is not there before its event, whoever asks; another thread may wait for it.
TEST_F(Emulator, PinnedMemoryHoldsNoNumbersUntilItsCopyIsDone) {
  float *device = nullptr, *host = nullptr;
  const float one = 1;
  ASSERT_EQ(cudaMalloc(reinterpret_cast<void**>(&device), sizeof(float)), cudaSuccess);
  ASSERT_EQ(cudaMallocHost(reinterpret_cast<void**>(&host), sizeof(float)), cudaSuccess);
  ASSERT_EQ(cudaMemcpy(device, &one, sizeof(float), cudaMemcpyHostToDevice), cudaSuccess);
  *host = 0;
  simt::set_lazy_streams(true);
  cudaStream_t stream = nullptr;
  cudaEvent_t done = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaEventCreateWithFlags(&done, cudaEventDisableTiming);
  cudaMemcpyAsync(host, device, sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaEventRecord(done, stream);
  EXPECT_EQ(cudaEventQuery(done), cudaErrorNotReady);
  EXPECT_TRUE(std::isnan(*host));
  float seen = 0;
  std::thread other([&] {
    cudaEventSynchronize(done);
    seen = *host;
  });
  other.join();
  EXPECT_EQ(cudaEventQuery(done), cudaSuccess);
  EXPECT_EQ(seen, 1.0f);
  // Copies from there that have still to be made find what they were queued for.
  cudaMemcpyAsync(device, host, sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaMemcpyAsync(host, device, sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  EXPECT_EQ(*host, 1.0f);
  cudaEventDestroy(done);
  cudaStreamDestroy(stream);
  EXPECT_EQ(cudaFreeHost(host), cudaSuccess);
  EXPECT_EQ(cudaFreeHost(&seen), cudaErrorInvalidValue);
  cudaFree(device);
}

TEST_F(Emulator, AMissingEventShowsWhenStreamsAreLazy) {
  simt::set_lazy_streams(true);
  int wrong = 0;
  for (int trial = 0; trial < 20; ++trial) {
    Array<float> a(std::vector<float>(10, 0.0f));
    cudaStream_t one, two;
    check(cudaStreamCreateWithFlags(&one, cudaStreamNonBlocking), "stream");
    check(cudaStreamCreateWithFlags(&two, cudaStreamNonBlocking), "stream");
    float last = -1;
    UPLIFT_LAUNCH(add_one, cover(10, 32), one, a.data(), 10);
    check(cudaMemcpyAsync(&last, a.data(), sizeof(float), cudaMemcpyDeviceToHost, two),
          "copy");  // does not wait for the kernel
    check(cudaDeviceSynchronize(), "synchronise");
    wrong += last != 1.0f;
    check(cudaStreamDestroy(one), "stream");
    check(cudaStreamDestroy(two), "stream");
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(Emulator, TheHostCannotTouchDeviceMemory) {
  Array<float> a(std::vector<float>(10, 3.0f));
  EXPECT_DEATH(
      {
        volatile float x = *static_cast<volatile float*>(a.data());
        (void)x;
      },
      "");
  EXPECT_EQ(a.values()[3], 3.0f);
}

TEST_F(Emulator, MemoryComesBackAndStartsAsNotANumber) {
  const std::size_t before = simt::device_bytes();
  for (int k = 0; k < 100; ++k) {
    float *p = nullptr, first = 0;
    check(cudaMalloc(reinterpret_cast<void**>(&p), 1 << 20), "cudaMalloc");
    check(cudaMemcpy(&first, p, sizeof first, cudaMemcpyDeviceToHost), "cudaMemcpy");
    EXPECT_TRUE(std::isnan(first));
    check(cudaFree(p), "cudaFree");
  }
  EXPECT_EQ(simt::device_bytes(), before);
  int local = 0;
  EXPECT_EQ(cudaFree(&local), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  void* huge = nullptr;
  EXPECT_THROW(check(cudaMalloc(&huge, std::size_t{1} << 45), "cudaMalloc"), SimulationError);
}

TEST_F(Emulator, TransformsAreThoseOfCufft) {
  const int nx = 4, ny = 6, nz = 5;
  std::vector<float> values(nx * ny * nz);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(0.37f * static_cast<float>(i * i));
  Array<float> real(values);
  Array<float2> waves(std::vector<float2>(nx * ny * (nz / 2 + 1)));
  cufftHandle forward, backward;
  ASSERT_EQ(cufftPlan3d(&forward, nx, ny, nz, CUFFT_R2C), CUFFT_SUCCESS);
  ASSERT_EQ(cufftPlan3d(&backward, nx, ny, nz, CUFFT_C2R), CUFFT_SUCCESS);
  ASSERT_EQ(cufftExecR2C(forward, real.data(), waves.data()), CUFFT_SUCCESS);
  EXPECT_EQ(cufftExecR2C(backward, real.data(), waves.data()), CUFFT_INVALID_TYPE);
  const float2 sum = waves.values()[0];
  EXPECT_NEAR(sum.x, std::accumulate(values.begin(), values.end(), 0.0), 1e-4);
  ASSERT_EQ(cufftExecC2R(backward, waves.data(), real.data()), CUFFT_SUCCESS);
  const auto back = real.values();
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(back[i], values[i] * nx * ny * nz, 1e-4);
  EXPECT_EQ(cufftDestroy(forward), CUFFT_SUCCESS);
  EXPECT_EQ(cufftDestroy(forward), CUFFT_INVALID_PLAN);
  cufftDestroy(backward);
}

}  // namespace
}  // namespace uplift::cuda
