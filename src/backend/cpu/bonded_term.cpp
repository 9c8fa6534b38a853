// The bonded term: sorts the system's bonded interactions into padded lists of one kind each, runs the SIMD kernels on blocks
// of them, and adds up per atom. Every interaction writes its forces to places of its own; each atom then reads its places in a
// fixed order. So no two tasks write to one word, and the number of threads cannot be seen in the result.
#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "cpu/bonded_kernels.hpp"
#include "uplift/backend/box_numbers.hpp"
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

  /// Those of `rows` that `chosen` names.
  PackedRows(const std::vector<BondedRow>& rows, const std::vector<int>& chosen, int atoms_in_term, int parameters_in_term,
             int first_strength)
      : atoms_per_term(atoms_in_term), terms(static_cast<int>(chosen.size())) {
    padded = (terms + bonded_pad - 1) / bonded_pad * bonded_pad;
    atoms.resize(index(padded * atoms_in_term));
    table_start.resize(index(padded));
    parameters.resize(index(padded) * index(parameters_in_term));
    for (int t = 0; t < padded; ++t) {
      const BondedRow& row = rows[index(chosen[index(std::min(t, terms - 1))])];
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

/// To the nearest multiple of 2^-32 kJ/mol/nm: sums of such numbers (below 2^20) are exact, however terms are shared out.
template <class Real>
double on_lattice(Real force) {
  constexpr double magic = 0x1.8p20;
  return (static_cast<double>(force) + magic) - magic;
}

template <class Real>
class BondedTerm final : public ForceTerm {
 public:
  BondedTerm(const System& system, bool torsions, const Threads& threads, const BondedKernelSet<Real>& kernels)
      : torsions_(torsions), atoms_(system.size()), threads_(threads), kernels_(kernels) {
    const std::vector<double> table = cmap_table(system.force_field);
    cmap_table_.resize(table.size());
    std::copy(table.begin(), table.end(), cmap_table_.begin());
    for (BondedRows& rows : bonded_rows(system.force_field, system.torsions_apart, torsions)) {
      List list{std::move(rows), std::vector<int>(index(atoms_) + 1, 0), {}};
      for (const BondedRow& row : list.rows.rows) {
        for (int a = 0; a < list.rows.atoms_per_row; ++a)
          UPLIFT_EXPECT(row.atoms[index(a)] >= 0 && row.atoms[index(a)] < atoms_);
        ++list.start[index(row.atoms[0]) + 1];
      }
      std::partial_sum(list.start.begin(), list.start.end(), list.start.begin());
      list.of_atom.resize(list.rows.rows.size());
      std::vector<int> next(list.start.begin(), list.start.end() - 1);
      for (std::size_t r = 0; r < list.rows.rows.size(); ++r)
        list.of_atom[index(next[index(list.rows.rows[r].atoms[0])]++)] = static_cast<int>(r);
      lists_.push_back(std::move(list));
    }
    touched_place_.assign(index(atoms_), -1);
    std::vector<std::vector<int>> chosen(lists_.size());
    for (std::size_t l = 0; l < lists_.size(); ++l) {
      chosen[l].resize(lists_[l].rows.rows.size());
      std::iota(chosen[l].begin(), chosen[l].end(), 0);
    }
    pack(chosen);
  }

  void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box) override {
    std::vector<std::vector<int>> chosen(lists_.size());
    for (std::size_t l = 0; l < lists_.size(); ++l) {
      const List& list = lists_[l];
      share.for_local([&](int atom) {
        for (int k = list.start[index(atom)]; k < list.start[index(atom) + 1]; ++k) {
          const BondedRow& row = list.rows.rows[index(list.of_atom[index(k)])];
          if (share.takes(std::span(row.atoms).first(index(list.rows.atoms_per_row)), x, box))
            chosen[l].push_back(list.of_atom[index(k)]);
        }
      });
    }
    pack(chosen);
  }
  std::int64_t interactions() const override { return interactions_; }

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
          x += on_lattice(slot_x_[slot]);
          y += on_lattice(slot_y_[slot]);
          z += on_lattice(slot_z_[slot]);
        }
        Fixed* f = sums.force.data() + 3 * index(touched_[index(n)]);
        f[0] += fixed_force(x);
        f[1] += fixed_force(y);
        f[2] += fixed_force(z);
      }
    });
  }

  bool empty() const { return lists_.empty(); }

 private:
  /// All interactions of one kind, and those whose first atom is a given one.
  struct List {
    BondedRows rows;
    std::vector<int> start, of_atom;
  };

  /// The chosen rows of each list, ready for the kernels.
  void pack(const std::vector<std::vector<int>>& chosen) {
    groups_.clear();
    blocks_.clear();
    interactions_ = 0;
    for (std::size_t l = 0; l < lists_.size(); ++l) {
      if (chosen[l].empty()) continue;
      interactions_ += static_cast<std::int64_t>(chosen[l].size());
      const BondedRows& rows = lists_[l].rows;
      switch (rows.kind) {
        case BondedKind::bond:
          add<double>(rows, chosen[l], kernels_.bond);
          break;
        case BondedKind::angle:
          add<double>(rows, chosen[l], kernels_.angle);
          break;
        case BondedKind::dihedral:
          add<Real>(rows, chosen[l], kernels_.dihedral);
          break;
        case BondedKind::improper:
          add<Real>(rows, chosen[l], kernels_.improper);
          break;
        case BondedKind::cmap:
          add<double>(rows, chosen[l], kernels_.cmap);
          break;
        case BondedKind::pair14:
          add<Real>(rows, chosen[l], kernels_.pair14);
      }
    }
    finish();
  }

  template <class Work>
  void add(const BondedRows& rows, const std::vector<int>& chosen, void (*kernel)(const BondedList<Real, Work>&, BondedTask&)) {
    auto packed = std::make_shared<const PackedRows<Work>>(rows.rows, chosen, rows.atoms_per_row, rows.parameters_per_row,
                                                           rows.first_strength);
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
    for (int atom : touched_) touched_place_[index(atom)] = -1;
    touched_.clear();
    const auto for_places = [&](auto&& f) {
      for (const Group<Real>& group : groups_)
        for (int t = 0; t < group.terms; ++t)
          for (int a = 0; a < group.atoms_per_term; ++a)
            f(group.atoms[a * group.padded + t] / 3, group.slots + a * group.padded + t);
    };
    for (int g = 0; g < static_cast<int>(groups_.size()); ++g) {
      Group<Real>& group = groups_[index(g)];
      group.slots = slots;
      for (int first = 0; first < group.padded; first += block_of_terms)
        blocks_.push_back({g, first, std::min(first + block_of_terms, group.padded)});
      slots += group.padded * group.atoms_per_term;
    }
    if (slot_x_.size() < index(slots))
      for (Buffer<Real>* b : {&slot_x_, &slot_y_, &slot_z_}) b->resize(index(slots));
    for_places([&](int atom, int) {
      if (std::exchange(touched_place_[index(atom)], 0) < 0) touched_.push_back(atom);
    });
    std::sort(touched_.begin(), touched_.end());
    for (std::size_t n = 0; n < touched_.size(); ++n) touched_place_[index(touched_[n])] = static_cast<int>(n);
    slot_begin_.assign(touched_.size() + 1, 0);
    for_places([&](int atom, int) { ++slot_begin_[index(touched_place_[index(atom)]) + 1]; });
    std::partial_sum(slot_begin_.begin(), slot_begin_.end(), slot_begin_.begin());
    slot_of_.resize(index(slot_begin_.back()));
    std::vector<int> next(slot_begin_.begin(), slot_begin_.end() - 1);
    for_places([&](int atom, int place) { slot_of_[index(next[index(touched_place_[index(atom)])]++)] = place; });
  }

  struct Block {
    int group, first, last;
  };

  bool torsions_;
  int atoms_;
  Threads threads_;
  const BondedKernelSet<Real>& kernels_;
  std::int64_t interactions_ = 0;
  std::vector<List> lists_;
  std::vector<int> touched_place_;  ///< [atoms] where in touched_, or -1
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
