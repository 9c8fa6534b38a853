#pragma once
// What kernels of pairs read of a system: charges, types, exclusions, and Lennard-Jones parameters.
#include <cuda/device_buffer.cuh>
#include <cuda/pairs.cuh>

#include <algorithm>
#include <vector>

#include "uplift/backend/lj_rules.hpp"
#include "uplift/model/system.hpp"

namespace uplift::UPLIFT_DEVICE {

class PairTables {
 public:
  explicit PairTables(const System& system)
      : atoms_(system.size()), charge_(system.force_field.charges), type_(system.force_field.lj_type) {
    std::vector<std::vector<int>> excluded(static_cast<std::size_t>(atoms_));
    for (const auto& [i, j] : system.force_field.exclusions) {
      excluded[static_cast<std::size_t>(i)].push_back(j);
      excluded[static_cast<std::size_t>(j)].push_back(i);
    }
    std::vector<int> start{0}, all;
    for (std::vector<int>& of : excluded) {
      std::sort(of.begin(), of.end());
      all.insert(all.end(), of.begin(), of.end());
      start.push_back(static_cast<int>(all.size()));
    }
    exclusion_start_ = DeviceBuffer<int>(start);
    exclusions_ = DeviceBuffer<int>(all);
  }
  PairsView view() const { return {atoms_, charge_.data(), type_.data(), exclusion_start_.data(), exclusions_.data()}; }

 private:
  int atoms_;
  DeviceBuffer<double> charge_;
  DeviceBuffer<int> type_, exclusion_start_, exclusions_;
};

/// Lennard-Jones parameters as kernels want them. By the table alone without rules, and in double precision, which is for
/// comparisons.
template <class real>
class LjTables {
 public:
  explicit LjTables(const ForceField& ff) : types_(ff.lj_types) {
    std::vector<LennardJones<real>> table;
    for (std::size_t k = 0; k < ff.lj_c6.size(); ++k)
      table.push_back({static_cast<real>(ff.lj_c6[k]), static_cast<real>(ff.lj_c12[k])});
    all_ = DeviceBuffer<LennardJones<real>>(table);
    const LjRules rules(ff);
    if (sizeof(real) == 8 || rules.rule == LjRule::none) return;
    kind_ = rules.rule == LjRule::geometric ? LjKind::geometric : LjKind::lorentz_berthelot;
    std::vector<RuledLj<real>> of_type;
    for (std::size_t t = 0; t < rules.first.size(); ++t)
      of_type.push_back({static_cast<real>(rules.first[t]), static_cast<real>(rules.second[t])});
    of_type_ = DeviceBuffer<RuledLj<real>>(of_type);
    if (rules.exception.empty()) return;
    kind_ = LjKind::exceptions;
    for (std::size_t k = 0; k < table.size(); ++k)
      if (!rules.exception[k]) table[k] = {0, -1};
    exceptions_ = DeviceBuffer<LennardJones<real>>(table);
    const ExceptionMarks marks(rules.exception);
    own_mark_ = DeviceBuffer<std::uint64_t>(marks.own);
    partner_marks_ = DeviceBuffer<std::uint64_t>(marks.partners);
  }

  LjKind kind() const { return kind_; }
  void put(PairParameters<real>& p) const {
    p.types = types_;
    p.lj = all_.data();
    p.exceptions = exceptions_.data();
    p.kind = kind_;
  }
  /// Null where there is no such thing.
  const RuledLj<real>* of_type() const { return of_type_.data(); }
  const std::uint64_t* own_mark() const { return own_mark_.data(); }
  const std::uint64_t* partner_marks() const { return partner_marks_.data(); }

 private:
  int types_;
  LjKind kind_ = LjKind::table;
  DeviceBuffer<LennardJones<real>> all_, exceptions_;
  DeviceBuffer<RuledLj<real>> of_type_;
  DeviceBuffer<std::uint64_t> own_mark_, partner_marks_;
};

}  // namespace uplift::UPLIFT_DEVICE
