#pragma once
// Streams, events and graphs with one owner.
#include <cuda/launch.cuh>

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
  Event() { cuda::check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "make an event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(cudaStream_t stream) const { cuda::check(cudaEventRecord(event_, stream), "record an event"); }
  /// What is queued on `stream` from now on waits for what came before the last record.
  void hold(cudaStream_t stream) const { cuda::check(cudaStreamWaitEvent(stream, event_, 0), "wait for an event"); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Work that was queued once and can be launched again as a whole.
class Graph {
 public:
  Graph() = default;
  ~Graph() { reset(); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Takes down what `queue` queues on `stream`, and on streams that join it, instead of running it.
  template <class F>
  void capture(cudaStream_t stream, F&& queue) {
    reset();
    cuda::check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture a step");
    try {
      queue();
    } catch (...) {
      cudaGraph_t unused = nullptr;
      cudaStreamEndCapture(stream, &unused);
      if (unused) cudaGraphDestroy(unused);
      throw;
    }
    cuda::check(cudaStreamEndCapture(stream, &graph_), "capture a step");
    cuda::check(cudaGraphInstantiate(&exec_, graph_, 0), "make a graph of a step");
  }
  void launch(cudaStream_t stream) const { cuda::check(cudaGraphLaunch(exec_, stream), "launch a step"); }
  explicit operator bool() const { return exec_ != nullptr; }
  cudaGraph_t get() const { return graph_; }
  void reset() {
    if (exec_) cudaGraphExecDestroy(std::exchange(exec_, nullptr));
    if (graph_) cudaGraphDestroy(std::exchange(graph_, nullptr));
  }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr;
};

}  // namespace uplift::UPLIFT_DEVICE
