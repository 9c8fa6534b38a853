#include "backend/cuda/device_ranks.cuh"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "uplift/core/at.hpp"

#if defined(UPLIFT_SIMT)
#include "simt/runtime.hpp"
#endif

namespace uplift::UPLIFT_DEVICE {
namespace {

std::byte* bytes(void* p) { return static_cast<std::byte*>(p); }

template <class T>
std::span<std::byte> bytes_of(MessageBuffer<T>& buffer, std::size_t count) {
  return {bytes(buffer.data()), count * sizeof(T)};
}
void wait(cudaStream_t stream) { check(cudaStreamSynchronize(stream), "wait for the device"); }

}  // namespace

bool direct_messages(const RankLink& link) {
#if !defined(UPLIFT_SIMT)
  return link.takes_device_memory();
#else
  (void)link;
  return simt::memory_stays_open();  // no MPI library knows of emulated memory, which is the host's, if it may be touched
#endif
}

DeviceRanks::DeviceRanks(RankLink& link, int atoms, double slack, double reach)
    : link_(link),
      slack_(slack),
      reach_(reach),
      x_(at(atoms), Vec3d{0, 0, 0}),
      since_(at(atoms)),
      moved_(1),
      sent_packets_(direct_messages(link)),
      halo_packets_(direct_messages(link)) {
  moved_word_.reserve(1);
  words_.reserve(64);
}

void DeviceRanks::adopt(std::span<const Vec3d> x, const Box& box, cudaStream_t stream) {
  x_.assign(x.begin(), x.end());
  link_.adopt(x_, box, reach_);
  shared_ = true;
  take_lists(stream);
  since_.upload(x_, stream);
  box_ = box;
  wait(stream);
}

void DeviceRanks::take_lists(cudaStream_t stream) {
  home_atoms_.clear();
  share().for_home([&](int i) { home_atoms_.push_back(i); });
  home_count_ = static_cast<int>(home_atoms_.size());
  home_.upload_to_front(home_atoms_, stream);
  halo_.upload_to_front(share().halo, stream);
  sent_.upload_to_front(link_.sent(), stream);
  const std::size_t most = std::max({home_atoms_.size(), share().halo.size(), link_.sent().size()});
  packets_.make_room(most);
  sent_packets_.reserve(link_.sent().size());
  halo_packets_.reserve(share().halo.size());
  wait(stream);
}

/// What was out of reach is at least the smallest factor of the box times as far now.
double DeviceRanks::slack_in_box(const Vec3d& by) const {
  return slack_ - 0.5 * std::max(0.0, 1 - std::min({by.x, by.y, by.z})) * reach_;
}

bool DeviceRanks::start_forward(Vec3d* x, const Box& box, bool halo, Fixed* heat, cudaStream_t stream) {
  const std::size_t sent = link_.sent().size(), coming = share().halo.size();
  moved_.clear(stream);
  const std::optional<Vec3d> by = scaling(box_, box);
  launch_displacement(home(), x, since_.data(), by.value_or(Vec3d{1, 1, 1}), moved_.data(), stream);
  if (halo) {
    launch_pack({static_cast<int>(sent), sent_.data()}, x, packets_.data(), stream);
    sent_packets_.copy_from(packets_.data(), sent, stream);
  }
  moved_word_.copy_from(moved_.data(), 1, stream);
  if (heat) words_.copy_from(heat, 1, stream);
  wait(stream);
  if (halo) link_.start_forward_packed(bytes_of(sent_packets_, sent), bytes_of(halo_packets_, coming));
  const float most = std::sqrt(std::bit_cast<float>(moved_word_.data()[0]));
  std::int64_t words[2] = {!(static_cast<double>(most) <= (by ? slack_in_box(*by) : -1)), heat ? words_.data()[0] : 0};
  link_.sum(words);
  if (heat) {
    words_.data()[0] = link_.rank() == 0 ? words[1] : 0;
    words_.copy_to(heat, 1, stream);
  }
  if (words[0] != 0) {
    if (halo) link_.finish_packed();
    return false;
  }
#if defined(UPLIFT_SIMT)
  if (halo) {  // who looks too early sees no numbers
    check(cudaMemsetAsync(packets_.data(), 0xff, coming * sizeof(AtomRecord), stream), "clear device memory");
    launch_unpack(this->halo(), packets_.data(), x, stream);
  }
#endif
  return true;
}

void DeviceRanks::finish_forward(Vec3d* x, cudaStream_t stream) {
  link_.finish_packed();
  halo_packets_.copy_to(packets_.data(), share().halo.size(), stream);
  launch_unpack(halo(), packets_.data(), x, stream);
}

void DeviceRanks::migrate(std::span<void* const> carried, const Box& box, cudaStream_t stream) {
  moving_packets_.reserve(home_atoms_.size());
  carried_.resize(carried.size() - 1);
  std::vector<std::byte*> hosts;
  for (std::size_t a = 0; a < carried.size(); ++a) {
    if (a > 0) carried_[a - 1].resize(x_.size());
    std::byte* host = a == 0 ? bytes(x_.data()) : bytes(carried_[a - 1].data());
    launch_pack(home(), carried[a], packets_.data(), stream);
    moving_packets_.copy_from(packets_.data(), home_atoms_.size(), stream);
    wait(stream);
    for (std::size_t k = 0; k < home_atoms_.size(); ++k)
      std::memcpy(host + sizeof(AtomRecord) * at(home_atoms_[k]), moving_packets_.data() + k, sizeof(AtomRecord));
    hosts.push_back(host);
  }
  link_.migrate(x_, hosts, box, reach_);
  take_lists(stream);
  moving_packets_.reserve(home_atoms_.size());
  for (std::size_t a = 0; a < carried.size(); ++a) {
    for (std::size_t k = 0; k < home_atoms_.size(); ++k)
      std::memcpy(moving_packets_.data() + k, hosts[a] + sizeof(AtomRecord) * at(home_atoms_[k]), sizeof(AtomRecord));
    moving_packets_.copy_to(packets_.data(), home_atoms_.size(), stream);
    launch_unpack(home(), packets_.data(), carried[a], stream);
    wait(stream);
  }
  moving_packets_.reserve(share().halo.size());
  for (std::size_t k = 0; k < share().halo.size(); ++k)
    std::memcpy(moving_packets_.data() + k, &x_[at(share().halo[k])], sizeof(AtomRecord));
  moving_packets_.copy_to(packets_.data(), share().halo.size(), stream);
  launch_unpack(halo(), packets_.data(), carried[0], stream);
  check(cudaMemcpyAsync(since_.data(), carried[0], x_.size() * sizeof(Vec3d), cudaMemcpyDeviceToDevice, stream),
        "copy on the device");
  wait(stream);
  box_ = box;
}

void DeviceRanks::queue_reverse(std::span<Fixed* const> forces, cudaStream_t stream) {
  reversed_.assign(forces.begin(), forces.end());
  if (reversed_.empty()) return;
  const std::size_t arrays = reversed_.size(), going = arrays * share().halo.size(), coming = arrays * link_.sent().size();
  if (std::max(going, coming) > packets_.size() || going > halo_packets_.size() || coming > sent_packets_.size()) {
    wait(stream);
    packets_.make_room(std::max(going, coming));
    halo_packets_.reserve(going);
    sent_packets_.reserve(coming);
  }
  for (std::size_t k = 0; k < arrays; ++k)
    launch_pack(halo(), reversed_[k], packets_.data() + k, stream, static_cast<int>(arrays));
  halo_packets_.copy_from(packets_.data(), going, stream);
  forces_packed_.record(stream);
  reverse_ = Reverse::queued;
}

void DeviceRanks::start_reverse() {
  const std::size_t arrays = reversed_.size();
  link_.start_reverse_packed(bytes_of(halo_packets_, arrays * share().halo.size()),
                             bytes_of(sent_packets_, arrays * link_.sent().size()), static_cast<int>(arrays));
  reverse_ = Reverse::under_way;
}

void DeviceRanks::send_reverse() {
  if (reverse_ == Reverse::queued && forces_packed_.done()) start_reverse();
}

void DeviceRanks::finish_reverse(cudaStream_t stream) {
  if (reverse_ == Reverse::none) return;
  if (reverse_ == Reverse::queued) {
    forces_packed_.wait();
    start_reverse();
  }
  link_.finish_packed();
  reverse_ = Reverse::none;
  const std::size_t arrays = reversed_.size(), sent = link_.sent().size();
  sent_packets_.copy_to(packets_.data(), arrays * sent, stream);
  for (std::size_t k = 0; k < arrays; ++k)
    launch_add_packed({static_cast<int>(sent), sent_.data()}, packets_.data() + k, reversed_[k], stream,
                      static_cast<int>(arrays));
}

void DeviceRanks::sum(Fixed* values, int count, cudaStream_t stream) {
  if (words_.size() < at(count)) {
    wait(stream);
    words_.reserve(at(count));
  }
  words_.copy_from(values, at(count), stream);
  wait(stream);
  link_.sum(std::span<std::int64_t>(words_.data(), at(count)));
  words_.copy_to(values, at(count), stream);
}

void DeviceRanks::sum_on_root(Fixed* value, cudaStream_t stream) {
  sum(value, 1, stream);
  if (link_.rank() != 0) check(cudaMemsetAsync(value, 0, sizeof(Fixed), stream), "clear device memory");
}

}  // namespace uplift::UPLIFT_DEVICE
