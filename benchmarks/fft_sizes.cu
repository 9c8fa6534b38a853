// What cuFFT takes for the two transforms of PME (single precision, n x n x n points, out of place) and how many kernels it
// launches, for mesh sizes n. PME meshes (src/backend/pme_parameters.cpp) keep to sizes that do well. Prints n, microseconds
// and kernels.
//
//   nvcc -O2 -std=c++17 -arch=native benchmarks/fft_sizes.cu -lcufft -o build/fft_sizes && build/fft_sizes
#include <cuda_runtime.h>
#include <cufft.h>

#include <cstdio>
#include <cstdlib>

namespace {

void check(int status, const char* what) {
  if (status == 0) return;
  std::fprintf(stderr, "%s: error %d\n", what, status);
  std::exit(1);
}

constexpr int smallest = 40, largest = 256, pairs = 5, launches = 8;

bool has_factors_up_to_13(int n) {
  for (int p : {2, 3, 5, 7, 11, 13})
    while (n % p == 0) n /= p;
  return n == 1;
}

}  // namespace

int main() {
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "stream");
  float* real;
  float2* waves;
  check(cudaMalloc(&real, sizeof(float) * largest * largest * largest), "memory");
  check(cudaMalloc(&waves, sizeof(float2) * largest * largest * (largest / 2 + 1)), "memory");
  check(cudaMemset(real, 0, sizeof(float) * largest * largest * largest), "memory");
  for (int n = smallest; n <= largest; ++n) {
    if (!has_factors_up_to_13(n)) continue;
    cufftHandle there, back;
    check(cufftPlan3d(&there, n, n, n, CUFFT_R2C), "plan");
    check(cufftPlan3d(&back, n, n, n, CUFFT_C2R), "plan");
    check(cufftSetStream(there, stream), "stream");
    check(cufftSetStream(back, stream), "stream");
    const auto transform = [&](int times) {
      for (int k = 0; k < times; ++k) {
        check(cufftExecR2C(there, real, waves), "transform");
        check(cufftExecC2R(back, waves, real), "transform");
      }
    };
    transform(1);
    check(cudaStreamSynchronize(stream), "wait");
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    std::size_t nodes = 0;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
    transform(pairs);
    check(cudaStreamEndCapture(stream, &graph), "capture");
    check(cudaGraphGetNodes(graph, nullptr, &nodes), "nodes");
    check(cudaGraphInstantiate(&exec, graph, 0), "graph");
    cudaEvent_t begin, end;
    check(cudaEventCreate(&begin), "event");
    check(cudaEventCreate(&end), "event");
    check(cudaGraphLaunch(exec, stream), "launch");
    check(cudaEventRecord(begin, stream), "event");
    for (int k = 0; k < launches; ++k) check(cudaGraphLaunch(exec, stream), "launch");
    check(cudaEventRecord(end, stream), "event");
    check(cudaEventSynchronize(end), "wait");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "time");
    std::printf("%4d %8.1f %4zu\n", n, 1e3 * milliseconds / (launches * pairs), nodes / pairs);
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(graph);
    cufftDestroy(there);
    cufftDestroy(back);
  }
}
