// The CUDA runtime on the CPU: streams and events as queues; device memory that is closed to the host but for copies and
// kernels, so that host code which follows a device pointer faults. Graphs are in graphs.cpp.
#include "simt/runtime.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

#include "simt/streams.hpp"

namespace simt {
namespace {

thread_local cudaError_t last = cudaSuccess;
thread_local int current = 0;  ///< device

bool is_default(const simt_stream& s) { return &s == &device().null_streams[static_cast<std::size_t>(s.device)]; }

/// One operation of a stream; false when there is none, or it has to wait.
bool step(simt_stream& s) {
  if (s.queue.empty()) return false;
  const Operation& first = s.queue.front();
  if (first.kind == Operation::Kind::wait && first.event->done < first.ticket) return false;
  const Operation op = std::move(s.queue.front());
  s.queue.pop_front();
  s.clock.merge(op.before);
  for (const simt_stream* other : device().streams)
    if (other->device == s.device && ((is_default(s) && other->blocking) || (s.blocking && is_default(*other))))
      s.clock.merge(other->clock);
  if (op.kind == Operation::Kind::work) {
    const std::uint32_t number = ++device().operations[s.number];
    checks::begin_operation(s.number, number, s.clock);
    s.clock.set(s.number, number);
    std::deque<Heap::Access> open;  // copies go between devices, kernels do not look beyond their own
    for (int d = 0; d < most_devices; ++d)
      if (!op.kernel || d == s.device) open.emplace_back(device().heaps[static_cast<std::size_t>(d)]);
    op.work();
    device().counters.kernels += op.kernel;
    checks::end_operation();
  }
  if (op.kind == Operation::Kind::wait) s.clock.merge(op.event->clock);
  if (op.kind == Operation::Kind::record) {
    op.event->done = std::max(op.event->done, op.ticket);
    op.event->when = std::chrono::steady_clock::now();
    op.event->clock = s.clock;
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

}  // namespace

std::unique_lock<std::recursive_mutex> alone() {
  static std::recursive_mutex mutex;
  return std::unique_lock(mutex);
}
bool lazy_from_environment() {
  const char* text = std::getenv("UPLIFT_SIMT_STREAMS");
  return text && std::string(text) == "lazy";
}
int devices_from_environment() {
  const char* text = std::getenv("UPLIFT_SIMT_DEVICES");
  return std::clamp(text ? std::atoi(text) : 1, 1, most_devices);
}
Device& device() {
  static Device one;
  return one;
}
Device::Device() {
  count = devices_from_environment();
  for (std::size_t d = 0; d < null_streams.size(); ++d) {
    null_streams[d].device = static_cast<int>(d);
    null_streams[d].number = d;
    streams.push_back(&null_streams[d]);
    operations.push_back(0);
  }
}
void set_devices(int count) {
  const auto lock = alone();
  device().count = std::clamp(count, 1, most_devices);
}
int current_device() { return current; }
Heap* heap_of(const void* pointer) {
  for (Heap& heap : device().heaps)
    if (heap.holds(pointer)) return &heap;
  return nullptr;
}
simt_stream& resolve(cudaStream_t s) { return s ? *s : device().null_streams[static_cast<std::size_t>(current)]; }
void finish(simt_stream& s) {
  drain([&] { return s.queue.empty(); });
}
void finish_all() {
  for (simt_stream* s : device().streams) finish(*s);
}
void wait_for(simt_stream& s) {
  finish(s);
  device().host.merge(s.clock);
}
void wait_for_all() {
  for (simt_stream* s : device().streams) wait_for(*s);
}
void wait_for_blocking() {
  for (simt_stream* s : device().streams)
    if (s->device == current && (s->blocking || s == &resolve(nullptr))) wait_for(*s);
}
void enlist(simt_stream& s) {
  Device& d = device();
  if (d.unused_numbers.empty()) {
    s.number = d.operations.size();
    d.operations.push_back(0);
  } else {
    s.number = d.unused_numbers.back();
    d.unused_numbers.pop_back();
  }
  d.streams.push_back(&s);
}
void strike_off(simt_stream& s) {
  Device& d = device();
  checks::retire_stream(s.number, d.operations[s.number]);
  d.unused_numbers.push_back(s.number);
  std::erase(d.streams, &s);
}
void put(cudaStream_t stream, Operation op) {
  simt_stream& s = resolve(stream);
  if (s.capture) {
    s.capture->nodes.push_back({std::move(op), s.branch});
    return;
  }
  if (checks::watched()) op.before = device().host;
  s.queue.push_back(std::move(op));
  if (!device().lazy) finish(s);
}
cudaError_t remember(cudaError_t e) {
  if (e != cudaSuccess) last = e;
  return e;
}

Counters counters() { return device().counters; }
std::size_t device_bytes() {
  std::size_t all = 0;
  for (int d = 0; d < most_devices; ++d) all += device_bytes(d);
  return all;
}
std::size_t device_bytes(int number) { return device().heaps[static_cast<std::size_t>(number)].bytes(); }
std::size_t granted_shared_memory(const void* kernel) {
  const auto lock = alone();
  const auto found = device().granted.find(kernel);
  return found == device().granted.end() ? 0 : static_cast<std::size_t>(found->second);
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
  set_devices(devices_from_environment());
  set_lazy_streams(lazy_from_environment());
  set_seed(seed_from_environment());
  set_stream_seed(seed_from_environment());
}
void enqueue(cudaStream_t stream, std::function<void()> work, bool kernel) {
  const auto lock = alone();
  if (kernel && resolve(stream).device != current) {
    remember(cudaErrorInvalidResourceHandle);  // the stream is another device's
    return;
  }
  if (!resolve(stream).capture) ++device().counters.launches;
  put(stream, {Operation::Kind::work, std::move(work), kernel, nullptr, 0});
}

}  // namespace simt

using simt::device;

cudaError_t cudaGetDeviceCount(int* count) {
  const auto lock = simt::alone();
  *count = device().count;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  const auto lock = simt::alone();
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
cudaError_t cudaSetDevice(int number) {
  const auto lock = simt::alone();
  if (number < 0 || number >= device().count) return simt::remember(cudaErrorInvalidDevice);
  simt::current = number;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* number) {
  *number = simt::current;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
  *value = 227 << 10;
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  *attributes = {0};
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  const auto lock = simt::alone();
  device().granted[kernel] = value;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  const auto lock = simt::alone();
  *p = {"emulated on the CPU", 9, 0, 2, std::size_t{16} << 30, 48 << 10};
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const auto lock = simt::alone();
  simt::enlist(*(*stream = new simt_stream));
  (*stream)->device = simt::current;
  (*stream)->blocking = (flags & cudaStreamNonBlocking) == 0;
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
  simt::strike_off(*stream);
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
  simt::wait_for(simt::resolve(stream));
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const auto lock = simt::alone();
  simt_stream& s = simt::resolve(stream);
  // A GPU says nothing, and nobody waits.
  if (event->recorded == 0) throw simt::Error("a stream is to wait for an event that nobody has recorded");
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
  for (simt_stream* s : device().streams)
    if (s->device == simt::current) simt::wait_for(*s);
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const auto lock = simt::alone();
  *event = new simt_event;
  (*event)->device = simt::current;
  (*event)->timed = (flags & cudaEventDisableTiming) == 0;
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
  if (event->device != simt::resolve(stream).device) return simt::remember(cudaErrorInvalidResourceHandle);
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
  device().host.merge(event->clock);
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  if (event->captured || event->captured_by) return simt::remember(cudaErrorCapturedEvent);
  // The manual says that cudaGetLastError() does not tell of this; there are runtimes where it does.
  if (event->done < event->recorded) return simt::remember(cudaErrorNotReady);
  device().host.merge(event->clock);
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  const auto lock = simt::alone();
  if (!from->timed || !to->timed || from->recorded == 0 || to->recorded == 0)
    return simt::remember(cudaErrorInvalidResourceHandle);
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
    case cudaErrorInvalidDeviceFunction:
      return "cudaErrorInvalidDeviceFunction";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNoKernelImageForDevice:
      return "cudaErrorNoKernelImageForDevice";
    case cudaErrorUnsupportedPtxVersion:
      return "cudaErrorUnsupportedPtxVersion";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
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
