// The bonded term: sorts the system's bonded interactions into padded lists of one kind each, runs the SIMD kernels on blocks
// of them, and adds up per atom. Every interaction writes its forces to places of its own; each atom then reads its places in a
// fixed order. So no two tasks write to one word, and the number of threads cannot be seen in the result.
#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "cpu/bonded_kernels.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/model/bonded_rows.hpp"

namespace uplift::cpu {
namespace {

constexpr int block_of_terms = 256;
constexpr int block_of_atoms = 512;
static_assert(block_of_terms % bonded_pad == 0);

std::size_t index(int i) { return static_cast<std::size_t>(i); }

/// Interactions of one kind. `strengths` are the parameters that padding sets to zero.
template <class Work>
struct PackedRows {
  int atoms_per_term, terms = 0, padded = 0, order = 0;
  Buffer<int> atoms, table_start;
  Buffer<Work> parameters;

  PackedRows(const std::vector<BondedRow>& rows, int atoms_in_term, int parameters_in_term, int first_strength)
      : atoms_per_term(atoms_in_term), terms(static_cast<int>(rows.size())) {
    padded = (terms + bonded_pad - 1) / bonded_pad * bonded_pad;
    atoms.resize(index(padded * atoms_in_term));
    table_start.resize(index(padded));
    parameters.resize(index(padded) * index(parameters_in_term));
    for (int t = 0; t < padded; ++t) {
      const BondedRow& row = rows[index(std::min(t, terms - 1))];
      UPLIFT_ASSERT(static_cast<int>(row.parameters.size()) == parameters_in_term);
      for (int a = 0; a < atoms_in_term; ++a) atoms[index(a * padded + t)] = 3 * row.atoms[index(a)];
      table_start[index(t)] = row.table_start;
      for (int p = 0; p < parameters_in_term; ++p) {
        const bool padding = t >= terms && p >= first_strength;
        parameters[index(p) * index(padded) + index(t)] = padding ? Work(0) : static_cast<Work>(row.parameters[index(p)]);
      }
    }
  }
};

/// A packed list with its kernel and the energy terms it counts towards.
template <class Real>
struct Group {
  EnergyTerm first, second;
  int terms, padded, atoms_per_term;
  const int* atoms;
  int slots = 0;  ///< where its forces start in the slot arrays
  std::function<void(BondedTask&, Real* x, Real* y, Real* z)> run;
};

physics::ImageCell image_cell(const Box& box) {
  if (!box.periodic()) return {};
  return {box.a.x, box.b.x, box.b.y, box.c.x, box.c.y, box.c.z, 1 / box.a.x, 1 / box.b.y, 1 / box.c.z};
}

template <class Real>
class BondedTerm final : public ForceTerm {
 public:
  BondedTerm(const System& system, bool torsions, const Threads& threads, const BondedKernelSet<Real>& kernels)
      : torsions_(torsions), atoms_(system.size()), threads_(threads) {
    const std::vector<double> table = cmap_table(system.force_field);
    cmap_table_.resize(table.size());
    std::copy(table.begin(), table.end(), cmap_table_.begin());
    for (const BondedRows& list : bonded_rows(system.force_field, system.torsions_apart, torsions)) switch (list.kind) {
        case BondedKind::bond:
          add<double>(list, kernels.bond);
          break;
        case BondedKind::angle:
          add<double>(list, kernels.angle);
          break;
        case BondedKind::dihedral:
          add<Real>(list, kernels.dihedral);
          break;
        case BondedKind::improper:
          add<Real>(list, kernels.improper);
          break;
        case BondedKind::cmap:
          add<double>(list, kernels.cmap);
          break;
        case BondedKind::pair14:
          add<Real>(list, kernels.pair14);
      }
    finish();
  }

  std::string name() const override { return torsions_ ? "boosted torsions" : "bonded"; }
  ForceGroup group() const override { return torsions_ ? ForceGroup::torsions : ForceGroup::bonded; }

  void compute(const ForceRequest& request, ForceSums& sums) override {
    UPLIFT_EXPECT(static_cast<int>(request.x.size()) == atoms_);
    const physics::ImageCell cell = image_cell(request.box);
    threads_.for_each(static_cast<int>(blocks_.size()), [&](int number, int) {
      const Block& block = blocks_[index(number)];
      const Group<Real>& group = groups_[index(block.group)];
      BondedTask task{&request.x.data()->x, cell, block.first, block.last, request.energies, request.virial, {}, {}};
      group.run(task, slot_x_.data() + group.slots, slot_y_.data() + group.slots, slot_z_.data() + group.slots);
      if (request.energies) {
        sums.add_energy_atomic(group.first, task.energy[0]);
        if (group.second != group.first) sums.add_energy_atomic(group.second, task.energy[1]);
      }
      if (request.virial)
        for (int w = 0; w < 9; ++w) sums.add_virial_atomic(w, task.virial_sum[w]);
    });
    threads_.for_blocks(static_cast<int>(touched_.size()), block_of_atoms, [&](int first, int last, int) {
      for (int n = first; n < last; ++n) {
        double x = 0, y = 0, z = 0;
        for (int s = slot_begin_[index(n)]; s < slot_begin_[index(n + 1)]; ++s) {
          const std::size_t slot = index(slot_of_[index(s)]);
          x += static_cast<double>(slot_x_[slot]);
          y += static_cast<double>(slot_y_[slot]);
          z += static_cast<double>(slot_z_[slot]);
        }
        Fixed* f = sums.force.data() + 3 * index(touched_[index(n)]);
        f[0] += fixed_force(x);
        f[1] += fixed_force(y);
        f[2] += fixed_force(z);
      }
    });
  }

  bool empty() const { return groups_.empty(); }

 private:
  struct Block {
    int group, first, last;
  };

  template <class Work>
  void add(const BondedRows& rows, void (*kernel)(const BondedList<Real, Work>&, BondedTask&)) {
    for (const BondedRow& row : rows.rows)
      for (int a = 0; a < rows.atoms_per_row; ++a) UPLIFT_EXPECT(row.atoms[index(a)] >= 0 && row.atoms[index(a)] < atoms_);
    auto packed =
        std::make_shared<const PackedRows<Work>>(rows.rows, rows.atoms_per_row, rows.parameters_per_row, rows.first_strength);
    const double* table = cmap_table_.data();
    auto run = [packed, kernel, order = rows.order, table](BondedTask& task, Real* x, Real* y, Real* z) {
      BondedList<Real, Work> list{{}, packed->parameters.data(), table, packed->table_start.data(), order, packed->padded, x, y,
                                  z};
      for (int a = 0; a < packed->atoms_per_term; ++a) list.atoms[a] = packed->atoms.data() + a * packed->padded;
      kernel(list, task);
    };
    groups_.push_back(
        {rows.first, rows.second, packed->terms, packed->padded, rows.atoms_per_row, packed->atoms.data(), 0, std::move(run)});
  }

  /// Places for the forces, the list of places of each atom, and the blocks of work.
  void finish() {
    int slots = 0;
    std::vector<std::vector<int>> slots_of(index(atoms_));
    for (int g = 0; g < static_cast<int>(groups_.size()); ++g) {
      Group<Real>& group = groups_[index(g)];
      group.slots = slots;
      for (int t = 0; t < group.terms; ++t)
        for (int a = 0; a < group.atoms_per_term; ++a)
          slots_of[index(group.atoms[a * group.padded + t] / 3)].push_back(slots + a * group.padded + t);
      for (int first = 0; first < group.padded; first += block_of_terms)
        blocks_.push_back({g, first, std::min(first + block_of_terms, group.padded)});
      slots += group.padded * group.atoms_per_term;
    }
    slot_x_.resize(index(slots));
    slot_y_.resize(index(slots));
    slot_z_.resize(index(slots));
    slot_begin_.push_back(0);
    for (int atom = 0; atom < atoms_; ++atom) {
      const std::vector<int>& places = slots_of[index(atom)];
      if (places.empty()) continue;
      touched_.push_back(atom);
      slot_of_.insert(slot_of_.end(), places.begin(), places.end());
      slot_begin_.push_back(static_cast<int>(slot_of_.size()));
    }
  }

  bool torsions_;
  int atoms_;
  Threads threads_;
  Buffer<double> cmap_table_;
  std::vector<Group<Real>> groups_;
  std::vector<Block> blocks_;
  Buffer<Real> slot_x_, slot_y_, slot_z_;  ///< force of each interaction on each of its atoms [kJ/mol/nm]
  std::vector<int> touched_;               ///< atoms with bonded interactions
  std::vector<int> slot_begin_, slot_of_;  ///< places of touched atom n: slot_of_[slot_begin_[n] ... slot_begin_[n + 1])
};

template <class Real>
std::unique_ptr<ForceTerm> make(const System& system, bool torsions, const Threads& threads,
                                const BondedKernelSet<Real>& kernels) {
  auto term = std::make_unique<BondedTerm<Real>>(system, torsions, threads, kernels);
  if (term->empty()) return nullptr;
  return term;
}
std::unique_ptr<ForceTerm> make(const System& system, bool torsions, Precision precision, const Threads& threads) {
  const BondedKernels& kernels = select_bonded_kernels();
  if (precision == Precision::mixed) return make(system, torsions, threads, kernels.mixed);
  return make(system, torsions, threads, kernels.double_);
}

}  // namespace

std::unique_ptr<ForceTerm> make_bonded_term(const System& system, Precision precision, const Threads& threads) {
  return make(system, false, precision, threads);
}
std::unique_ptr<ForceTerm> make_torsion_term(const System& system, Precision precision, const Threads& threads) {
  return make(system, true, precision, threads);
}

}  // namespace uplift::cpu
