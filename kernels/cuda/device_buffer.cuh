#pragma once
// Device memory with one owner. Copies are explicit and name their stream; nothing waits by itself but download().
#include <cuda/check.cuh>

#include <span>
#include <utility>
#include <vector>

namespace uplift::UPLIFT_DEVICE {

using cuda::check;

template <class T>
class DeviceBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(std::size_t size) { resize(size); }
  /// A copy of `values` that is complete when the constructor returns.
  explicit DeviceBuffer(std::span<const T> values) {
    resize(values.size());
    if (values.empty()) return;
    check(cudaMemcpy(data_, values.data(), values.size_bytes(), cudaMemcpyHostToDevice), "copy to the device");
    // Small copies return before they have arrived, and our streams do not wait for the default one.
    check(cudaStreamSynchronize(nullptr), "copy to the device");
  }
  explicit DeviceBuffer(const std::vector<T>& values) : DeviceBuffer(std::span<const T>(values)) {}
  ~DeviceBuffer() { cudaFree(data_); }
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  /// Forgets what was in it.
  void resize(std::size_t size) {
    if (size == size_) return;
    check(cudaFree(data_), "free device memory");
    data_ = nullptr;
    size_ = 0;
    if (size > 0) check(cudaMalloc(reinterpret_cast<void**>(&data_), size * sizeof(T)), "device memory");
    size_ = size;
  }
  void clear(cudaStream_t stream) { clear(stream, size_); }
  /// The first `count`.
  void clear(cudaStream_t stream, std::size_t count) {
    if (count > 0) check(cudaMemsetAsync(data_, 0, count * sizeof(T), stream), "clear device memory");
  }
  /// `values` must live until the stream has taken them.
  void upload(std::span<const T> values, cudaStream_t stream) {
    resize(values.size());
    if (size_ > 0)
      check(cudaMemcpyAsync(data_, values.data(), values.size_bytes(), cudaMemcpyHostToDevice, stream), "copy to the device");
  }
  /// Room for so many; forgets what was in it when there is not enough yet.
  void make_room(std::size_t size) {
    if (size > size_) resize(size_ == 0 ? size : size + size / 4);
  }
  /// The same, but that what room there is beyond `values` stays.
  void upload_to_front(std::span<const T> values, cudaStream_t stream) {
    make_room(values.size());
    if (!values.empty())
      check(cudaMemcpyAsync(data_, values.data(), values.size_bytes(), cudaMemcpyHostToDevice, stream), "copy to the device");
  }
  void copy_from(const DeviceBuffer& other, cudaStream_t stream) {
    resize(other.size_);
    if (size_ > 0)
      check(cudaMemcpyAsync(data_, other.data_, size_ * sizeof(T), cudaMemcpyDeviceToDevice, stream), "copy on the device");
  }
  /// Waits for the stream.
  void download(std::vector<T>& values, cudaStream_t stream) const {
    values.resize(size_);
    if (size_ > 0)
      check(cudaMemcpyAsync(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost, stream), "copy from the device");
    check(cudaStreamSynchronize(stream), "wait for the device");
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Memory that what goes between devices, or between a device and the host, waits in: pinned memory of the host, which the
/// device copies to and from without a detour, or memory of the device. Copies are queued; their stream must have come to rest
/// before the memory is looked at, changed or given up.
template <class T>
class MessageBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit MessageBuffer(bool on_device) : on_device_(on_device) {}
  ~MessageBuffer() { give_back(); }
  MessageBuffer(const MessageBuffer&) = delete;
  MessageBuffer& operator=(const MessageBuffer&) = delete;

  /// Forgets what was in it when there is not enough room yet.
  void reserve(std::size_t size) {
    if (size <= size_) return;
    check(give_back(), "free memory for messages");
    data_ = nullptr;
    size_ = 0;
    const std::size_t more = size + size / 4;
    void** to = reinterpret_cast<void**>(&data_);
    check(on_device_ ? cudaMalloc(to, more * sizeof(T)) : cudaMallocHost(to, more * sizeof(T)), "memory for messages");
    size_ = more;
  }
  void copy_from(const T* device, std::size_t count, cudaStream_t stream, std::size_t at = 0) {
    if (count > 0)
      check(cudaMemcpyAsync(data_ + at, device, count * sizeof(T), cudaMemcpyDefault, stream), "copy from the device");
  }
  void copy_to(T* device, std::size_t count, cudaStream_t stream, std::size_t at = 0) const {
    if (count > 0)
      check(cudaMemcpyAsync(device, data_ + at, count * sizeof(T), cudaMemcpyDefault, stream), "copy to the device");
  }
  T* data() { return data_; }
  std::size_t size() const { return size_; }

 private:
  cudaError_t give_back() { return on_device_ ? cudaFree(data_) : cudaFreeHost(data_); }

  bool on_device_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Of the host.
template <class T>
class PinnedBuffer : public MessageBuffer<T> {
 public:
  PinnedBuffer() : MessageBuffer<T>(false) {}
};

}  // namespace uplift::UPLIFT_DEVICE
