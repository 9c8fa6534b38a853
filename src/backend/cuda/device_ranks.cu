#include "backend/cuda/device_ranks.cuh"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace uplift::UPLIFT_DEVICE {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }
std::byte* bytes(void* p) { return static_cast<std::byte*>(p); }

template <class T>
std::span<std::byte> bytes_of(MessageBuffer<T>& buffer, std::size_t count) {
  return {bytes(buffer.data()), count * sizeof(T)};
}
void wait(cudaStream_t stream) { check(cudaStreamSynchronize(stream), "wait for the device"); }

}  // namespace

bool direct_messages(const RankLink& link) {
#if defined(__CUDACC__)
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

bool DeviceRanks::renew_halo(Vec3d* x, const Box& box, Fixed* heat, cudaStream_t stream) {
  const AtomList sent{static_cast<int>(link_.sent().size()), sent_.data()};
  moved_.clear(stream);
  launch_displacement(home(), x, since_.data(), moved_.data(), stream);
  launch_pack(sent, x, packets_.data(), stream);
  sent_packets_.copy_from(packets_.data(), link_.sent().size(), stream);
  moved_word_.copy_from(moved_.data(), 1, stream);
  if (heat) words_.copy_from(heat, 1, stream);
  wait(stream);
  const float most = std::sqrt(std::bit_cast<float>(moved_word_.data()[0]));
  std::int64_t words[2] = {!(static_cast<double>(most) <= slack_) || box != box_, heat ? words_.data()[0] : 0};
  link_.sum(words);
  if (heat) {
    words_.data()[0] = link_.rank() == 0 ? words[1] : 0;
    words_.copy_to(heat, 1, stream);
  }
  if (words[0] != 0) return false;
  const std::size_t count = share().halo.size();
  link_.forward_packed(bytes_of(sent_packets_, link_.sent().size()), bytes_of(halo_packets_, count));
  halo_packets_.copy_to(packets_.data(), count, stream);
  launch_unpack(halo(), packets_.data(), x, stream);
  return true;
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

void DeviceRanks::reverse(Fixed* force, cudaStream_t stream) {
  const std::size_t count = share().halo.size(), sent = link_.sent().size();
  launch_pack(halo(), force, packets_.data(), stream);
  halo_packets_.copy_from(packets_.data(), count, stream);
  wait(stream);
  link_.reverse_packed(bytes_of(halo_packets_, count), bytes_of(sent_packets_, sent));
  sent_packets_.copy_to(packets_.data(), sent, stream);
  launch_add_packed({static_cast<int>(sent), sent_.data()}, packets_.data(), force, stream);
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
