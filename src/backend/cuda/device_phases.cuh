#pragma once
// Time of each kind of work on the device. Events around every kernel would cost more than some kernels, and a graph has none:
// a step now and then is queued piece by piece with events about the pieces, and its times stand for all. Branches run side by
// side, so times add up to more than the whole.
#include <cuda/check.cuh>

#include <cstdint>
#include <string>
#include <vector>

#include "uplift/backend/backend.hpp"

namespace uplift::UPLIFT_DEVICE {

class DevicePhases {
 public:
  static constexpr std::int64_t sample_every = 1000;  ///< steps

  DevicePhases() = default;
  ~DevicePhases() {
    for (Phase& p : phases_)
      for (cudaEvent_t e : {p.begin, p.end}) cudaEventDestroy(e);
  }
  DevicePhases(const DevicePhases&) = delete;
  DevicePhases& operator=(const DevicePhases&) = delete;

  int add(std::string name) {
    Phase p;
    p.name = std::move(name);
    for (cudaEvent_t* e : {&p.begin, &p.end}) cuda::check(cudaEventCreateWithFlags(e, cudaEventDefault), "make an event");
    phases_.push_back(std::move(p));
    return static_cast<int>(phases_.size()) - 1;
  }

  /// Queues a piece of work. Of a phase that comes several times in a step, the last is timed.
  template <class F>
  void run(int phase, cudaStream_t stream, F&& queue) {
    Phase& p = phases_[static_cast<std::size_t>(phase)];
    ++p.calls;
    if (!sampling_) {
      queue();
      return;
    }
    cuda::check(cudaEventRecord(p.begin, stream), "record an event");
    queue();
    cuda::check(cudaEventRecord(p.end, stream), "record an event");
    p.pending = true;
  }

  /// What is queued from now on is timed, if the last sample is finished.
  void begin_sample() {
    collect();
    sampling_ = true;
    for (const Phase& p : phases_) sampling_ = sampling_ && !p.pending;
  }
  void end_sample() { sampling_ = false; }

  std::vector<std::int64_t> calls() const {
    std::vector<std::int64_t> all;
    for (const Phase& p : phases_) all.push_back(p.calls);
    return all;
  }
  void set_calls(const std::vector<std::int64_t>& calls) {
    for (std::size_t k = 0; k < calls.size(); ++k) phases_[k].calls = calls[k];
  }
  void add_calls(const std::vector<std::int64_t>& calls) {
    for (std::size_t k = 0; k < calls.size(); ++k) phases_[k].calls += calls[k];
  }

  /// The streams must have come to rest.
  std::vector<PhaseTime> times() {
    collect();
    std::vector<PhaseTime> all;
    for (const Phase& p : phases_)
      if (p.calls > 0)
        all.push_back(
            {p.name, p.samples > 0 ? p.sampled / static_cast<double>(p.samples) * static_cast<double>(p.calls) : 0, p.calls});
    return all;
  }

 private:
  struct Phase {
    std::string name;
    cudaEvent_t begin = nullptr, end = nullptr;
    bool pending = false;
    std::int64_t calls = 0, samples = 0;
    double sampled = 0;  ///< [s]
  };

  void collect() {
    for (Phase& p : phases_) {
      float milliseconds = 0;
      if (!p.pending || cudaEventQuery(p.end) != cudaSuccess) continue;
      p.pending = false;
      cuda::check(cudaEventElapsedTime(&milliseconds, p.begin, p.end), "time between events");
      p.sampled += 1e-3 * static_cast<double>(milliseconds);
      ++p.samples;
    }
    cudaGetLastError();  // an event that is not there yet is no error
  }

  std::vector<Phase> phases_;
  bool sampling_ = false;
};

}  // namespace uplift::UPLIFT_DEVICE
