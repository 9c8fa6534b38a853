#include "backend/cpu/pair_list.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "uplift/core/at.hpp"

namespace uplift::cpu {
namespace {

constexpr int few = 16;  // clusters of a column that are looked at in one go, where a window would cost more than it spares
constexpr double rounding = 1e-5;  // of fractions that are kept as float, generously

}  // namespace

PairList::PairList(const System& system, double reach, const Threads& threads)
    : threads_(threads), reach_(reach), atoms_(system.size()), lj_type_(system.force_field.lj_type) {
  exclusion_start_.assign(at(atoms_) + 1, 0);
  for (const auto& [i, j] : system.force_field.exclusions) {
    ++exclusion_start_[at(i) + 1];
    ++exclusion_start_[at(j) + 1];
  }
  std::partial_sum(exclusion_start_.begin(), exclusion_start_.end(), exclusion_start_.begin());
  exclusion_.resize(at(exclusion_start_.back()));
  const ForceField& ff = system.force_field;
  has_lj_.resize(at(atoms_));
  for (int i = 0; i < atoms_; ++i) {
    const int type = ff.lj_type[at(i)];
    has_lj_[at(i)] = ff.lj_c6[at(type * ff.lj_types + type)] != 0;
  }
  slot_of_atom_.assign(at(atoms_), -1);
  std::vector<int> next(exclusion_start_.begin(), exclusion_start_.end() - 1);
  for (const auto& [i, j] : system.force_field.exclusions) {
    exclusion_[at(next[at(i)]++)] = j;
    exclusion_[at(next[at(j)]++)] = i;
  }
}

/// Where atoms are, and how far they spread.
void PairList::place_atoms(std::span<const Vec3d> x, const Box& box) {
  box_ = box;
  place_.resize(at(atoms_));
  for (int i : local_) slot_of_atom_[at(i)] = -1;
  local_.clear();
  if (share_)
    share_->for_local([&](int i) { local_.push_back(i); });
  else
    for (int i = 0; i < atoms_; ++i) local_.push_back(i);
  const int n = static_cast<int>(local_.size());
  if (box.periodic())
    threads_.for_blocks(n, 1024, [&](int begin, int end, int) {
      // Not-a-number would break the sort.
      const auto wrapped = [](double u) { return std::isfinite(u) ? u - std::floor(u) : 0; };
      for (int k = begin; k < end; ++k) {
        const int i = local_[at(k)];
        const Vec3d s = box.fraction(x[at(i)]);
        const auto along = [&](int d, double u) {
          return share_ && share_->open[at(d)] ? share_->place(i, d, std::isfinite(u) ? u : 0) : wrapped(u);
        };
        place_[at(i)] = {along(0, s.x), along(1, s.y), along(2, s.z)};
      }
    });
  else
    std::copy(x.begin(), x.end(), place_.begin());
  low_ = {0, 0, 0};
  extent_ = {1, 1, 1};
  if (n == 0 || (box.periodic() && !share_)) return;
  Vec3d low = place_[at(local_[0])], high = low;
  for (int i : local_) {
    const Vec3d& r = place_[at(i)];
    low = {std::min(low.x, r.x), std::min(low.y, r.y), std::min(low.z, r.z)};
    high = {std::max(high.x, r.x), std::max(high.y, r.y), std::max(high.z, r.z)};
  }
  const auto open = [&](int d) { return !box.periodic() || (share_ && share_->open[at(d)]); };
  if (open(0)) low_.x = low.x, extent_.x = std::max(high.x - low.x, 1e-3);
  if (open(1)) low_.y = low.y, extent_.y = std::max(high.y - low.y, 1e-3);
  if (open(2)) low_.z = low.z, extent_.z = std::max(high.z - low.z, 1e-3);
}

/// Columns over the xy plane, atoms in each by height, eight to a cluster, the last of a column filled up. Of every four, those
/// with Lennard-Jones parameters come first.
void PairList::sort_atoms(const Box& box) {
  // A column as wide as a cluster of eight is high, at the mean density.
  const Vec3d w = box.periodic() ? box.widths() : Vec3d{1, 1, 1};
  const Vec3d size{w.x * extent_.x, w.y * extent_.y, w.z * extent_.z};
  const double edge = std::cbrt(8.0 * size.x * size.y * size.z / std::max(1, static_cast<int>(local_.size())));
  const auto columns = [&](double length) { return std::clamp(static_cast<int>(length / edge), 1, 1024); };
  columns_x_ = columns(size.x);
  columns_y_ = columns(size.y);
  const auto column_of = [&](int i) {
    const Vec3d& r = place_[at(i)];
    const auto index = [](double u, int n) { return std::clamp(static_cast<int>(u * n), 0, n - 1); };
    const int zone = share_ ? share_->zone[at(i)] : 0;
    return (zone * columns_x_ + index((r.x - low_.x) / extent_.x, columns_x_)) * columns_y_ +
           index((r.y - low_.y) / extent_.y, columns_y_);
  };
  std::vector<std::vector<int>> members(at((share_ ? 8 : 1) * columns_x_ * columns_y_));
  for (int i : local_) members[at(column_of(i))].push_back(i);
  threads_.for_each(static_cast<int>(members.size()), [&](int c, int) {
    std::sort(members[at(c)].begin(), members[at(c)].end(),
              [&](int a, int b) { return std::pair(place_[at(a)].z, a) < std::pair(place_[at(b)].z, b); });
    for (auto four = members[at(c)].begin(); four < members[at(c)].end();) {
      const auto next = members[at(c)].end() - four > cluster_i ? four + cluster_i : members[at(c)].end();
      std::stable_partition(four, next, [&](int i) { return has_lj_[at(i)] != 0; });
      four = next;
    }
  });
  column_start_.assign(1, 0);
  zone_.clear();
  for (std::size_t c = 0; c < members.size(); ++c) {
    column_start_.push_back(column_start_.back() + (static_cast<int>(members[c].size()) + cluster_j - 1) / cluster_j);
    zone_.resize(at(column_start_.back()), static_cast<std::uint8_t>(c / at(columns_x_ * columns_y_)));
  }
  zones_.assign(zone_.begin(), zone_.end());
  zones_.erase(std::unique(zones_.begin(), zones_.end()), zones_.end());
  atom_of_slot_.assign(at(column_start_.back() * cluster_j), -1);
  for (std::size_t c = 0; c < members.size(); ++c)
    for (std::size_t k = 0; k < members[c].size(); ++k) {
      const int slot = column_start_[c] * cluster_j + static_cast<int>(k);
      atom_of_slot_[at(slot)] = members[c][k];
      slot_of_atom_[at(members[c][k])] = slot;
    }
}

void PairList::Bounds::resize(int clusters) {
  for (auto& v : value) v.resize(at(clusters) + 16);
}

ClusterBounds PairList::Bounds::view() const {
  return {value[0].data(), value[1].data(), value[2].data(), value[3].data(), value[4].data(), value[5].data()};
}

void PairList::set_bounds(Bounds& bounds, int cluster, int size) const {
  Vec3d low{1e30, 1e30, 1e30}, high{-1e30, -1e30, -1e30};
  for (int s = cluster * size; s < (cluster + 1) * size; ++s) {
    if (atom_of_slot_[at(s)] < 0) continue;
    const Vec3d& r = place_[at(atom_of_slot_[at(s)])];
    low = {std::min(low.x, r.x), std::min(low.y, r.y), std::min(low.z, r.z)};
    high = {std::max(high.x, r.x), std::max(high.y, r.y), std::max(high.z, r.z)};
  }
  if (low.x > high.x) low = high = {0, 0, 0};
  const Vec3d centre = 0.5 * (low + high), half = 0.5 * (high - low);
  const double values[6] = {centre.x, centre.y, centre.z, filled(cluster * size, size) ? half.x : -1, half.y, half.z};
  for (std::size_t k = 0; k < 6; ++k) bounds.value[k][at(cluster)] = static_cast<float>(values[k]);
}

/// Bit k: slot first_slot + k holds an atom.
std::uint32_t PairList::filled(int first_slot, int count) const {
  std::uint32_t bits = 0;
  for (int k = 0; k < count; ++k)
    if (atom_of_slot_[at(first_slot + k)] >= 0) bits |= 1u << k;
  return bits;
}

/// For each column and each height: the first cluster that reaches to this height or above. Clusters of a column follow each
/// other along z.
void PairList::index_heights() {
  const int columns = static_cast<int>(column_start_.size()) - 1;
  int longest = 0;
  for (int c = 0; c < columns; ++c) longest = std::max(longest, column_start_[at(c) + 1] - column_start_[at(c)]);
  heights_ = box_.periodic() && longest > few ? longest : 0;
  first_above_.resize(at(columns * (heights_ + 1)));
  if (heights_ == 0) return;
  const ClusterBounds b = bounds_j_.view();
  threads_.for_blocks(columns, 64, [&](int begin, int end, int) {
    for (int c = begin; c < end; ++c)
      for (int h = 0, j = column_start_[at(c)]; h <= heights_; ++h) {
        const double height = low_.z + extent_.z * h / heights_;
        while (j < column_start_[at(c) + 1] && static_cast<double>(b.z[j]) + static_cast<double>(b.half_z[j]) < height) ++j;
        first_above_[at(c * (heights_ + 1) + h)] = j;
      }
  });
}

/// Heights that partners of this cluster may have. Empty `second`: they do not go round the end of the cell.
PairList::Heights PairList::heights_near(int i_cluster) const {
  if (heights_ == 0) return {};
  const ClusterBounds b = bounds_i_.view();
  const double half = static_cast<double>(near_.reach / near_.length[2] + b.half_z[i_cluster]) + rounding;
  const double low = static_cast<double>(b.z[i_cluster]) - half, high = static_cast<double>(b.z[i_cluster]) + half;
  const auto step = [&](double z) {
    return std::clamp(static_cast<int>((z - low_.z) / extent_.z * heights_), 0, heights_ - 1);
  };
  if (near_.period[2] == 0 || (low >= 0 && high < 1)) return {{step(low), step(high)}, {0, -1}};
  if (high - low >= 1) return {{0, heights_ - 1}, {0, -1}};
  return low < 0 ? Heights{{0, step(high)}, {step(low + 1), heights_ - 1}}
                 : Heights{{0, step(high - 1)}, {step(low), heights_ - 1}};
}

/// Clusters of a column, from `own` on, that may be at these heights: two ranges, ascending, which may be empty.
std::array<std::pair<int, int>, 2> PairList::clusters_within(std::size_t column, const Heights& window, int own) const {
  const int first = std::max(own, column_start_[column]), last = column_start_[column + 1];
  if (heights_ == 0 || last - first <= few) return {{{first, last}, {last, last}}};
  const int* above = &first_above_[column * at(heights_ + 1)];
  const auto clusters = [&](std::pair<int, int> steps, int from) {
    // A cluster after the first one that reaches above a height is above it as a whole.
    return steps.second < steps.first
               ? std::pair(from, from)
               : std::pair(std::max(from, above[steps.first]), std::min(last, above[steps.second + 1] + 1));
  };
  const auto lower = clusters(window.first, first);
  return {lower, clusters(window.second, std::max(lower.first, lower.second))};
}

/// Columns from the lowest to the highest that may be near, and how many; where coordinates wrap round, at most all of them.
std::pair<int, int> PairList::Across::within(double reach) const {
  const int far = static_cast<int>((reach / length + half) / width) + 1;
  const int middle = std::clamp(static_cast<int>((centre - low) / width), 0, columns - 1);
  if (period == 0) {
    const int first = std::max(0, middle - far);
    return {first, std::min(columns - 1, middle + far) - first + 1};
  }
  const int wide = std::min(columns, 2 * far + 1);
  return {middle - wide / 2 + columns, wide};
}

/// At least how far the atoms of a column are from the cluster, in a rectangular cell [nm].
double PairList::Across::gap(int column) const {
  const double apart = centre - (low + (column + 0.5) * width);
  return std::max(0.0, std::abs(apart - period * std::nearbyint(apart)) - half - 0.5 * width - rounding) * length;
}

PairList::Across PairList::across(int i_cluster, int d) const {
  const ClusterBounds b = bounds_i_.view();
  const double period = static_cast<double>(near_.period[d]), length = static_cast<double>(near_.length[d]);
  if (d == 0)
    return {columns_x_,
            low_.x,
            extent_.x / columns_x_,
            static_cast<double>(b.x[i_cluster]),
            static_cast<double>(b.half_x[i_cluster]),
            period,
            length};
  return {
      columns_y_, low_.y, extent_.y / columns_y_, static_cast<double>(b.y[i_cluster]), static_cast<double>(b.half_y[i_cluster]),
      period,     length};
}

void PairList::list_partners(int i_cluster, Scratch& scratch, std::vector<PairEntry>& out) const {
  out.clear();
  const int own = i_cluster / (cluster_j / cluster_i);
  std::uint32_t valid_i = 0;
  for (int k = 0; k < cluster_i; ++k)
    if (atom_of_slot_[at(i_cluster * cluster_i + k)] >= 0) valid_i |= 0xffu << (cluster_j * k);
  if (valid_i == 0) return;
  const auto add = [&](int j) {
    std::uint32_t mask = valid_i & filled_[at(j)] * 0x01010101u;
    if (j == own)
      for (int a = 0; a < cluster_i; ++a)
        for (int b = 0; b < cluster_j; ++b)
          if (b <= a + (i_cluster % (cluster_j / cluster_i)) * cluster_i) mask &= ~(1u << (cluster_j * a + b));
    if (share_) part_images(i_cluster, j, mask);
    if (mask) out.push_back({j, mask});
  };
  // Clusters are taken once each, and only from the own cluster on: every pair has one home.
  if (!box_.periodic()) {
    for (int j = own; j < slots() / cluster_j; ++j) add(j);
    return;
  }
  const Across x = across(i_cluster, 0), y = across(i_cluster, 1);
  const auto [first_x, count_x] = x.within(reach_);
  const auto [first_y, count_y] = y.within(reach_);
  scratch.gaps.resize(at(count_y));
  for (int dy = 0; dy < count_y; ++dy) scratch.gaps[at(dy)] = y.gap((first_y + dy) % columns_y_);
  scratch.near.resize(at(slots() / cluster_j) + 16);
  const Heights window = heights_near(i_cluster);
  const double reach2 = static_cast<double>(near_.reach) * static_cast<double>(near_.reach);
  const ClusterBounds bounds_i = bounds_i_.view(), bounds_j = bounds_j_.view();
  const auto& kernels = select_pair_kernels();
  for (int zone : zones_) {
    if ((zone_[at(own)] & zone) != 0) continue;  // another rank's
    for (int dx = 0; dx < count_x; ++dx) {
      const int cx = (first_x + dx) % columns_x_;
      const double gap_x = x.gap(cx);
      for (int dy = 0; dy < count_y; ++dy) {
        const double gap_y = scratch.gaps[at(dy)];
        if (near_.rectangular && gap_x * gap_x + gap_y * gap_y > reach2) continue;
        const std::size_t column = at((zone * columns_x_ + cx) * columns_y_ + (first_y + dy) % columns_y_);
        for (const auto& [first, last] : clusters_within(column, window, own)) {
          if (first >= last) continue;
          const int found = kernels.near(near_, bounds_i, i_cluster, bounds_j, first, last, scratch.near.data());
          for (int k = 0; k < found; ++k) add(scratch.near[at(k)]);
        }
      }
    }
  }
}

/// Leaves the pairs that are nearest images of each other in the picture of this rank (RankShare::place): with two domains
/// along a direction, others may be near round the far side, and those are the other rank's.
void PairList::part_images(int i_cluster, int j_cluster, std::uint32_t& mask) const {
  const ClusterBounds a = bounds_i_.view(), b = bounds_j_.view();
  const float* centre[3][2] = {{a.x, b.x}, {a.y, b.y}, {a.z, b.z}};
  const float* half[3][2] = {{a.half_x, b.half_x}, {a.half_y, b.half_y}, {a.half_z, b.half_z}};
  for (int d = 0; d < 3; ++d) {
    if (!share_->open[at(d)]) continue;
    const float apart = std::abs(centre[d][0][i_cluster] - centre[d][1][j_cluster]);
    if (apart + half[d][0][i_cluster] + half[d][1][j_cluster] < 0.49f) continue;
    for (int i = 0; i < cluster_i; ++i)
      for (int j = 0; j < cluster_j; ++j) {
        const int one = atom_of_slot_[at(i_cluster * cluster_i + i)], other = atom_of_slot_[at(j_cluster * cluster_j + j)];
        if (one < 0 || other < 0) continue;
        const Vec3d& p = place_[at(one)];
        const Vec3d& q = place_[at(other)];
        const double distance = std::abs(d == 0 ? p.x - q.x : d == 1 ? p.y - q.y : p.z - q.z);
        if (distance >= 0.5) mask &= ~(1u << (cluster_j * i + j));
      }
  }
}

void PairList::apply_exclusions(int i_cluster, std::vector<PairEntry>& entries, std::vector<int>& entry_of) const {
  for (std::size_t k = 0; k < entries.size(); ++k) entry_of[at(entries[k].j)] = static_cast<int>(k);
  for (int a = 0; a < cluster_i; ++a) {
    const int atom = atom_of_slot_[at(i_cluster * cluster_i + a)];
    if (atom < 0) continue;
    for (int e = exclusion_start_[at(atom)]; e < exclusion_start_[at(atom) + 1]; ++e) {
      const int slot = slot_of_atom_[at(exclusion_[at(e)])];
      if (slot < 0) continue;  // not here
      const int entry = entry_of[at(slot / cluster_j)];
      if (entry >= 0) entries[at(entry)].mask &= ~(1u << (cluster_j * a + slot % cluster_j));
    }
  }
  for (const PairEntry& e : entries) entry_of[at(e.j)] = -1;
  std::erase_if(entries, [](const PairEntry& e) { return e.mask == 0; });
}

void PairList::mark_clusters() {
  if (marks_.own.empty()) return;
  own_marks_.assign(at(slots() / cluster_j), 0);
  partner_marks_.assign(at(i_clusters()), 0);
  for (int s = 0; s < slots(); ++s) {
    const int atom = atom_of_slot_[at(s)];
    if (atom < 0) continue;
    const std::size_t type = at(lj_type_[at(atom)]);
    own_marks_[at(s / cluster_j)] |= marks_.own[type];
    partner_marks_[at(s / cluster_i)] |= marks_.partners[type];
  }
}

int PairList::ruled(int i) const {
  const std::span<const PairEntry> entries = inner(i);
  auto n = static_cast<int>(entries.size());
  while (n > 0 && may_have_exceptions(i, entries[at(n - 1)].j)) --n;
  return n;
}

void PairList::build(std::span<const Vec3d> x, const Box& box, const RankShare* share) {
  share_ = share;
  place_atoms(x, box);
  sort_atoms(box);
  const int eights = slots() / cluster_j;
  filled_.resize(at(eights));
  if (box.periodic()) {
    bounds_i_.resize(i_clusters());
    bounds_j_.resize(eights);
    const Vec3d length = box.orthorhombic() ? Vec3d{box.a.x, box.b.y, box.c.z} : box.widths();
    near_ = {{static_cast<float>(length.x), static_cast<float>(length.y), static_cast<float>(length.z)},
             {1, 1, 1},
             box.orthorhombic(),
             static_cast<float>(reach_ + 1e-6 * std::max({length.x, length.y, length.z}))};
  }
  for (int d = 0; d < 3; ++d)
    if (share_ && share_->open[at(d)]) near_.period[d] = 0;
  threads_.for_blocks(eights, 128, [&](int begin, int end, int) {
    for (int j = begin; j < end; ++j) {
      filled_[at(j)] = filled(j * cluster_j, cluster_j);
      if (!box.periodic()) continue;
      set_bounds(bounds_j_, j, cluster_j);
      for (int i : {2 * j, 2 * j + 1}) set_bounds(bounds_i_, i, cluster_i);
    }
  });
  index_heights();
  mark_clusters();

  const auto blocks = at((i_clusters() + list_block - 1) / list_block);
  outer_.resize(blocks);
  inner_.resize(blocks);
  first_.resize(at(i_clusters()));
  outer_count_.resize(at(i_clusters()));
  inner_count_.assign(at(i_clusters()), 0);
  std::vector<std::vector<int>> entry_of(at(threads_.count()));
  threads_.for_blocks(i_clusters(), list_block, [&](int begin, int end, int thread) {
    std::vector<int>& scratch = entry_of[at(thread)];
    if (scratch.empty()) scratch.assign(at(eights), -1);
    std::vector<PairEntry> entries;
    Scratch partners;
    std::vector<PairEntry>& all = outer_[at(begin / list_block)];
    all.clear();
    for (int i = begin; i < end; ++i) {
      list_partners(i, partners, entries);
      apply_exclusions(i, entries, scratch);
      std::stable_partition(entries.begin(), entries.end(), [&](const PairEntry& e) { return !may_have_exceptions(i, e.j); });
      first_[at(i)] = static_cast<int>(all.size());
      outer_count_[at(i)] = static_cast<int>(entries.size());
      all.insert(all.end(), entries.begin(), entries.end());
    }
    inner_[at(begin / list_block)].resize(all.size());
  });
}

void PairList::restore_inner() {
  inner_ = outer_;
  inner_count_ = outer_count_;
}

}  // namespace uplift::cpu
