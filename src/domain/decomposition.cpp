#include "domain/decomposition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "uplift/backend/atom_groups.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"

namespace uplift {
namespace {

constexpr std::size_t record = 24;  // bytes of one atom in one carried array
constexpr int balance_every = 4;    // migrations
// Messages of the mesh, four to a step, between two migrations: the first ones are not timed, as plans are made then; with
// fewer than `least` after them the time tells nothing.
constexpr int untimed_rounds = 9, least_rounds = 12;

std::array<double, 3> fractions(const Box& box, const Vec3d& r) {
  const Vec3d s = box.fraction(r);
  return {s.x, s.y, s.z};
}

double wrapped(double u) { return u - std::nearbyint(u); }

template <class T>
std::span<std::byte> bytes_of(std::vector<T>& v) {
  return std::as_writable_bytes(std::span(v));
}

/// The part of one neighbour, and what is left.
std::span<std::byte> cut(std::span<std::byte>& rest, std::size_t records) {
  const std::span<std::byte> part = rest.first(record * records);
  rest = rest.subspan(part.size());
  return part;
}
std::span<const std::byte> cut(std::span<const std::byte>& rest, std::size_t records) {
  const std::span<const std::byte> part = rest.first(record * records);
  rest = rest.subspan(part.size());
  return part;
}

}  // namespace

class Decomposition::Timer {
 public:
  Timer(Decomposition& link, PhaseTime& phase) : link_(link), phase_(phase), start_(std::chrono::steady_clock::now()) {
    ++link_.timers_;
  }
  ~Timer() {
    if (--link_.timers_ > 0) return;
    phase_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (counts_) ++phase_.calls;
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  /// The other half of the call comes later.
  void half() { counts_ = false; }

 private:
  Decomposition& link_;
  PhaseTime& phase_;
  bool counts_ = true;
  std::chrono::steady_clock::time_point start_;
};

double Decomposition::waited() const {
  double all = 0;
  for (const PhaseTime& p : phases()) all += p.seconds;
  return all;
}

Decomposition::Decomposition(const System& system, Communicator ranks, int mesh_ranks, Clock clock)
    : ranks_(std::move(ranks)), tuner_(ranks_.size(), mesh_ranks), clock_(std::move(clock)) {
  if (!clock_)
    clock_ = [] {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      return std::int64_t{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
    };
  find_groups(system);
  share_.zone.assign(at(system.size()), RankShare::absent);
}

void Decomposition::find_groups(const System& system) {
  const std::vector<int>& root = first_of_group_ = first_of_groups(system);
  next_in_group_.assign(root.size(), -1);
  std::vector<int> last(root.size(), -1);
  for (int i = 0; i < system.size(); ++i) {
    int& end = last[at(root[at(i)])];
    if (end >= 0) next_in_group_[at(end)] = i;
    end = i;
  }
}

void Decomposition::set_home(std::vector<int> atoms) {
  std::sort(atoms.begin(), atoms.end());
  share_.home.clear();
  for (int i : atoms) {
    share_.zone[at(i)] = 0;
    if (!share_.home.empty() && share_.home.back().last == i)
      ++share_.home.back().last;
    else
      share_.home.push_back({i, i + 1});
  }
  traffic_.home = static_cast<std::int64_t>(atoms.size());
}

void Decomposition::adopt(std::span<Vec3d> x, const Box& box, double reach) {
  const Timer timer(*this, migrate_time_);
  rounds_ = {};
  overhang_ = overhang_of_groups(first_of_group_, x, box);
  grid_ = std::make_unique<DomainGrid>(box, size(), reach, overhang_);
  std::fill(share_.zone.begin(), share_.zone.end(), RankShare::absent);
  share_.halo.clear();
  std::vector<int> own;
  for (int i = 0; i < static_cast<int>(x.size()); ++i)
    if (grid_->owner(box.fraction(x[at(first_of_group_[at(i)])])) == rank()) own.push_back(i);
  set_home(std::move(own));
  set_halo(x, box, reach);
}

void Decomposition::migrate(std::span<Vec3d> x, std::span<std::byte* const> carried, const Box& box, double reach) {
  const Timer timer(*this, migrate_time_);
  tune_mesh();
  if (++migrations_ % balance_every == 0) balance(box, reach);
  for (int i : share_.halo) share_.zone[at(i)] = RankShare::absent;
  share_.halo.clear();
  std::vector<std::vector<std::byte>> send(at(size()));
  std::vector<int> own;
  const std::size_t length = sizeof(int) + record * carried.size();
  share_.for_home([&](int first) {
    if (first_of_group_[at(first)] != first) return;
    const int to = grid_->owner(box.fraction(x[at(first)]));
    for (int i = first; i >= 0; i = next_in_group_[at(i)]) {
      if (to == rank()) {
        own.push_back(i);
        continue;
      }
      std::vector<std::byte>& out = send[at(to)];
      const std::size_t place = out.size();
      out.resize(place + length);
      std::memcpy(out.data() + place, &i, sizeof i);
      for (std::size_t a = 0; a < carried.size(); ++a)
        std::memcpy(out.data() + place + sizeof i + record * a, carried[a] + record * at(i), record);
      share_.zone[at(i)] = RankShare::absent;
    }
  });
  for (const auto& out : send) traffic_.migration_bytes += static_cast<std::int64_t>(out.size());
  const std::int64_t mesh_bytes = traffic_.mesh_bytes;
  for (const std::vector<std::byte>& in : exchange(send))
    for (std::size_t place = 0; place < in.size(); place += length) {
      int i = 0;
      std::memcpy(&i, in.data() + place, sizeof i);
      for (std::size_t a = 0; a < carried.size(); ++a)
        std::memcpy(carried[a] + record * at(i), in.data() + place + sizeof i + record * a, record);
      own.push_back(i);
    }
  traffic_.mesh_bytes = mesh_bytes;
  set_home(std::move(own));
  set_halo(x, box, reach);
}

/// Which home atoms the ranks below need: those within reach of the wall, and somewhat more, as much as atoms of groups that
/// belong to one side are found on the other.
void Decomposition::set_halo(std::span<Vec3d> x, const Box& box, double reach) {
  const std::array<int, 3> own = grid_->cell(rank());
  const Vec3d w = box.widths();
  const double width[3] = {w.x, w.y, w.z};
  double half[3], below[3],
      beyond[6] = {0, 0, 0, 0, 0, 0};  // half of the own domain; width of the one below; how far atoms are above (and below) it
  for (int d = 0; d < 3; ++d) {
    const auto k = at(d);
    const int n = grid_->counts()[k];
    share_.cut[k] = n > 1;
    share_.open[k] = n == 2 || n > 3;
    const double low = grid_->low(d, own[k]), high = grid_->high(d, own[k]);
    share_.middle[k] = 0.5 * (low + high);
    half[d] = 0.5 * (high - low);
    const int next = (own[k] + 1) % n;
    const double step = 0.5 * (grid_->low(d, next) + grid_->high(d, next)) - share_.middle[k];
    const int last = (own[k] + n - 1) % n;
    below[d] = (grid_->high(d, last) - grid_->low(d, last)) * width[d];
    share_.upper[k] = n > 1 ? step - std::floor(step) : 0;
  }
  share_.for_home([&](int i) {
    const auto s = fractions(box, x[at(i)]);
    for (int d = 0; d < 3; ++d) {
      if (!share_.cut[at(d)]) continue;
      const double p = wrapped(s[at(d)] - share_.middle[at(d)]);
      beyond[d] = std::max(beyond[d], (p - half[d]) * width[d]);
      beyond[3 + d] = std::max(beyond[3 + d], (-p - half[d]) * width[d]);
    }
  });
  ranks_.maximum(std::span(beyond));
  for (int d = 0; d < 3; ++d)
    if ((grid_->counts()[at(d)] == 2 || grid_->counts()[at(d)] > 3) &&
        grid_->narrowest(d) * width[d] < reach + beyond[d] + beyond[3 + d])
      throw AgreedError(
          fmt::format("a domain is {:.3f} nm wide, and forces reach {:.3f} nm beyond groups of atoms that stick out of theirs "
                      "by {:.3f} nm (the "
                      "box has shrunk, or constraints hold many atoms together); use fewer ranks, or constraints: h-bonds",
                      grid_->narrowest(d) * width[d], reach, beyond[d] + beyond[3 + d]));

  neighbours_.clear();
  for (std::uint8_t zone = 1; zone < 8; ++zone) {
    std::array<int, 3> up = own, down = own;
    bool there = true;
    for (int d = 0; d < 3; ++d)
      if (zone >> d & 1) {
        there = there && share_.cut[at(d)];
        ++up[at(d)];
        --down[at(d)];
      }
    if (there) neighbours_.push_back({zone, grid_->rank(up), grid_->rank(down), {}, {}});
  }
  share_.for_home([&](int i) {
    const auto s = fractions(box, x[at(i)]);
    std::uint8_t near = 0;  // the lower walls that it is near
    for (int d = 0; d < 3; ++d) {
      if (!share_.cut[at(d)]) continue;
      const double above = (wrapped(s[at(d)] - share_.middle[at(d)]) + half[d]) * width[d];
      // Of three domains, the one above is the lower one's other neighbour.
      const double round = width[d] - below[d] - above;
      if (above < reach + beyond[d] || (grid_->counts()[at(d)] == 3 && round < reach + beyond[3 + d]))
        near = static_cast<std::uint8_t>(near | 1u << d);
    }
    for (Neighbour& n : neighbours_)
      if ((n.zone & near) == n.zone) n.sent.push_back(i);
  });
  std::vector<Communicator::Request> pending;
  std::vector<std::int64_t> length(neighbours_.size()), coming(neighbours_.size());
  for (std::size_t k = 0; k < neighbours_.size(); ++k) {
    length[k] = static_cast<std::int64_t>(neighbours_[k].sent.size());
    pending.push_back(
        ranks_.start_receive(std::as_writable_bytes(std::span(&coming[k], 1)), neighbours_[k].upper, neighbours_[k].zone));
    pending.push_back(ranks_.start_send(std::as_bytes(std::span(&length[k], 1)), neighbours_[k].lower, neighbours_[k].zone));
  }
  for (auto& p : pending) p.wait();
  pending.clear();
  for (std::size_t k = 0; k < neighbours_.size(); ++k) {
    Neighbour& n = neighbours_[k];
    n.halo.resize(static_cast<std::size_t>(coming[k]));
    pending.push_back(ranks_.start_receive(bytes_of(n.halo), n.upper, 10 + n.zone));
    pending.push_back(ranks_.start_send(bytes_of(n.sent), n.lower, 10 + n.zone));
    traffic_.migration_bytes += static_cast<std::int64_t>(n.sent.size() * sizeof(int));
    traffic_.messages += 2;
  }
  for (auto& p : pending) p.wait();
  sent_.clear();
  for (Neighbour& n : neighbours_) {
    for (int i : n.halo) {
      UPLIFT_ASSERT(share_.zone[at(i)] == RankShare::absent);
      share_.zone[at(i)] = n.zone;
    }
    share_.halo.insert(share_.halo.end(), n.halo.begin(), n.halo.end());
    sent_.insert(sent_.end(), n.sent.begin(), n.sent.end());
  }
  halo_packets_.x.resize(share_.halo.size());
  halo_packets_.f.resize(share_.halo.size());
  sent_packets_.x.resize(sent_.size());
  sent_packets_.f.resize(sent_.size());
  traffic_.halo = static_cast<std::int64_t>(share_.halo.size());
  double inner = 1, outer = 1;
  for (int d = 0; d < 3; ++d) {
    const double wide = 2 * half[d] * width[d];
    inner *= wide;
    outer *= share_.cut[at(d)] ? std::min(width[d], wide + reach) : wide;
  }
  traffic_.ideal_halo = (outer - inner) / (width[0] * width[1] * width[2]) * static_cast<double>(x.size());
  start_forward(x);
  finish_forward(x);
}

/// Positions come from the upper neighbours and go to the lower ones, and forces the other way (upwards).
/// Tags tell them from all others', and only one is on its way: when a rank starts makes no difference to what it meets.
void Decomposition::start(std::span<const std::byte> packets, std::span<std::byte> coming, bool upwards, int arrays) {
  UPLIFT_EXPECT(!under_way_);
  under_way_ = true;
  upwards_ = upwards;
  const int tag = upwards ? 30 : 20;
  const auto records = [arrays](const std::vector<int>& atoms) { return atoms.size() * at(arrays); };
  for (const Neighbour& n : neighbours_)
    if (const auto part = cut(coming, records(upwards ? n.sent : n.halo)); !part.empty())
      pending_.push_back(ranks_.start_receive(part, upwards ? n.lower : n.upper, tag + n.zone));
  for (const Neighbour& n : neighbours_) {
    const auto part = cut(packets, records(upwards ? n.halo : n.sent));
    if (part.empty()) continue;
    pending_.push_back(ranks_.start_send(part, upwards ? n.upper : n.lower, tag + n.zone));
    (upwards ? traffic_.force_bytes : traffic_.position_bytes) += static_cast<std::int64_t>(part.size());
    ++traffic_.messages;
  }
}

void Decomposition::wait() {
  UPLIFT_EXPECT(under_way_);
  for (auto& p : pending_) p.wait();
  pending_.clear();
  under_way_ = false;
}

void Decomposition::start_forward_packed(std::span<const std::byte> sent, std::span<std::byte> halo) {
  Timer timer(*this, forward_time_);
  timer.half();
  start(sent, halo, false);
}

void Decomposition::start_reverse_packed(std::span<const std::byte> halo, std::span<std::byte> sent, int arrays) {
  Timer timer(*this, reverse_time_);
  timer.half();
  start(halo, sent, true, arrays);
}

void Decomposition::finish_packed() {
  const Timer timer(*this, upwards_ ? reverse_time_ : forward_time_);
  wait();
}

void Decomposition::start_forward(std::span<Vec3d> x) {
  Timer timer(*this, forward_time_);
  timer.half();
  for (std::size_t k = 0; k < sent_.size(); ++k) sent_packets_.x[k] = x[at(sent_[k])];
  start(std::as_bytes(std::span(sent_packets_.x)), bytes_of(halo_packets_.x), false);
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  for (int i : share_.halo) x[at(i)] = {unknown, unknown, unknown};
}

void Decomposition::finish_forward(std::span<Vec3d> x) {
  const Timer timer(*this, forward_time_);
  wait();
  for (std::size_t k = 0; k < share_.halo.size(); ++k) x[at(share_.halo[k])] = halo_packets_.x[k];
}

void Decomposition::start_reverse(std::span<Fixed> force) {
  Timer timer(*this, reverse_time_);
  timer.half();
  for (std::size_t k = 0; k < share_.halo.size(); ++k)
    for (std::size_t c = 0; c < 3; ++c) halo_packets_.f[k][c] = std::exchange(force[3 * at(share_.halo[k]) + c], Fixed(0));
  start(std::as_bytes(std::span(halo_packets_.f)), bytes_of(sent_packets_.f), true);
}

void Decomposition::finish_reverse(std::span<Fixed> force) {
  const Timer timer(*this, reverse_time_);
  wait();
  for (std::size_t k = 0; k < sent_.size(); ++k)
    for (std::size_t c = 0; c < 3; ++c) force[3 * at(sent_[k]) + c] += sent_packets_.f[k][c];
}

void Decomposition::sum(std::span<std::int64_t> values) {
  const Timer timer(*this, sum_time_);
  ranks_.sum(values);
}

bool Decomposition::any(bool here) {
  const Timer timer(*this, sum_time_);
  std::int64_t flag = here;
  ranks_.maximum(std::span(&flag, 1));
  return flag != 0;
}

std::vector<std::vector<std::byte>> Decomposition::exchange(const std::vector<std::vector<std::byte>>& send,
                                                            std::span<const std::int64_t> known) {
  const Timer timer(*this, exchange_time_);
  begin_round();
  std::vector<std::int64_t> coming(known.begin(), known.end());
  if (known.empty()) {
    for (const auto& out : send) coming.push_back(static_cast<std::int64_t>(out.size()));
    coming = ranks_.all_to_all(std::move(coming));
  }
  std::vector<std::vector<std::byte>> got(send.size());
  for (int r = 0; r < size(); ++r) got[at(r)].resize(static_cast<std::size_t>(coming[at(r)]));
  swap_messages(std::vector<std::span<const std::byte>>(send.begin(), send.end()),
                std::vector<std::span<std::byte>>(got.begin(), got.end()));
  got[at(rank())] = send[at(rank())];
  return got;
}

bool Decomposition::takes_device_memory() const {
  const char* staged = std::getenv("UPLIFT_STAGED_MESSAGES");  // the way out where a library promises too much
  return mpi_takes_device_memory() && !(staged && std::string_view(staged) == "1");
}

void Decomposition::exchange_packed(std::span<const std::span<const std::byte>> send,
                                    std::span<const std::span<std::byte>> receive) {
  const Timer timer(*this, exchange_time_);
  begin_round();
  swap_messages(send, receive);
}

MeshShare Decomposition::mesh(int most) {
  const MeshShare share{size(), std::min(most, tuner_.ranks())};
  traffic_.mesh_ranks = share.transforming;
  return share;
}

void Decomposition::begin_round() {
  if (++rounds_.count == untimed_rounds) rounds_.start = clock_();
}

/// By the root's clock, so that all ranks go the same way.
void Decomposition::tune_mesh() {
  const Rounds done = std::exchange(rounds_, {});
  const int timed = done.count - untimed_rounds;
  if (tuner_.settled() || traffic_.mesh_ranks == 0 || timed < least_rounds) return;
  std::int64_t time = rank() == 0 ? (clock_() - done.start) / timed : 0;
  ranks_.sum(std::span(&time, 1));
  tuner_.note(time);
}

void Decomposition::swap_messages(std::span<const std::span<const std::byte>> send,
                                  std::span<const std::span<std::byte>> receive) {
  std::vector<Communicator::Request> pending;
  for (int r = 0; r < size(); ++r)
    if (r != rank() && !receive[at(r)].empty()) pending.push_back(ranks_.start_receive(receive[at(r)], r, 40));
  for (int r = 0; r < size(); ++r) {
    if (r == rank() || send[at(r)].empty()) continue;
    pending.push_back(ranks_.start_send(send[at(r)], r, 40));
    traffic_.mesh_bytes += static_cast<std::int64_t>(send[at(r)].size());
    ++traffic_.messages;
  }
  for (auto& p : pending) p.wait();
}

void Decomposition::balance(const Box& box, double reach) {
  std::vector<std::int64_t> work(at(size()), 0);
  work[at(rank())] = static_cast<std::int64_t>(work_ * 1e6);
  work_ = 0;
  ranks_.sum(std::span(work));
  grid_->balance(work, box, reach + std::max(0.5, overhang_));
}

}  // namespace uplift
