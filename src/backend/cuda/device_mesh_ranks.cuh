#pragma once
// The PME mesh of several ranks with a device each. A rank spreads its charges into a window of the mesh, and transforms some
// planes of x along y and z and some rows of y along x: four rounds of messages, each as long as when atoms were last shared
// out. Integers add up to the same mesh whoever had them, and every transform is the same wherever it is done, so that all bits
// are.
#include <cuda/device_buffer.cuh>
#include <cuda/mesh_parts.cuh>

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <vector>

#include "backend/cuda/device_fft.cuh"
#include "uplift/backend/rank_link.hpp"

namespace uplift::UPLIFT_DEVICE {

template <class T>
class DeviceMeshRanks {
  using Integer = MeshInteger<T>;
  using Complex = typename FftPlan<T>::Complex;

 public:
  /// `direct`: messages wait in device memory (direct_messages).
  DeviceMeshRanks(RankLink& link, const std::array<int, 3>& points, bool direct, cudaStream_t stream);

  /// The window that charges of this rank are in, until it is called again. Collective.
  void set_window(const MeshWindow& own, cudaStream_t stream);
  Integer* charges() { return charges_.data(); }            ///< of the window; zero before a step
  const T* potential() const { return potential_.data(); }  ///< of the window, after solve()
  /// Does the link want other ranks to transform it by now? Then this is of no use any more.
  bool outdated() const { return link_.mesh(std::min(n_[0], n_[1])) != share_; }
  MeshRows rows() const { return {row(link_.rank()), share_.count(n_[1], link_.rank())}; }

  int planes() const { return share_.count(n_[0], link_.rank()); }  ///< that are transformed here

  /// Queues copies of the charges that are others' to transform.
  void fetch_charges(cudaStream_t stream);
  /// From charges to potentials; `convolve` is to queue what becomes of the waves [nx][rows][nz/2 + 1] in between. Waits for
  /// the other ranks, and calls `meanwhile` before and after each round of messages.
  void solve(double scale, const std::function<void(Complex*)>& convolve, const std::function<void()>& meanwhile,
             cudaStream_t stream);

 private:
  /// Planes that follow each other in a window, and where a message has them.
  struct Run {
    int first, planes;
    std::size_t place;
  };
  struct Message {
    std::size_t first = 0, length = 0;
  };

  int plane(int rank) const { return share_.first(n_[0], rank); }  ///< first one of a rank
  int row(int rank) const { return share_.first(n_[1], rank); }
  std::vector<int> planes_of(const MeshWindow& window, int rank) const;
  MeshBlock block(int rank) const;
  template <class V>
  void swap(MessageBuffer<V>& out, std::span<const Message> send, MessageBuffer<V>& in, std::span<const Message> receive,
            const std::function<void()>& meanwhile);
  void copy_rows(Complex* to, std::size_t to_pitch, const Complex* from, std::size_t from_pitch, std::size_t length,
                 cudaStream_t stream);
  void collect_charges(double scale, const std::function<void()>& meanwhile, cudaStream_t stream);
  void to_rows(const std::function<void()>& meanwhile, cudaStream_t stream);
  void to_planes(const std::function<void()>& meanwhile, cudaStream_t stream);
  void hand_out(const std::function<void()>& meanwhile, cudaStream_t stream);

  RankLink& link_;
  std::array<int, 3> n_;
  MeshShare share_;
  std::size_t half_;                              ///< waves of a row
  std::vector<MeshWindow> window_;                ///< [ranks]
  std::size_t window_plane_ = 0;                  ///< points of a plane of the own window
  std::vector<std::vector<Run>> runs_;            ///< [ranks] planes of the own window that are theirs
  std::vector<Message> parts_;                    ///< [ranks] the same as messages: charges there, potentials back
  std::vector<Message> blocks_;                   ///< [ranks] what of their windows is on own planes; none of the own
  std::vector<int> block_planes_;                 ///< [ranks + 1] where each block's planes begin in plane_
  std::vector<Message> row_parts_, plane_parts_;  ///< [ranks] own planes' waves by whose rows they are; own rows' by planes
  DeviceBuffer<int> plane_;                       ///< of the own slab, block after block
  DeviceBuffer<Integer> charges_, slab_charges_, arrived_;
  DeviceBuffer<T> potential_, slab_, taken_;
  DeviceBuffer<Complex> waves_, columns_;  ///< [own planes][ny][half], [nx][own rows][half]
  MessageBuffer<Integer> charges_out_, charges_in_;
  MessageBuffer<T> potential_out_, potential_in_;
  MessageBuffer<Complex> waves_out_, waves_in_;
  FftPlan<T> forward_, backward_, along_x_;
};

}  // namespace uplift::UPLIFT_DEVICE
