// Bonded interactions and position restraints on the device.
#include <cuda/bonded.cuh>
#include <cuda/restraints.cuh>

#include <stdexcept>

#include "backend/cuda/device_force.cuh"
#include "uplift/backend/box_numbers.hpp"
#include "uplift/backend/row_index.hpp"

namespace uplift::UPLIFT_DEVICE {
namespace {

class Bonded final : public DeviceForce {
 public:
  Bonded(const System& system, bool torsions, bool mixed) : mixed_(mixed), table_(cmap_table(system.force_field)) {
    for (BondedRows& rows : bonded_rows(system.force_field, system.torsions_apart, torsions)) {
      const RowIndex by_atom(system.size(), rows.rows.size(), [&](std::size_t r) { return rows.rows[r].atoms[0]; });
      std::vector<std::size_t> all(rows.rows.size());
      std::iota(all.begin(), all.end(), std::size_t(0));
      lists_.push_back({std::move(rows), by_atom, {}, {}, {}, {}});
      put(lists_.back(), all, nullptr);
    }
  }
  void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box, cudaStream_t stream) override {
    interactions_ = 0;
    for (List& list : lists_) {
      const auto atoms_of = [&](std::size_t r) {
        return std::span<const int>(list.rows.rows[r].atoms).first(static_cast<std::size_t>(list.rows.atoms_per_row));
      };
      put(list, list.by_atom.taken(share, x, box, atoms_of), stream);
    }
  }
  std::int64_t interactions() const override { return interactions_; }
  void compute(const Request& r, cudaStream_t stream) override {
    r.wait_for_sums(stream);
    for (std::size_t first = 0; first < lists_.size(); first += most_bonded_lists) {
      BondedLists lists{};
      for (std::size_t k = first; k < lists_.size() && lists.count < most_bonded_lists; ++k)
        lists.list[lists.count++] = lists_[k].view;
      launch_bonded(lists, r.x, image_cell(r.box), r.sums, r.tally, mixed_, stream);
    }
  }

 private:
  struct List {
    BondedRows rows;  ///< of the system
    RowIndex by_atom;
    DeviceBuffer<int> atoms, table_start;
    DeviceBuffer<double> parameters;
    BondedView view;
  };

  /// The chosen rows of a list to the device; they are there when `stream` has come so far.
  void put(List& list, const std::vector<std::size_t>& chosen, cudaStream_t stream) {
    const BondedRows& rows = list.rows;
    std::vector<int> atoms, start;
    std::vector<double> parameters;
    for (std::size_t r : chosen) {
      const BondedRow& row = rows.rows[r];
      atoms.insert(atoms.end(), row.atoms.begin(), row.atoms.begin() + rows.atoms_per_row);
      parameters.insert(parameters.end(), row.parameters.begin(), row.parameters.end());
      start.push_back(row.table_start);
    }
    list.atoms.upload_to_front(atoms, stream);
    list.table_start.upload_to_front(start, stream);
    list.parameters.upload_to_front(parameters, stream);
    check(cudaStreamSynchronize(stream), "wait for the device");  // the vectors go
    interactions_ += static_cast<std::int64_t>(chosen.size());
    list.view = {rows.kind,
                 static_cast<int>(chosen.size()),
                 rows.atoms_per_row,
                 rows.parameters_per_row,
                 rows.order,
                 list.atoms.data(),
                 list.parameters.data(),
                 list.table_start.data(),
                 table_.data(),
                 static_cast<int>(rows.first),
                 static_cast<int>(rows.second)};
  }

  bool mixed_;
  std::int64_t interactions_ = 0;
  DeviceBuffer<double> table_;
  std::vector<List> lists_;
};

class Restraints final : public DeviceForce {
 public:
  bool sees_halo() const override { return false; }
  explicit Restraints(const System& system) : all_(system.position_restraints), restraints_(all_), box_(system.reference_box) {
    put(nullptr);
  }
  void set_share(const RankShare& share, std::span<const Vec3d>, const Box&, cudaStream_t stream) override {
    restraints_.clear();
    for (const PositionRestraint& r : all_)
      if (share.at_home(r.atom)) restraints_.push_back(r);
    put(stream);
  }
  std::int64_t interactions() const override { return static_cast<std::int64_t>(restraints_.size()); }
  void compute(const Request& r, cudaStream_t stream) override {
    if (box_.periodic() && !r.box.periodic()) throw std::logic_error("restraints of a system with another kind of box");
    r.wait_for_sums(stream);
    launch_restraints(
        {static_cast<int>(restraints_.size()), atoms_.data(), centre_.data(), arm_.data(), k_.data(), box_.periodic()}, r.x,
        image_cell(r.box), r.sums, r.tally, stream);
  }

 private:
  void put(cudaStream_t stream) {
    std::vector<int> atoms;
    std::vector<Vec3d> centre, arm;
    std::vector<double> k;
    for (const PositionRestraint& r : restraints_) {
      atoms.push_back(r.atom);
      centre.push_back(box_.periodic() ? box_.fraction(r.centre) : r.centre);
      arm.push_back(r.reference - r.centre);
      k.push_back(r.k);
    }
    atoms_.upload_to_front(atoms, stream);
    centre_.upload_to_front(centre, stream);
    arm_.upload_to_front(arm, stream);
    k_.upload_to_front(k, stream);
    check(cudaStreamSynchronize(stream), "wait for the device");  // the vectors go
  }

  std::vector<PositionRestraint> all_, restraints_;  ///< the latter: those of this rank
  Box box_;                                          ///< that centres are of
  DeviceBuffer<int> atoms_;
  DeviceBuffer<Vec3d> centre_, arm_;
  DeviceBuffer<double> k_;
};

}  // namespace

std::unique_ptr<DeviceForce> make_device_bonded(const System& system, Precision precision) {
  return std::make_unique<Bonded>(system, false, precision == Precision::mixed);
}
std::unique_ptr<DeviceForce> make_device_torsions(const System& system, Precision precision) {
  return system.torsions_apart == TorsionGroup::none ? nullptr
                                                     : std::make_unique<Bonded>(system, true, precision == Precision::mixed);
}
std::unique_ptr<DeviceForce> make_device_restraints(const System& system) {
  return system.position_restraints.empty() ? nullptr : std::make_unique<Restraints>(system);
}

}  // namespace uplift::UPLIFT_DEVICE
