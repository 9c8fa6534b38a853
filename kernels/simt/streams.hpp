#pragma once
// What the emulated runtime is made of (runtime.cpp, memory.cpp, graphs.cpp, fft.cpp): operations in the queues of streams, and
// those that graphs hold. No one else includes this.
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "simt/access_checks.hpp"
#include "simt/device_memory.hpp"
#include "simt/runtime.hpp"

struct simt_graph;
struct simt_event {
  std::uint64_t recorded = 0, done = 0;
  simt_graph* captured_by = nullptr;  ///< its last record is in that graph, which is being captured
  bool captured = false;              ///< its last record is in some graph: nobody can wait for it any more
  int device = 0;
  bool timed = true;
  simt::StreamClock clock;  ///< of the stream when it was recorded
  std::chrono::steady_clock::time_point when{};
};

namespace simt {

struct Operation {
  enum class Kind { work, record, wait } kind = Kind::work;
  std::function<void()> work;
  bool kernel = false;
  simt_event* event = nullptr;
  std::uint64_t ticket = 0;
  StreamClock before{};  ///< what the host had waited for when it asked for this
};

}  // namespace simt

struct simt_stream {
  std::deque<simt::Operation> queue;
  simt_graph* capture = nullptr;
  std::size_t branch = 0;  ///< of the graph that it captures
  int device = 0;
  bool blocking = false;  ///< waits for the default stream, which waits for it
  std::size_t number = 0;
  simt::StreamClock clock;  ///< what its next operation comes after
};
/// Operations in the order of their capture. Branch 0 is the stream that the capture began with; others joined it by waiting
/// for its events.
struct simt_graph {
  struct Node {
    simt::Operation op;
    std::size_t branch;
  };
  std::vector<Node> nodes;
  std::vector<simt_stream*> branches;
  bool spoilt = false;
};
struct simt_graph_exec {
  std::vector<simt_graph::Node> nodes;                ///< their events are the graph's own
  std::vector<std::unique_ptr<simt_stream>> streams;  ///< of the branches but the first
  std::vector<std::unique_ptr<simt_event>> events;
};

namespace simt {

/// UPLIFT_SIMT_STREAMS=lazy
bool lazy_from_environment();
/// UPLIFT_SIMT_DEVICES
int devices_from_environment();

/// All devices of the machine.
struct Device {
  Device();
  int count;
  std::array<Heap, most_devices> heaps;
  PinnedMemory pinned;
  std::array<simt_stream, most_devices> null_streams;
  std::vector<simt_stream*> streams;
  std::vector<std::uint32_t> operations;    ///< that there have been, by numbers of streams
  std::vector<std::size_t> unused_numbers;  ///< of streams that are gone
  StreamClock host;                         ///< what the host has waited for
  std::map<const void*, int> granted;       ///< shared memory, by kernels
  Counters counters;
  bool lazy = lazy_from_environment();
  std::mt19937_64 random{seed_from_environment()};
  GraphSize last_graph;
};
Device& device();

/// One thread at a time: whoever waits for an event works off what streams have to do before it.
std::unique_lock<std::recursive_mutex> alone();
simt_stream& resolve(cudaStream_t s);
/// Of this thread.
int current_device();
/// That has an address, or null.
Heap* heap_of(const void* pointer);
/// A stream begins to be one of the device's, and ends.
void enlist(simt_stream& s);
void strike_off(simt_stream& s);
/// Into the queue, or the graph that the stream captures.
void put(cudaStream_t stream, Operation op);
void finish(simt_stream& s);
void finish_all();
/// The host waits: what it asks for from now on comes after this.
void wait_for(simt_stream& s);
void wait_for_all();
/// Those that the default stream of this thread's device waits for, and it.
void wait_for_blocking();
/// For cudaGetLastError() of this thread; returns it.
cudaError_t remember(cudaError_t e);

}  // namespace simt

/// First of all in what nobody may call while this thread captures.
#define UPLIFT_SIMT_NOT_IN_A_CAPTURE() \
  if (simt::spoils_a_capture()) return simt::remember(cudaErrorStreamCaptureUnsupported)
