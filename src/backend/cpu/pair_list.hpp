#pragma once
// Which clusters may interact. An outer list with a generous buffer is built on a grid now and then; an inner one, pruned from
// it with a thin buffer, is what the pair loop runs over. Both are exact: each is renewed before any atom has moved half of its
// buffer.
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "cpu/pair_kernels.hpp"
#include "cpu/threads.hpp"
#include "uplift/backend/lj_rules.hpp"
#include "uplift/backend/rank_link.hpp"
#include "uplift/core/box.hpp"
#include "uplift/model/system.hpp"

namespace uplift::cpu {

class PairList {
 public:
  /// `reach` [nm]: cutoff plus outer buffer; infinite: every pair of clusters.
  PairList(const System& system, double reach, const Threads& threads);
  /// Entries that may have exceptions come last from the next build on.
  void set_exceptions(ExceptionMarks marks) { marks_ = std::move(marks); }

  /// Sorts atoms into clusters and lists cluster pairs for these positions; with a share, of the atoms that are here, and of
  /// their pairs those that are this rank's: no cluster then has atoms of two zones.
  void build(std::span<const Vec3d> x, const Box& box, const RankShare* share = nullptr);
  /// Inner list = outer list; prune() then works on it.
  void restore_inner();

  int slots() const { return static_cast<int>(atom_of_slot_.size()); }
  int i_clusters() const { return slots() / cluster_i; }
  const std::vector<int>& atom_of_slot() const { return atom_of_slot_; }  ///< -1: filler
  std::span<const PairEntry> outer(int i) const {
    return {entries(outer_, i), static_cast<std::size_t>(outer_count_[index(i)])};
  }
  /// As long as outer(i).
  std::span<PairEntry> inner_room(int i) {
    return {inner_[index(i / list_block)].data() + first_[index(i)], static_cast<std::size_t>(outer_count_[index(i)])};
  }
  std::span<const PairEntry> inner(int i) const {
    return {entries(inner_, i), static_cast<std::size_t>(inner_count_[index(i)])};
  }
  /// Entries of inner(i) before the first that may have exceptions.
  int ruled(int i) const;
  void set_inner_count(int i_cluster, int count) { inner_count_[index(i_cluster)] = count; }

 private:
  static constexpr int list_block = 16;  ///< i clusters that a thread lists in one go

  /// ClusterBounds of all clusters of one size.
  struct Bounds {
    std::array<std::vector<float>, 6> value;
    void resize(int clusters);
    ClusterBounds view() const;
  };
  /// Steps of height, from and to; two where they go round the end of the cell, the lower one first.
  struct Heights {
    std::pair<int, int> first{0, -1}, second{0, -1};
  };
  /// Columns along x or y, as an i cluster sees them. Places are fractions of the cell.
  struct Across {
    int columns;
    double low, width;      ///< where the first one begins, and of each
    double centre, half;    ///< of the cluster
    double period, length;  ///< 1, or 0 where coordinates do not wrap round; of the cell [nm]

    std::pair<int, int> within(double reach) const;
    double gap(int column) const;
  };
  struct Scratch {
    std::vector<std::int32_t> near;
    std::vector<double> gaps;
  };
  using Blocks = std::vector<std::vector<PairEntry>>;
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  const PairEntry* entries(const Blocks& of, int i) const { return of[index(i / list_block)].data() + first_[index(i)]; }

  void place_atoms(std::span<const Vec3d> x, const Box& box);
  void sort_atoms(const Box& box);
  void part_images(int i_cluster, int j_cluster, std::uint32_t& mask) const;
  void set_bounds(Bounds& bounds, int cluster, int size) const;
  void index_heights();
  Heights heights_near(int i_cluster) const;
  std::array<std::pair<int, int>, 2> clusters_within(std::size_t column, const Heights& window, int own) const;
  Across across(int i_cluster, int d) const;
  void list_partners(int i_cluster, Scratch& scratch, std::vector<PairEntry>& out) const;
  std::uint32_t filled(int first_slot, int count) const;
  void apply_exclusions(int i_cluster, std::vector<PairEntry>& entries, std::vector<int>& entry_of) const;
  void mark_clusters();
  bool may_have_exceptions(int i_cluster, int j_cluster) const {
    return !own_marks_.empty() && (partner_marks_[index(i_cluster)] & own_marks_[index(j_cluster)]) != 0;
  }

  const Threads& threads_;
  double reach_;
  int atoms_;
  std::vector<int> exclusion_start_, exclusion_;  ///< partners of each atom, both directions
  std::vector<char> has_lj_;                      ///< [atoms]
  const std::vector<int>& lj_type_;               ///< [atoms]
  ExceptionMarks marks_;
  Box box_;
  const RankShare* share_ = nullptr;  ///< while building
  std::vector<int> local_;            ///< atoms that are listed
  std::vector<Vec3d> place_;  ///< [atoms] in the cell, as fractions or nm; along directions that are cut as in RankShare::place
  Vec3d low_{0, 0, 0}, extent_{1, 1, 1};  ///< of the places
  int columns_x_ = 1, columns_y_ = 1;
  std::vector<int> zones_;          ///< that have clusters, ascending
  std::vector<int> column_start_;   ///< first cluster of eight of each column, zone by zone
  std::vector<std::uint8_t> zone_;  ///< of each cluster of eight
  int heights_ = 0;                 ///< steps along z; 0: columns are so short that they are looked at whole
  std::vector<int> first_above_;    ///< [columns][heights + 1] first cluster that reaches to the lower end of a step or above
  std::vector<int> atom_of_slot_, slot_of_atom_;
  std::vector<std::uint32_t> filled_;                     ///< of each cluster of eight
  std::vector<std::uint64_t> own_marks_, partner_marks_;  ///< of clusters of eight; of clusters of four
  Bounds bounds_i_, bounds_j_;                            ///< empty without a box: everything is near
  NearParameters near_{};
  Blocks outer_, inner_;                                ///< [blocks of i clusters], kept from list to list
  std::vector<int> first_, outer_count_, inner_count_;  ///< [i clusters] entries in their block
};

}  // namespace uplift::cpu
