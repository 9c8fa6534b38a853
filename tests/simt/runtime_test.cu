// What the emulator's runtime refuses as that of a GPU does, and shows where a GPU would be wrong now and then: streams,
// events, graphs, memory and devices. Each mistake is planted here once.
#include <cufft.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <thread>
#include <vector>

#include "array.hpp"

namespace uplift::cuda {
namespace {

class EmulatorRuntime : public ::testing::Test {
 protected:
  void TearDown() override { cudaGetLastError(); }
};

__global__ void add_one(float* values, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) values[i] += 1;
}

__global__ void add_to(float* value, const float* more, float* also) {
  if (more) *value += *more;
  if (also) *also = *value;
}

TEST_F(EmulatorRuntime, StreamsEventsAndGraphs) {
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

TEST_F(EmulatorRuntime, AGraphHasBranches) {
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
TEST_F(EmulatorRuntime, ACaptureIsSpoiltByWhatAGpuRefuses) {
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
TEST_F(EmulatorRuntime, ALaunchTellsOfErrorsBeforeIt) {
  Array<float> a(std::vector<float>(8, 0.0f));
  const auto launch = [&] { UPLIFT_LAUNCH(add_one, cover(8, 32), nullptr, a.data(), 8); };
  EXPECT_EQ(cudaFree(a.data() + 1), cudaErrorInvalidValue);
  std::thread(launch).join();
  EXPECT_THROW(launch(), SimulationError);
  EXPECT_NO_THROW(launch());
  EXPECT_THROW(check(cudaFree(a.data() + 1), "free"), SimulationError);
  EXPECT_NO_THROW(launch());  // that one has been told
}

TEST_F(EmulatorRuntime, CopiesKnowTheirSides) {
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
TEST_F(EmulatorRuntime, PinnedMemoryHoldsNoNumbersUntilItsCopyIsDone) {
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

TEST_F(EmulatorRuntime, AMissingEventShowsWhenStreamsAreLazy) {
  const simt::checks::Pause pause;
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

TEST_F(EmulatorRuntime, TheHostCannotTouchDeviceMemory) {
  Array<float> a(std::vector<float>(10, 3.0f));
  EXPECT_DEATH(
      {
        volatile float x = *static_cast<volatile float*>(a.data());
        (void)x;
      },
      "");
  EXPECT_EQ(a.values()[3], 3.0f);
}

TEST_F(EmulatorRuntime, MemoryComesBackAndStartsAsNotANumber) {
  const simt::checks::Pause pause;
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

#if !defined(__SANITIZE_ADDRESS__)  // which ends the process at once
/// As a graph may do it that was captured when the memory was still there.
TEST_F(EmulatorRuntime, MemoryThatWasFreedHoldsNoNumbersAndIsNotToBeWritten) {
  const simt::checks::Pause pause;
  constexpr std::size_t bytes = 7 * 4096;  // as nothing else has
  for (const bool writes : {false, true}) {
    float *old = nullptr, *other = nullptr;
    check(cudaMalloc(reinterpret_cast<void**>(&old), bytes), "cudaMalloc");
    check(cudaMemset(old, 0, bytes), "cudaMemset");
    Array<float> a(std::vector<float>{1});
    check(cudaFree(old), "cudaFree");
    check(cudaMalloc(reinterpret_cast<void**>(&other), bytes), "cudaMalloc");
    EXPECT_NE(other, old);
    check(cudaFree(other), "cudaFree");
    UPLIFT_LAUNCH(add_to, LaunchShape{1, 1}, nullptr, a.data(), writes ? nullptr : old, writes ? old : nullptr);
    EXPECT_EQ(std::isnan(a.values()[0]), !writes);
    const auto free_more = [] {  // so much that the memory may be used again
      for (int k = 0; k < 4; ++k) {
        void* large = nullptr;
        check(cudaMalloc(&large, 4 << 20), "cudaMalloc");
        check(cudaFree(large), "cudaFree");
      }
    };
    if (writes)
      EXPECT_THROW(free_more(), simt::Error);
    else
      EXPECT_NO_THROW(free_more());
  }
}
#endif

TEST_F(EmulatorRuntime, ACopyOfTheDefaultStreamWaitsForStreamsThatBlockAlone) {
  const simt::checks::Pause pause;
  simt::set_lazy_streams(true);
  for (const unsigned flags : {0u, cudaStreamNonBlocking}) {
    int early = 0;
    for (int trial = 0; trial < 20; ++trial) {
      cudaStream_t stream = nullptr;
      check(cudaStreamCreateWithFlags(&stream, flags), "stream");
      Array<float> a(std::vector<float>(8, 0.0f));
      UPLIFT_LAUNCH(add_one, cover(8, 32), stream, a.data(), 8);
      early += a.values()[3] != 1;
      check(cudaStreamDestroy(stream), "stream");
    }
    EXPECT_EQ(early > 0, flags == cudaStreamNonBlocking);
  }
}

TEST_F(EmulatorRuntime, AnEventMustBeRecordedBeforeAStreamWaitsForIt) {
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
  EXPECT_THROW(cudaStreamWaitEvent(stream, event, 0), simt::Error);
  check(cudaEventRecord(event, nullptr), "record");
  EXPECT_EQ(cudaStreamWaitEvent(stream, event, 0), cudaSuccess);
  check(cudaEventDestroy(event), "event");
  check(cudaStreamDestroy(stream), "stream");
}

TEST_F(EmulatorRuntime, EventsWithoutTimesHaveNone) {
  cudaEvent_t event = nullptr, timed = nullptr;
  float milliseconds = 0;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
  check(cudaEventCreateWithFlags(&timed, cudaEventDefault), "event");
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, timed, timed), cudaErrorInvalidResourceHandle);  // never recorded
  for (cudaEvent_t e : {event, timed}) check(cudaEventRecord(e, nullptr), "record");
  check(cudaDeviceSynchronize(), "synchronise");
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, timed, timed), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, event, timed), cudaErrorInvalidResourceHandle);
  for (cudaEvent_t e : {event, timed}) check(cudaEventDestroy(e), "event");
}

/// A thread begins with the first device, whatever the one that made it works with.
TEST_F(EmulatorRuntime, AThreadMustChooseItsDevice) {
  EXPECT_EQ(cudaSetDevice(simt::most_devices), cudaErrorInvalidDevice);
  cudaGetLastError();
  simt::set_devices(2);
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
  Array<float> a(std::vector<float>(8, 0.0f));
  const auto launch = [&] { UPLIFT_LAUNCH(add_one, cover(8, 32), stream, a.data(), 8); };
  EXPECT_NO_THROW(launch());
  check(cudaEventRecord(event, stream), "record");
  std::thread other([&] {
    int device = -1;
    EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
    EXPECT_EQ(device, 0);
    EXPECT_THROW(launch(), SimulationError);
    EXPECT_EQ(cudaEventSynchronize(event), cudaSuccess);
    EXPECT_EQ(cudaEventRecord(event, nullptr), cudaErrorInvalidResourceHandle);
    cudaGetLastError();
    Array<float> b(std::vector<float>(8, 0.0f));
    EXPECT_EQ(cudaMemcpyAsync(b.data(), a.data(), 32, cudaMemcpyDeviceToDevice, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(b.values()[3], 1.0f);
    cudaSetDevice(1);
    EXPECT_NO_THROW(launch());
  });
  other.join();
  check(cudaStreamSynchronize(stream), "synchronise");
  EXPECT_EQ(a.values()[3], 2.0f);
  cudaSetDevice(0);
  Array<float> far(std::vector<float>(8, 0.0f));
  cudaSetDevice(1);
  EXPECT_DEATH(
      {
        UPLIFT_LAUNCH(add_one, cover(8, 32), stream, far.data(), 8);
        cudaStreamSynchronize(stream);
      },
      "");
  check(cudaEventDestroy(event), "event");
  check(cudaStreamDestroy(stream), "stream");
  cudaSetDevice(0);
}

TEST_F(EmulatorRuntime, TransformsAreThoseOfCufft) {
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
