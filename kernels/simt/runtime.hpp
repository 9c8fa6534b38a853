#pragma once
// What the emulated runtime tells tests, and how kernels are queued.
#include <cstddef>
#include <cstdint>
#include <functional>

#include <cuda_runtime.h>

namespace simt {

/// Since the start of the process.
struct Counters {
  std::uint64_t kernels = 0;           ///< that ran
  std::uint64_t launches = 0;          ///< from the host: kernels, copies and graphs, each once
  std::uint64_t captures = 0;          ///< of work on its way into a graph
  std::uint64_t synchronisations = 0;  ///< of the host with a stream, an event or the device; plain copies too
  std::uint64_t allocations = 0;       ///< of device memory
  std::uint64_t bytes_to_host = 0;     ///< that the host asked for, graphs apart
};
Counters counters();
/// Bytes of device memory in use; of one device.
std::size_t device_bytes();
std::size_t device_bytes(int device);
/// Kernels and copies in a graph; and the most of them that have to follow each other.
std::size_t graph_nodes(cudaGraph_t graph);
std::size_t graph_depth(cudaGraph_t graph);
/// Of the graph that was made last.
struct GraphSize {
  std::size_t nodes = 0, depth = 0;
};
GraphSize last_graph();

/// Does this thread capture? Then it must not wait, allocate or ask how far the device is: who calls this and gets true
/// refuses, and the capture is spoilt, as on a GPU (cudaStreamCaptureModeThreadLocal).
bool spoils_a_capture();

/// Queues work of the device on a stream: it may touch device memory. `kernel`: counts as one.
void enqueue(cudaStream_t stream, std::function<void()> work, bool kernel);

/// Dynamic shared memory that a kernel may have since cudaFuncSetAttribute; 0: it has not been asked for.
std::size_t granted_shared_memory(const void* kernel);

/// How many devices there are, 1 to most_devices; each has memory of its own, which only its kernels see. Also set by
/// UPLIFT_SIMT_DEVICES.
inline constexpr int most_devices = 4;
void set_devices(int count);

/// true: streams wait until somebody synchronises, and then take turns in a random order, as far as events allow. A missing
/// synchronisation or event shows. Also set by UPLIFT_SIMT_STREAMS=lazy.
void set_lazy_streams(bool lazy);
bool lazy_streams();
/// Of the order in which they take turns.
void set_stream_seed(std::uint64_t seed);
/// UPLIFT_SIMT_MEMORY=open: device memory is open to the host all the time, as it is to an MPI library that knows of GPUs.
bool memory_stays_open();
/// Threads, blocks and streams take turns as the environment says, from the beginning of its random numbers, and there are as
/// many devices: what comes next does not depend on what ran before.
void restore_order();

}  // namespace simt
