#pragma once
// Streams, events and graphs with one owner.
#include <cuda/check.cuh>

#include <utility>

namespace uplift::UPLIFT_DEVICE {

class Stream {
 public:
  /// `urgent`: what waits here goes before what waits elsewhere.
  explicit Stream(bool urgent = false) {
    int least = 0, greatest = 0;
    cuda::check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "make a stream");
    cuda::check(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, urgent ? greatest : least), "make a stream");
  }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  /// `sleeps`: a thread that waits leaves its processor to others.
  explicit Event(bool sleeps = false) {
    cuda::check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming | (sleeps ? cudaEventBlockingSync : 0u)),
                "make an event");
  }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(cudaStream_t stream) const { cuda::check(cudaEventRecord(event_, stream), "record an event"); }
  bool done() const {
    const cudaError_t state = cudaEventQuery(event_);
    if (state == cudaErrorNotReady) {
      cudaGetLastError();  // what is not there yet is no error of the next launch
      return false;
    }
    cuda::check(state, "ask for an event");
    return true;
  }
  void wait() const { cuda::check(cudaEventSynchronize(event_), "wait for an event"); }
  /// What is queued on `stream` from now on waits for what came before the last record.
  void hold(cudaStream_t stream) const { cuda::check(cudaStreamWaitEvent(stream, event_, 0), "wait for an event"); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Work that was queued once and can be launched again as a whole.
class Graph {
 public:
  Graph() = default;
  ~Graph() {
    if (exec_) cudaGraphExecDestroy(exec_);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Takes down what `queue` queues on `stream`, and on streams that join it, instead of running it. Work that differs in its
  /// arguments alone from what was captured before takes its place in the graph that there is.
  template <class F>
  void capture(cudaStream_t stream, F&& queue) {
    cuda::check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture a step");
    cudaGraph_t graph = nullptr;
    try {
      queue();
    } catch (...) {
      cudaStreamEndCapture(stream, &graph);
      if (graph) cudaGraphDestroy(graph);
      cudaGetLastError();  // what is thrown says more
      throw;
    }
    cuda::check(cudaStreamEndCapture(stream, &graph), "capture a step");
    cudaGraphExecUpdateResultInfo result{};
    if (exec_ && cudaGraphExecUpdate(exec_, graph, &result) != cudaSuccess) {
      cudaGetLastError();  // another shape
      cudaGraphExecDestroy(std::exchange(exec_, nullptr));
    }
    // Kernels keep the priority of the stream that they were captured on; else all would have that of `stream`.
    const cudaError_t made = exec_ ? cudaSuccess : cudaGraphInstantiate(&exec_, graph, cudaGraphInstantiateFlagUseNodePriority);
    cudaGraphDestroy(graph);
    cuda::check(made, "make a graph of a step");
    valid_ = true;
  }
  void launch(cudaStream_t stream) const { cuda::check(cudaGraphLaunch(exec_, stream), "launch a step"); }
  /// What it holds is what is wanted.
  bool valid() const { return valid_; }
  void invalidate() { valid_ = false; }

 private:
  cudaGraphExec_t exec_ = nullptr;
  bool valid_ = false;
};

}  // namespace uplift::UPLIFT_DEVICE
