// Memory of the emulated runtime: what is device memory and what is pinned, and copies between them.
#include <cstdlib>
#include <cstring>

#include "simt/streams.hpp"

namespace simt {
namespace {

/// Copies and what is set must be inside of allocations, on the sides that they are said to be on; in a graph host memory is
/// looked at long after the call, so that it must be pinned.
cudaError_t side_error(const void* p, std::size_t bytes, bool said_device, bool said_host, bool captured) {
  const Heap* heap = heap_of(p);
  if (said_device != said_host && (heap != nullptr) != said_device) return cudaErrorInvalidMemcpyDirection;
  if (heap) return heap->has(p, bytes) ? cudaSuccess : cudaErrorInvalidValue;
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
}  // namespace simt

using simt::device;

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  *pointer = device().heaps[static_cast<std::size_t>(simt::current_device())].take(bytes);
  ++device().counters.allocations;
  return simt::remember(*pointer ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFree(void* pointer) {
  const auto lock = simt::alone();
  if (pointer) UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  simt::wait_for_all();
  simt::Heap* heap = simt::heap_of(pointer);
  return simt::remember(!pointer || (heap && heap->give_back(pointer)) ? cudaSuccess : cudaErrorInvalidValue);
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
  simt::wait_for_all();
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
        simt::checks::copy_range(from, bytes);
        simt::checks::write_range(to, bytes);
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
/// Of the default stream, which knows nothing of streams that do not block.
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  simt::wait_for_blocking();
  if (const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr); error != cudaSuccess) return error;
  return cudaStreamSynchronize(nullptr);
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const auto lock = simt::alone();
  const simt::Heap* heap = simt::heap_of(to);
  if (bytes > 0 && !(heap && heap->has(to, bytes))) return simt::remember(cudaErrorInvalidValue);
  simt::enqueue(
      stream,
      [=] {
        simt::checks::write_range(to, bytes);
        std::memset(to, value, bytes);
      },
      false);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  const auto lock = simt::alone();
  UPLIFT_SIMT_NOT_IN_A_CAPTURE();
  simt::wait_for_blocking();
  return cudaMemsetAsync(to, value, bytes, nullptr);
}
