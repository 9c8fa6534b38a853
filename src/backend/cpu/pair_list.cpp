#include "backend/cpu/pair_list.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace uplift::cpu {
namespace {

constexpr int list_block = 16;  // i clusters a task

std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace

PairList::PairList(const System& system, double reach, const Threads& threads)
    : threads_(threads), reach_(reach), atoms_(system.size()) {
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
  std::vector<int> next(exclusion_start_.begin(), exclusion_start_.end() - 1);
  for (const auto& [i, j] : system.force_field.exclusions) {
    exclusion_[at(next[at(i)]++)] = j;
    exclusion_[at(next[at(j)]++)] = i;
  }
}

/// Columns over the xy plane, atoms in each by height, eight to a cluster, the last of a column filled up. Of every four, those
/// with Lennard-Jones parameters come first.
void PairList::sort_atoms(std::span<const Vec3d> x, const Box& box) {
  box_ = box;
  place_.resize(at(atoms_));
  Vec3d low{0, 0, 0}, extent{1, 1, 1};
  if (box.periodic()) {
    threads_.for_blocks(atoms_, 1024, [&](int begin, int end, int) {
      for (int i = begin; i < end; ++i) {
        const Vec3d s = box.fraction(x[at(i)]);
        const auto wrapped = [](double u) {
          return std::isfinite(u) ? u - std::floor(u) : 0;
        };  // not a number would break the sort
        place_[at(i)] = {wrapped(s.x), wrapped(s.y), wrapped(s.z)};
      }
    });
  } else if (atoms_ > 0) {
    std::copy(x.begin(), x.end(), place_.begin());
    Vec3d high = low = place_[0];
    for (const Vec3d& r : place_) {
      low = {std::min(low.x, r.x), std::min(low.y, r.y), std::min(low.z, r.z)};
      high = {std::max(high.x, r.x), std::max(high.y, r.y), std::max(high.z, r.z)};
    }
    extent = {std::max(high.x - low.x, 1e-3), std::max(high.y - low.y, 1e-3), std::max(high.z - low.z, 1e-3)};
  }
  // A column as wide as a cluster of eight is high, at the mean density.
  const Vec3d size = box.periodic() ? box.widths() : extent;
  const double edge = std::cbrt(8.0 * size.x * size.y * size.z / std::max(1, atoms_));
  const auto columns = [&](double length) { return std::clamp(static_cast<int>(length / edge), 1, 1024); };
  columns_x_ = columns(size.x);
  columns_y_ = columns(size.y);
  const auto column_of = [&](int i) {
    const Vec3d& r = place_[at(i)];
    const auto index = [](double u, int n) { return std::clamp(static_cast<int>(u * n), 0, n - 1); };
    return index((r.x - low.x) / extent.x, columns_x_) * columns_y_ + index((r.y - low.y) / extent.y, columns_y_);
  };
  std::vector<std::vector<int>> members(at(columns_x_ * columns_y_));
  for (int i = 0; i < atoms_; ++i) members[at(column_of(i))].push_back(i);
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
  for (const auto& m : members)
    column_start_.push_back(column_start_.back() + (static_cast<int>(m.size()) + cluster_j - 1) / cluster_j);
  atom_of_slot_.assign(at(column_start_.back() * cluster_j), -1);
  slot_of_atom_.resize(at(atoms_));
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

void PairList::list_partners(int i_cluster, std::vector<std::int32_t>& scratch, std::vector<PairEntry>& out) const {
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
    if (mask) out.push_back({j, mask});
  };
  // Clusters are taken once each, and only from the own cluster on: every pair has one home.
  if (!box_.periodic()) {
    for (int j = own; j < slots() / cluster_j; ++j) add(j);
    return;
  }
  const ClusterBounds bounds_i = bounds_i_.view(), bounds_j = bounds_j_.view();
  const auto columns_within = [&](int n, double width, double half) {
    return std::min(n, 2 * (static_cast<int>((reach_ / width + half) * n) + 1) + 1);
  };
  const Vec3d w = box_.widths();
  const int wide_x = columns_within(columns_x_, w.x, static_cast<double>(bounds_i.half_x[i_cluster]));
  const int wide_y = columns_within(columns_y_, w.y, static_cast<double>(bounds_i.half_y[i_cluster]));
  const int middle_x = std::clamp(static_cast<int>(bounds_i.x[i_cluster] * static_cast<float>(columns_x_)), 0, columns_x_ - 1);
  const int middle_y = std::clamp(static_cast<int>(bounds_i.y[i_cluster] * static_cast<float>(columns_y_)), 0, columns_y_ - 1);
  const auto& kernels = select_pair_kernels();
  scratch.resize(at(slots() / cluster_j) + 16);
  for (int dx = 0; dx < wide_x; ++dx)
    for (int dy = 0; dy < wide_y; ++dy) {
      const int cx = (middle_x + dx - wide_x / 2 + columns_x_) % columns_x_,
                cy = (middle_y + dy - wide_y / 2 + columns_y_) % columns_y_;
      const std::size_t column = at(cx * columns_y_ + cy);
      const int first = std::max(own, column_start_[column]), last = column_start_[column + 1];
      if (first >= last) continue;
      const int found = kernels.near(near_, bounds_i, i_cluster, bounds_j, first, last, scratch.data());
      for (int k = 0; k < found; ++k) add(scratch[at(k)]);
    }
}

void PairList::apply_exclusions(int i_cluster, std::vector<PairEntry>& entries, std::vector<int>& entry_of) const {
  for (std::size_t k = 0; k < entries.size(); ++k) entry_of[at(entries[k].j)] = static_cast<int>(k);
  for (int a = 0; a < cluster_i; ++a) {
    const int atom = atom_of_slot_[at(i_cluster * cluster_i + a)];
    if (atom < 0) continue;
    for (int e = exclusion_start_[at(atom)]; e < exclusion_start_[at(atom) + 1]; ++e) {
      const int slot = slot_of_atom_[at(exclusion_[at(e)])];
      const int entry = entry_of[at(slot / cluster_j)];
      if (entry >= 0) entries[at(entry)].mask &= ~(1u << (cluster_j * a + slot % cluster_j));
    }
  }
  for (const PairEntry& e : entries) entry_of[at(e.j)] = -1;
  std::erase_if(entries, [](const PairEntry& e) { return e.mask == 0; });
}

void PairList::build(std::span<const Vec3d> x, const Box& box) {
  sort_atoms(x, box);
  const int eights = slots() / cluster_j;
  filled_.resize(at(eights));
  if (box.periodic()) {
    bounds_i_.resize(i_clusters());
    bounds_j_.resize(eights);
    const Vec3d length = box.orthorhombic() ? Vec3d{box.a.x, box.b.y, box.c.z} : box.widths();
    near_ = {{static_cast<float>(length.x), static_cast<float>(length.y), static_cast<float>(length.z)},
             box.orthorhombic(),
             static_cast<float>(reach_ + 1e-6 * std::max({length.x, length.y, length.z}))};
  }
  threads_.for_blocks(eights, 128, [&](int begin, int end, int) {
    for (int j = begin; j < end; ++j) {
      filled_[at(j)] = filled(j * cluster_j, cluster_j);
      if (!box.periodic()) continue;
      set_bounds(bounds_j_, j, cluster_j);
      for (int i : {2 * j, 2 * j + 1}) set_bounds(bounds_i_, i, cluster_i);
    }
  });

  const int blocks = (i_clusters() + list_block - 1) / list_block;
  std::vector<std::vector<PairEntry>> found(at(blocks));
  start_.assign(at(i_clusters()) + 1, 0);
  std::vector<std::vector<int>> entry_of(at(threads_.count()));
  threads_.for_blocks(i_clusters(), list_block, [&](int begin, int end, int thread) {
    std::vector<int>& scratch = entry_of[at(thread)];
    if (scratch.empty()) scratch.assign(at(eights), -1);
    std::vector<PairEntry> entries;
    std::vector<std::int32_t> near;
    for (int i = begin; i < end; ++i) {
      list_partners(i, near, entries);
      apply_exclusions(i, entries, scratch);
      start_[at(i) + 1] = entries.size();
      auto& all = found[at(begin / list_block)];
      all.insert(all.end(), entries.begin(), entries.end());
    }
  });
  std::partial_sum(start_.begin(), start_.end(), start_.begin());
  entries_.resize(start_.back());
  threads_.for_each(blocks, [&](int b, int) {
    std::copy(found[at(b)].begin(), found[at(b)].end(),
              entries_.begin() + static_cast<std::ptrdiff_t>(start_[at(b * list_block)]));
  });
  inner_.resize(entries_.size());
  inner_count_.assign(at(i_clusters()), 0);
}

void PairList::restore_inner() {
  std::copy(entries_.begin(), entries_.end(), inner_.begin());
  for (int i = 0; i < i_clusters(); ++i) inner_count_[at(i)] = static_cast<int>(size_(i));
}

}  // namespace uplift::cpu
