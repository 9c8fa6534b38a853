#pragma once
// Which clusters may interact. An outer list with a generous buffer is built on a grid now and then; an inner one, pruned from
// it with a thin buffer, is what the pair loop runs over. Both are exact: each is renewed before any atom has moved half of its
// buffer.
#include <array>
#include <span>
#include <vector>

#include "cpu/pair_kernels.hpp"
#include "cpu/threads.hpp"
#include "uplift/backend/rank_link.hpp"
#include "uplift/core/box.hpp"
#include "uplift/model/system.hpp"

namespace uplift::cpu {

class PairList {
 public:
  /// `reach` [nm]: cutoff plus outer buffer; infinite: every pair of clusters.
  PairList(const System& system, double reach, const Threads& threads);

  /// Sorts atoms into clusters and lists cluster pairs for these positions; with a share, of the atoms that are here, and of
  /// their pairs those that are this rank's: no cluster then has atoms of two zones.
  void build(std::span<const Vec3d> x, const Box& box, const RankShare* share = nullptr);
  /// Inner list = outer list; prune() then works on it.
  void restore_inner();

  int slots() const { return static_cast<int>(atom_of_slot_.size()); }
  int i_clusters() const { return slots() / cluster_i; }
  const std::vector<int>& atom_of_slot() const { return atom_of_slot_; }  ///< -1: filler
  std::span<const PairEntry> outer(int i_cluster) const { return range(entries_, i_cluster); }
  std::span<PairEntry> inner_room(int i_cluster) { return {inner_.data() + first(i_cluster), size_(i_cluster)}; }
  std::span<const PairEntry> inner(int i_cluster) const {
    return {inner_.data() + first(i_cluster), static_cast<std::size_t>(inner_count_[static_cast<std::size_t>(i_cluster)])};
  }
  void set_inner_count(int i_cluster, int count) { inner_count_[static_cast<std::size_t>(i_cluster)] = count; }

 private:
  /// ClusterBounds of all clusters of one size.
  struct Bounds {
    std::array<std::vector<float>, 6> value;
    void resize(int clusters);
    ClusterBounds view() const;
  };
  std::size_t first(int i) const { return start_[static_cast<std::size_t>(i)]; }
  std::size_t size_(int i) const { return start_[static_cast<std::size_t>(i) + 1] - start_[static_cast<std::size_t>(i)]; }
  std::span<const PairEntry> range(const std::vector<PairEntry>& v, int i) const { return {v.data() + first(i), size_(i)}; }

  void place_atoms(std::span<const Vec3d> x, const Box& box);
  void sort_atoms(const Box& box);
  void part_images(int i_cluster, int j_cluster, std::uint32_t& mask) const;
  void set_bounds(Bounds& bounds, int cluster, int size) const;
  void list_partners(int i_cluster, std::vector<std::int32_t>& scratch, std::vector<PairEntry>& out) const;
  std::uint32_t filled(int first_slot, int count) const;
  void apply_exclusions(int i_cluster, std::vector<PairEntry>& entries, std::vector<int>& entry_of) const;

  const Threads& threads_;
  double reach_;
  int atoms_;
  std::vector<int> exclusion_start_, exclusion_;  ///< partners of each atom, both directions
  std::vector<char> has_lj_;                      ///< [atoms]
  Box box_;
  const RankShare* share_ = nullptr;  ///< while building
  std::vector<int> local_;            ///< atoms that are listed
  std::vector<Vec3d> place_;  ///< [atoms] in the cell, as fractions or nm; along directions that are cut as in RankShare::place
  Vec3d low_{0, 0, 0}, extent_{1, 1, 1};  ///< of the places
  int columns_x_ = 1, columns_y_ = 1;
  std::vector<int> zones_;          ///< that have clusters, ascending
  std::vector<int> column_start_;   ///< first cluster of eight of each column, zone by zone
  std::vector<std::uint8_t> zone_;  ///< of each cluster of eight
  std::vector<int> atom_of_slot_, slot_of_atom_;
  std::vector<std::uint32_t> filled_;  ///< of each cluster of eight
  Bounds bounds_i_, bounds_j_;         ///< empty without a box: everything is near
  NearParameters near_{};
  std::vector<std::size_t> start_;  ///< of each i cluster's entries
  std::vector<PairEntry> entries_, inner_;
  std::vector<int> inner_count_;
};

}  // namespace uplift::cpu
