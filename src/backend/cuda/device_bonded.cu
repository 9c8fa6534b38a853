// Bonded interactions and position restraints on the device.
#include <cuda/bonded.cuh>
#include <cuda/restraints.cuh>

#include "backend/cuda/device_force.cuh"

namespace uplift::UPLIFT_DEVICE {
namespace {

class Bonded final : public DeviceForce {
 public:
  Bonded(const System& system, bool torsions, bool mixed) : mixed_(mixed), table_(cmap_table(system.force_field)) {
    for (const BondedRows& rows : bonded_rows(system.force_field, system.torsions_apart, torsions)) {
      std::vector<int> atoms, start;
      std::vector<double> parameters;
      for (const BondedRow& row : rows.rows) {
        atoms.insert(atoms.end(), row.atoms.begin(), row.atoms.begin() + rows.atoms_per_row);
        parameters.insert(parameters.end(), row.parameters.begin(), row.parameters.end());
        start.push_back(row.table_start);
      }
      lists_.push_back({DeviceBuffer<int>(atoms), DeviceBuffer<int>(start), DeviceBuffer<double>(parameters), {}});
      List& list = lists_.back();
      list.view = {rows.kind,
                   static_cast<int>(rows.rows.size()),
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
  }
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
    DeviceBuffer<int> atoms, table_start;
    DeviceBuffer<double> parameters;
    BondedView view;
  };
  bool mixed_;
  DeviceBuffer<double> table_;
  std::vector<List> lists_;
};

class Restraints final : public DeviceForce {
 public:
  bool steady(const Box& box) const override { return !centre_.empty() && box == at_; }
  explicit Restraints(const System& system) : restraints_(system.position_restraints), box_(system.reference_box) {
    std::vector<int> atoms;
    std::vector<Vec3d> arm;
    std::vector<double> k;
    for (const PositionRestraint& r : restraints_) {
      atoms.push_back(r.atom);
      arm.push_back(r.reference - r.centre);
      k.push_back(r.k);
    }
    atoms_ = DeviceBuffer<int>(atoms);
    arm_ = DeviceBuffer<Vec3d>(arm);
    k_ = DeviceBuffer<double>(k);
  }
  void compute(const Request& r, cudaStream_t stream) override {
    if (centre_.empty() || r.box != at_) {
      std::vector<Vec3d> centre;
      for (const PositionRestraint& one : restraints_)
        centre.push_back(box_.periodic() && r.box.periodic() ? r.box.position(box_.fraction(one.centre)) : one.centre);
      centre_ = DeviceBuffer<Vec3d>(centre);
      at_ = r.box;
    }
    r.wait_for_sums(stream);
    launch_restraints({static_cast<int>(restraints_.size()), atoms_.data(), centre_.data(), arm_.data(), k_.data()}, r.x,
                      image_cell(r.box), r.sums, r.tally, stream);
  }

 private:
  std::vector<PositionRestraint> restraints_;
  Box box_, at_;
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
