// The CUDA runtime on the CPU: streams and events as queues; device memory that is closed to the host but for copies and
// kernels, so that host code which follows a device pointer faults. Graphs are in graphs.cpp.
#include "simt/runtime.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "simt/streams.hpp"

namespace simt {
namespace {

thread_local cudaError_t last = cudaSuccess;

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

std::unique_lock<std::recursive_mutex> alone() {
  static std::recursive_mutex mutex;
  return std::unique_lock(mutex);
}
bool lazy_from_environment() {
  const char* text = std::getenv("UPLIFT_SIMT_STREAMS");
  return text && std::string(text) == "lazy";
}
Device& device() {
  static Device one;
  return one;
}
simt_stream& resolve(cudaStream_t s) { return s ? *s : device().null_stream; }
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

Counters counters() { return device().counters; }
std::size_t device_bytes() { return device().heap.bytes(); }
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

/// First of all in what nobody may call while this thread captures.
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
