#include "backend/cuda/device_mesh_ranks.cuh"

#include <cstring>

#include "uplift/core/at.hpp"

namespace uplift::UPLIFT_DEVICE {

template <class T>
DeviceMeshRanks<T>::DeviceMeshRanks(RankLink& link, const std::array<int, 3>& points, bool direct, cudaStream_t stream)
    : link_(link),
      n_(points),
      share_(link.mesh(std::min(points[0], points[1]))),
      half_(at(points[2] / 2 + 1)),
      charges_out_(direct),
      charges_in_(direct),
      potential_out_(direct),
      potential_in_(direct),
      waves_out_(direct),
      waves_in_(direct) {
  const std::size_t slab = at(planes()) * at(n_[1]) * at(n_[2]);
  slab_charges_.resize(slab);
  slab_charges_.clear(stream);
  slab_.resize(slab);
  const std::size_t waves = at(planes()) * at(n_[1]) * half_, columns = at(n_[0]) * at(rows().count) * half_;
  waves_.resize(waves);
  columns_.resize(columns);
  waves_out_.reserve(std::max(waves, columns));
  waves_in_.reserve(std::max(waves, columns));
  for (int r = 0; r < link_.size(); ++r) {
    row_parts_.push_back({at(planes()) * at(row(r)) * half_, at(planes()) * at(row(r + 1) - row(r)) * half_});
    plane_parts_.push_back({at(plane(r)) * at(rows().count) * half_, at(plane(r + 1) - plane(r)) * at(rows().count) * half_});
  }
  if (planes() > 0) {
    forward_.make_planes_forward(planes(), n_[1], n_[2], stream);
    backward_.make_planes_backward(planes(), n_[1], n_[2], stream);
  }
  if (rows().count > 0) along_x_.make_columns(n_[0], rows().count * static_cast<int>(half_), stream);
}

/// In the order of the window.
template <class T>
std::vector<int> DeviceMeshRanks<T>::planes_of(const MeshWindow& window, int rank) const {
  std::vector<int> found;
  for (int k = 0; k < window.length[0]; ++k)
    if (const int x = (window.start[0] + k) % n_[0]; x >= plane(rank) && x < plane(rank + 1)) found.push_back(k);
  return found;
}

template <class T>
void DeviceMeshRanks<T>::set_window(const MeshWindow& own, cudaStream_t stream) {
  const std::vector<std::byte> told(reinterpret_cast<const std::byte*>(&own), reinterpret_cast<const std::byte*>(&own + 1));
  const auto all = link_.exchange(std::vector(at(link_.size()), told),
                                  std::vector<std::int64_t>(at(link_.size()), static_cast<std::int64_t>(sizeof own)));
  window_.resize(all.size());
  for (std::size_t r = 0; r < all.size(); ++r) std::memcpy(&window_[r], all[r].data(), sizeof own);

  window_plane_ = at(own.length[1]) * at(own.length[2]);
  runs_.assign(at(link_.size()), {});
  parts_.assign(at(link_.size()), {});
  std::size_t place = 0;
  for (int r = 0; r < link_.size(); ++r) {
    parts_[at(r)].first = place;
    for (int k : planes_of(own, r)) {
      std::vector<Run>& runs = runs_[at(r)];
      if (runs.empty() || runs.back().first + runs.back().planes != k) runs.push_back({k, 0, place});
      ++runs.back().planes;
      place += window_plane_;
    }
    parts_[at(r)].length = r == link_.rank() ? 0 : place - parts_[at(r)].first;
    if (r == link_.rank()) place = parts_[at(r)].first;  // nothing goes to oneself
  }
  charges_out_.reserve(place);
  potential_in_.reserve(place);
  charges_.resize(at(own.length[0]) * window_plane_);
  charges_.clear(stream);
  potential_.resize(charges_.size());

  blocks_.assign(at(link_.size()), {});
  block_planes_.assign(1, 0);
  std::vector<int> planes_there;
  std::size_t length = 0;
  for (int r = 0; r < link_.size(); ++r) {
    const MeshWindow& w = window_[at(r)];
    const std::vector<int> mine = planes_of(w, link_.rank());
    for (int k : mine) planes_there.push_back((w.start[0] + k) % n_[0] - plane(link_.rank()));
    block_planes_.push_back(static_cast<int>(planes_there.size()));
    blocks_[at(r)] = {length, r == link_.rank() ? 0 : mine.size() * at(w.length[1]) * at(w.length[2])};
    length += blocks_[at(r)].length;
  }
  plane_.upload_to_front(planes_there, stream);
  arrived_.make_room(length);
  taken_.make_room(length);
  charges_in_.reserve(length);
  potential_out_.reserve(length);
  check(cudaStreamSynchronize(stream), "wait for the device");
}

template <class T>
MeshBlock DeviceMeshRanks<T>::block(int rank) const {
  const MeshWindow& w = window_[at(rank)];
  const int first = block_planes_[at(rank)];
  return {block_planes_[at(rank + 1)] - first,
          plane_.data() + first,
          {w.start[1], w.start[2]},
          {w.length[1], w.length[2]},
          {n_[1], n_[2]}};
}

template <class T>
template <class V>
void DeviceMeshRanks<T>::swap(MessageBuffer<V>& out, std::span<const Message> send, MessageBuffer<V>& in,
                              std::span<const Message> receive, const std::function<void()>& meanwhile) {
  std::vector<std::span<const std::byte>> to;
  std::vector<std::span<std::byte>> from;
  for (const Message& m : send) to.push_back(std::as_bytes(std::span(out.data() + m.first, m.length)));
  for (const Message& m : receive) from.push_back(std::as_writable_bytes(std::span(in.data() + m.first, m.length)));
  to[at(link_.rank())] = {};
  from[at(link_.rank())] = {};
  meanwhile();
  link_.exchange_packed(to, from);
  meanwhile();
}

template <class T>
void DeviceMeshRanks<T>::fetch_charges(cudaStream_t stream) {
  for (int r = 0; r < link_.size(); ++r)
    if (r != link_.rank())
      for (const Run& run : runs_[at(r)])
        charges_out_.copy_from(charges_.data() + at(run.first) * window_plane_, at(run.planes) * window_plane_, stream,
                               run.place);
}

template <class T>
void DeviceMeshRanks<T>::solve(double scale, const std::function<void(Complex*)>& convolve,
                               const std::function<void()>& meanwhile, cudaStream_t stream) {
  collect_charges(scale, meanwhile, stream);
  if (planes() > 0) forward_.forward(slab_.data(), waves_.data());
  to_rows(meanwhile, stream);
  if (rows().count > 0) along_x_.along_columns(columns_.data(), CUFFT_FORWARD);
  convolve(columns_.data());
  if (rows().count > 0) along_x_.along_columns(columns_.data(), CUFFT_INVERSE);
  to_planes(meanwhile, stream);
  if (planes() > 0) backward_.backward(waves_.data(), slab_.data());
  hand_out(meanwhile, stream);
}

template <class T>
void DeviceMeshRanks<T>::collect_charges(double scale, const std::function<void()>& meanwhile, cudaStream_t stream) {
  check(cudaStreamSynchronize(stream), "wait for the device");
  swap(charges_out_, parts_, charges_in_, blocks_, meanwhile);
  const std::size_t length = blocks_.back().first + blocks_.back().length;
  charges_in_.copy_to(arrived_.data(), length, stream);
  for (int r = 0; r < link_.size(); ++r) {
    MeshBlock b = block(r);
    if (r != link_.rank()) {
      launch_add_block(b, arrived_.data() + blocks_[at(r)].first, slab_charges_.data(), stream);
      continue;
    }
    for (const Run& run : runs_[at(r)]) {
      b.planes = run.planes;
      launch_add_block(b, charges_.data() + at(run.first) * window_plane_, slab_charges_.data(), stream);
      b.plane += run.planes;
    }
  }
  charges_.clear(stream);
  launch_to_real<T>(slab_charges_.data(), slab_.data(), static_cast<int>(slab_.size()), scale, stream);
}

/// Rows of `length` waves, as many as there are own planes, between places that are pitches apart.
template <class T>
void DeviceMeshRanks<T>::copy_rows(Complex* to, std::size_t to_pitch, const Complex* from, std::size_t from_pitch,
                                   std::size_t length, cudaStream_t stream) {
  constexpr std::size_t wave = sizeof(Complex);
  if (length > 0 && planes() > 0)
    check(
        cudaMemcpy2DAsync(to, to_pitch * wave, from, from_pitch * wave, length * wave, at(planes()), cudaMemcpyDefault, stream),
        "copy waves of the mesh");
}

template <class T>
void DeviceMeshRanks<T>::to_rows(const std::function<void()>& meanwhile, cudaStream_t stream) {
  const std::size_t pitch = at(n_[1]) * half_;
  for (int r = 0; r < link_.size(); ++r) {
    const std::size_t length = at(row(r + 1) - row(r)) * half_;
    Complex* to = r == link_.rank() ? columns_.data() + plane_parts_[at(r)].first : waves_out_.data() + row_parts_[at(r)].first;
    copy_rows(to, length, waves_.data() + at(row(r)) * half_, pitch, length, stream);
  }
  check(cudaStreamSynchronize(stream), "wait for the device");
  swap(waves_out_, row_parts_, waves_in_, plane_parts_, meanwhile);
  for (int r = 0; r < link_.size(); ++r)
    if (r != link_.rank())
      waves_in_.copy_to(columns_.data() + plane_parts_[at(r)].first, plane_parts_[at(r)].length, stream,
                        plane_parts_[at(r)].first);
}

template <class T>
void DeviceMeshRanks<T>::to_planes(const std::function<void()>& meanwhile, cudaStream_t stream) {
  for (int r = 0; r < link_.size(); ++r)
    if (r != link_.rank())
      waves_out_.copy_from(columns_.data() + plane_parts_[at(r)].first, plane_parts_[at(r)].length, stream,
                           plane_parts_[at(r)].first);
  check(cudaStreamSynchronize(stream), "wait for the device");
  swap(waves_out_, plane_parts_, waves_in_, row_parts_, meanwhile);
  const std::size_t pitch = at(n_[1]) * half_;
  for (int r = 0; r < link_.size(); ++r) {
    const std::size_t length = at(row(r + 1) - row(r)) * half_;
    const Complex* from =
        r == link_.rank() ? columns_.data() + plane_parts_[at(r)].first : waves_in_.data() + row_parts_[at(r)].first;
    copy_rows(waves_.data() + at(row(r)) * half_, pitch, from, length, length, stream);
  }
}

template <class T>
void DeviceMeshRanks<T>::hand_out(const std::function<void()>& meanwhile, cudaStream_t stream) {
  for (int r = 0; r < link_.size(); ++r) {
    MeshBlock b = block(r);
    if (r != link_.rank()) {
      launch_take_block(b, slab_.data(), taken_.data() + blocks_[at(r)].first, stream);
      continue;
    }
    for (const Run& run : runs_[at(r)]) {
      b.planes = run.planes;
      launch_take_block(b, slab_.data(), potential_.data() + at(run.first) * window_plane_, stream);
      b.plane += run.planes;
    }
  }
  potential_out_.copy_from(taken_.data(), blocks_.back().first + blocks_.back().length, stream);
  check(cudaStreamSynchronize(stream), "wait for the device");
  swap(potential_out_, blocks_, potential_in_, parts_, meanwhile);
  for (int r = 0; r < link_.size(); ++r)
    if (r != link_.rank())
      for (const Run& run : runs_[at(r)])
        potential_in_.copy_to(potential_.data() + at(run.first) * window_plane_, at(run.planes) * window_plane_, stream,
                              run.place);
}

template class DeviceMeshRanks<float>;
template class DeviceMeshRanks<double>;

}  // namespace uplift::UPLIFT_DEVICE
