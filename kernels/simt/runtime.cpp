// The CUDA runtime on the CPU: streams, events and graphs as queues; device memory that is closed to the host but for copies
// and kernels, so that host code which follows a device pointer faults.
#include "simt/runtime.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "simt/device_memory.hpp"

struct simt_graph;
struct simt_event {
  std::uint64_t recorded = 0, done = 0;
  simt_graph* captured_by = nullptr;  ///< its last record is in that graph, which is being captured
  bool captured = false;              ///< its last record is in some graph: nobody can wait for it any more
  std::chrono::steady_clock::time_point when{};
};

namespace simt {
namespace {

struct Operation {
  enum class Kind { work, record, wait } kind = Kind::work;
  std::function<void()> work;
  bool kernel = false;
  simt_event* event = nullptr;
  std::uint64_t ticket = 0;
};

}  // namespace
}  // namespace simt

struct simt_stream {
  std::deque<simt::Operation> queue;
  simt_graph* capture = nullptr;
  std::size_t branch = 0;  ///< of the graph that it captures
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
namespace {

bool lazy_from_environment() {
  const char* text = std::getenv("UPLIFT_SIMT_STREAMS");
  return text && std::string(text) == "lazy";
}

/// One thread at a time: whoever waits for an event works off what streams have to do before it.
std::unique_lock<std::recursive_mutex> alone() {
  static std::recursive_mutex mutex;
  return std::unique_lock(mutex);
}

struct Device {
  Heap heap;
  PinnedMemory pinned;
  simt_stream null_stream;
  std::vector<simt_stream*> streams{&null_stream};
  Counters counters;
  bool lazy = lazy_from_environment();
  std::mt19937_64 random{seed_from_environment()};
  GraphSize last_graph;
};
thread_local cudaError_t last = cudaSuccess;
thread_local std::vector<simt_graph*> captures;  ///< that this thread has begun and not ended

Device& device() {
  static Device one;
  return one;
}

simt_stream& resolve(cudaStream_t s) { return s ? *s : device().null_stream; }

/// One operation of a stream; false when there is none, or it has to wait.
bool step(simt_stream& s) {
  if (s.queue.empty()) return false;
  const Operation& first = s.queue.front();
  if (first.kind == Operation::Kind::wait && first.event->done < first.ticket) return false;
  const Operation op = std::move(s.queue.front());
  s.queue.pop_front();
  if (op.kind == Operation::Kind::work) {
    const Heap::Access open(device().heap);
    op.work();
    device().counters.kernels += op.kernel;
  }
  if (op.kind == Operation::Kind::record) {
    op.event->done = std::max(op.event->done, op.ticket);
    op.event->when = std::chrono::steady_clock::now();
  }
  return true;
}

/// Streams take turns after every operation, or one goes as far as it can before others do: a stream may be far behind or
/// ahead.
template <class Done>
void drain(Done&& done) {
  const bool in_turns = device().random() % 2 == 0;
  std::vector<simt_stream*> order;
  while (!done()) {
    if (in_turns || order.empty()) {
      order = device().streams;
      std::shuffle(order.begin(), order.end(), device().random);
    }
    if (std::none_of(order.begin(), order.end(), [](simt_stream* s) { return step(*s); }))
      throw Error("streams wait for events that nobody records");
  }
}
void finish(simt_stream& s) {
  drain([&] { return s.queue.empty(); });
}
void finish_all() {
  for (simt_stream* s : device().streams) finish(*s);
}

void put(cudaStream_t stream, Operation op) {
  simt_stream& s = resolve(stream);
  if (s.capture) {
    s.capture->nodes.push_back({std::move(op), s.branch});
    return;
  }
  s.queue.push_back(std::move(op));
  if (!device().lazy) finish(s);
}

cudaError_t remember(cudaError_t e) {
  if (e != cudaSuccess) last = e;
  return e;
}

/// Copies and what is set must be inside of allocations, on the sides that they are said to be on; in a graph host memory is
/// looked at long after the call, so that it must be pinned.
cudaError_t side_error(const void* p, std::size_t bytes, bool said_device, bool said_host, bool captured) {
  const bool on_device = device().heap.holds(p);
  if (said_device != said_host && on_device != said_device) return cudaErrorInvalidMemcpyDirection;
  if (on_device) return device().heap.has(p, bytes) ? cudaSuccess : cudaErrorInvalidValue;
  return captured && !device().pinned.find(p) ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
cudaError_t copy_error(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, bool captured) {
  if (bytes == 0) return cudaSuccess;
  const bool any = kind == cudaMemcpyDefault;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice,
             from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  const cudaError_t error = side_error(to, bytes, any || to_device, any || !to_device, captured);
  return error != cudaSuccess ? error : side_error(from, bytes, any || from_device, any || !from_device, captured);
}

}  // namespace

bool spoils_a_capture() {
  for (simt_graph* graph : captures) graph->spoilt = true;
  return !captures.empty();
}
Counters counters() { return device().counters; }
std::size_t device_bytes() { return device().heap.bytes(); }
std::size_t graph_nodes(cudaGraph_t graph) {
  return static_cast<std::size_t>(std::count_if(graph->nodes.begin(), graph->nodes.end(),
                                                [](const auto& n) { return n.op.kind == Operation::Kind::work; }));
}
std::size_t graph_depth(cudaGraph_t graph) {
  std::vector<std::size_t> depth(graph->branches.size(), 0);
  std::map<std::pair<simt_event*, std::uint64_t>, std::size_t> recorded;
  for (const auto& [op, branch] : graph->nodes) {
    if (op.kind == Operation::Kind::work) ++depth[branch];
    if (op.kind == Operation::Kind::record) recorded[{op.event, op.ticket}] = depth[branch];
    if (op.kind == Operation::Kind::wait) depth[branch] = std::max(depth[branch], recorded[{op.event, op.ticket}]);
  }
  return *std::max_element(depth.begin(), depth.end());
}
GraphSize last_graph() { return device().last_graph; }
bool memory_stays_open() {
  static const bool open = [] {
    const char* text = std::getenv("UPLIFT_SIMT_MEMORY");
    return text && std::string(text) == "open";
  }();
  return open;
}
void set_lazy_streams(bool lazy) {
  finish_all();
  device().lazy = lazy;
}
bool lazy_streams() { return device().lazy; }
void set_stream_seed(std::uint64_t seed) { device().random.seed(seed); }
void restore_order() {
  set_lazy_streams(lazy_from_environment());
  set_seed(seed_from_environment());
  set_stream_seed(seed_from_environment());
}
void enqueue(cudaStream_t stream, std::function<void()> work, bool kernel) {
  const auto lock = alone();
  if (!resolve(stream).capture) ++device().counters.launches;
  put(stream, {Operation::Kind::work, std::move(work), kernel, nullptr, 0});
}

}  // namespace simt

using simt::device;

#define UPLIFT_SIMT_NOT_IN_A_CAPTURE() \
  if (simt::spoils_a_capture()) return simt::remember(cudaErrorStreamCaptureUnsupported)

cudaError_t cudaGetDeviceCount(int* count) {
  const auto lock = simt::alone();
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  const auto lock = simt::alone();
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
cudaError_t cudaSetDevice(int device) { return simt::remember(device == 0 ? cudaSuccess : cudaErrorInvalidValue); }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  const auto lock = simt::alone();
  *p = {"emulated on the CPU", 9, 0, 2, std::size_t{16} << 30, 48 << 10};
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  *pointer = device().heap.take(bytes);
  ++device().counters.allocations;
  return simt::remember(*pointer ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFree(void* pointer) {
  const auto lock = simt::alone();
  if (pointer) UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  simt::finish_all();
  return simt::remember(!pointer || device().heap.give_back(pointer) ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  if ((*pointer = std::malloc(std::max<std::size_t>(bytes, 1)))) {
    std::memset(*pointer, 0xff, bytes);
    device().pinned.add(*pointer, bytes);
  }
  return simt::remember(*pointer ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void* pointer) {
  const auto lock = simt::alone();
  if (pointer) UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  simt::finish_all();
  if (pointer && !device().pinned.remove(pointer)) return simt::remember(cudaErrorInvalidValue);
  std::free(pointer);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const auto lock = simt::alone();
  std::shared_ptr<int> reads;
  const bool captured = simt::resolve(stream).capture != nullptr;
  if (const cudaError_t error = simt::copy_error(to, from, bytes, kind, captured); error != cudaSuccess)
    return simt::remember(error);
  if (!captured) {
    if (kind == cudaMemcpyDeviceToHost) device().counters.bytes_to_host += bytes;
    const auto *target = device().pinned.find(to), *source = device().pinned.find(from);
    if (target && *target->readers == 0) std::memset(to, 0xff, bytes);
    if (source) ++*(reads = source->readers);
  }
  simt::enqueue(
      stream,
      [=] {
        if (bytes > 0) std::memcpy(to, from, bytes);
        if (reads) --*reads;
      },
      false);
  return cudaSuccess;
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                              std::size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  if (width > to_pitch || width > from_pitch) return simt::remember(cudaErrorInvalidValue);
  for (std::size_t row = 0; row < height; ++row)
    if (const cudaError_t error = cudaMemcpyAsync(static_cast<char*>(to) + row * to_pitch,
                                                  static_cast<const char*>(from) + row * from_pitch, width, kind, stream);
        error != cudaSuccess)
      return error;
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  simt::finish_all();
  if (const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr); error != cudaSuccess) return error;
  return cudaDeviceSynchronize();
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const auto lock = simt::alone();
  if (bytes > 0 && !device().heap.has(to, bytes)) return simt::remember(cudaErrorInvalidValue);
  simt::enqueue(
      stream, [=] { std::memset(to, value, bytes); }, false);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  simt::finish_all();
  return cudaMemsetAsync(to, value, bytes, nullptr);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const auto lock = simt::alone();
  device().streams.push_back(*stream = new simt_stream);
  return cudaSuccess;
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  const auto lock = simt::alone();
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  const auto lock = simt::alone();
  return cudaStreamCreateWithFlags(stream, flags);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const auto lock = simt::alone();
  simt::finish(*stream);
  std::erase(device().streams, stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  if (simt_graph* graph = simt::resolve(stream).capture) {  // another thread's
    graph->spoilt = true;
    return simt::remember(cudaErrorStreamCaptureUnsupported);
  }
  ++device().counters.synchronisations;
  simt::finish(simt::resolve(stream));
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const auto lock = simt::alone();
  simt_stream& s = simt::resolve(stream);
  if (event->captured) return simt::remember(cudaErrorCapturedEvent);
  if (event->captured_by && !s.capture) {  // the stream joins the capture
    s.capture = event->captured_by;
    s.branch = s.capture->branches.size();
    s.capture->branches.push_back(&s);
  }
  if (s.capture != event->captured_by) return simt::remember(cudaErrorStreamCaptureIsolation);
  simt::put(stream, {simt::Operation::Kind::wait, {}, false, event, event->recorded});
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  ++device().counters.synchronisations;
  simt::finish_all();
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  const auto lock = simt::alone();
  *event = new simt_event;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const auto lock = simt::alone();
  simt::finish_all();
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const auto lock = simt::alone();
  event->captured_by = simt::resolve(stream).capture;
  event->captured = false;
  simt::put(stream, {simt::Operation::Kind::record, {}, false, event, ++event->recorded});
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  if (event->captured || event->captured_by) return simt::remember(cudaErrorCapturedEvent);
  ++device().counters.synchronisations;
  simt::drain([wanted = event->recorded, event] { return event->done >= wanted; });
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  if (event->captured || event->captured_by) return simt::remember(cudaErrorCapturedEvent);
  // The manual says that cudaGetLastError() does not tell of this; there are runtimes where it does.
  return simt::remember(event->done >= event->recorded ? cudaSuccess : cudaErrorNotReady);
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  const auto lock = simt::alone();
  if (from->captured || from->captured_by || to->captured || to->captured_by) return simt::remember(cudaErrorCapturedEvent);
  if (from->done < from->recorded || to->done < to->recorded) return simt::remember(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(to->when - from->when).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const auto lock = simt::alone();
  if (!stream || stream->capture) return simt::remember(cudaErrorStreamCaptureUnsupported);
  stream->capture = new simt_graph;
  stream->branch = 0;
  stream->capture->branches.push_back(stream);
  simt::captures.push_back(stream->capture);
  return cudaSuccess;
}
/// Every branch must have been waited for, at its end, by another one.
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const auto lock = simt::alone();
  *graph = stream->capture;
  if (!*graph) return simt::remember(cudaErrorInvalidValue);
  if (std::erase(simt::captures, *graph) == 0) return simt::remember(cudaErrorStreamCaptureWrongThread);
  for (simt_stream* s : (*graph)->branches) s->capture = nullptr;
  for (const auto& [op, branch] : (*graph)->nodes)
    if (op.event && op.event->captured_by == *graph) {
      op.event->captured_by = nullptr;
      op.event->captured = true;
    }
  if ((*graph)->spoilt) {
    delete std::exchange(*graph, nullptr);
    return simt::remember(cudaErrorStreamCaptureInvalidated);
  }
  const auto& nodes = (*graph)->nodes;
  for (std::size_t branch = 1; branch < (*graph)->branches.size(); ++branch) {
    const auto last = std::find_if(nodes.rbegin(), nodes.rend(), [&](const auto& n) { return n.branch == branch; });
    const bool joined =
        last->op.kind == simt::Operation::Kind::record && std::any_of(nodes.begin(), nodes.end(), [&](const auto& n) {
          return n.op.kind == simt::Operation::Kind::wait && n.branch != branch && n.op.event == last->op.event &&
                 n.op.ticket == last->op.ticket;
        });
    if (!joined) return simt::remember(cudaErrorStreamCaptureUnjoined);
  }
  return cudaSuccess;
}
namespace {

/// The graph gets events of its own, so that those of the capture may go.
void own_events(simt_graph_exec& exec) {
  std::map<simt_event*, simt_event*> own;
  for (auto& [op, branch] : exec.nodes) {
    if (!op.event) continue;
    if (!own[op.event]) own[op.event] = exec.events.emplace_back(std::make_unique<simt_event>()).get();
    op.event = own[op.event];
  }
}

}  // namespace

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const auto lock = simt::alone();
  *exec = new simt_graph_exec{graph->nodes, {}, {}};
  device().last_graph = {simt::graph_nodes(graph), simt::graph_depth(graph)};
  own_events(**exec);
  for (std::size_t branch = 1; branch < graph->branches.size(); ++branch)
    device().streams.push_back((*exec)->streams.emplace_back(std::make_unique<simt_stream>()).get());
  return cudaSuccess;
}
/// Other arguments of the same work: the same kinds of operations on the same branches, in the same order.
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo* result) {
  const auto lock = simt::alone();
  const bool same = std::equal(exec->nodes.begin(), exec->nodes.end(), graph->nodes.begin(), graph->nodes.end(),
                               [](const auto& a, const auto& b) {
                                 return a.op.kind == b.op.kind && a.op.kernel == b.op.kernel && a.branch == b.branch;
                               });
  result->result = same ? 0 : 1;
  if (!same) return simt::remember(cudaErrorGraphExecUpdateFailure);
  simt::finish_all();
  exec->nodes = graph->nodes;
  exec->events.clear();
  own_events(*exec);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const auto lock = simt::alone();
  ++device().counters.launches;
  std::map<std::pair<simt_event*, std::uint64_t>, std::uint64_t> tickets;  // of the capture: of this launch
  for (const auto& [captured, branch] : exec->nodes) {
    simt::Operation op = captured;
    if (op.kind == simt::Operation::Kind::record) op.ticket = tickets[{op.event, captured.ticket}] = ++op.event->recorded;
    if (op.kind == simt::Operation::Kind::wait) op.ticket = tickets.at({op.event, captured.ticket});
    simt::put(branch == 0 ? stream : exec->streams[branch - 1].get(), std::move(op));
  }
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const auto lock = simt::alone();
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const auto lock = simt::alone();
  simt::finish_all();
  for (const auto& own : exec->streams) std::erase(device().streams, own.get());
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return std::exchange(simt::last, cudaSuccess); }
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorNotReady:
      return "cudaErrorNotReady";
    case cudaErrorInvalidMemcpyDirection:
      return "cudaErrorInvalidMemcpyDirection";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorCapturedEvent:
      return "cudaErrorCapturedEvent";
    case cudaErrorStreamCaptureWrongThread:
      return "cudaErrorStreamCaptureWrongThread";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureUnjoined:
      return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureIsolation:
      return "cudaErrorStreamCaptureIsolation";
    case cudaErrorGraphExecUpdateFailure:
      return "cudaErrorGraphExecUpdateFailure";
  }
  return "unknown error";
}
const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }
