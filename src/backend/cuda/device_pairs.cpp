// Lennard-Jones and direct-space Coulomb on the device with a pair list; without a cutoff device_all_pairs.cpp has them.
#include <algorithm>
#include <array>
#include <cmath>

#include "backend/cuda/device_force.cuh"
#include "backend/cuda/pair_tables.cuh"
#include "physics/pair/reaction_field.hpp"
#include "uplift/backend/box_numbers.hpp"
#include "uplift/backend/erf_table.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/error.hpp"

namespace uplift::UPLIFT_DEVICE {

std::string overflow(const DeviceForce::Room& room, const ListState& used) {
  if (used.most.entries <= room.entries && used.most.rows <= room.rows) return {};
  return "the pair list outgrew its room between two looks at it: the density rose by a third at once; equilibrate more "
         "gently, or resume from the checkpoint";
}

namespace {

// Timed on an H200 at 4 fs, 24,000 to 1,000,000 atoms: within two percent of the best for each.
constexpr double outer_buffer = 0.20, inner_buffer = 0.10;  // [nm]
constexpr double spare_room = 1.3;                          // of lists
// Moves go by the input's order of atoms, and sites lie in another: what saves a kernel costs accesses all over memory. Timed
// on an H200: 4 % quicker steps with 24,000 atoms, as quick with 92,000; with a million 175 us more for what took 75.
constexpr int most_told_by_moves = 50'000;

template <class real>
class ListedPairs final : public DeviceForce {
 public:
  ListedPairs(const System& system, const PmeParameters& pme, RankLink* link, cudaStream_t stream)
      : link_(link),
        tables_(system),
        lj_(system.force_field),
        cutoff_(system.forces.cutoff),
        form_(system.forces.nonbonded == NonbondedMethod::pme ? CoulombForm::ewald : CoulombForm::reaction_field),
        state_(1),
        inside_state_(1) {
    const ForceSettings& f = system.forces;
    const double rc = f.cutoff;
    lj_.put(p_);
    p_.cutoff2 = static_cast<real>(rc * rc);
    p_.switching = f.switch_distance.has_value();
    if (p_.switching) {
      p_.switch_on = static_cast<real>(*f.switch_distance);
      p_.switch_inverse_width = static_cast<real>(1 / (rc - *f.switch_distance));
    }
    const auto field = physics::reaction_field_constants(f.reaction_field_dielectric, rc);
    p_.rf_k = static_cast<real>(field.k);
    p_.rf_c = static_cast<real>(field.c);
    if (form_ == CoulombForm::ewald) {
      const auto erf = make_erf_table<real>(pme.alpha, rc);
      p_.erf = padded(erf);
      p_.erf_terms = erf.count;
      p_.series = make_erfc_series(pme.alpha, rc);
    }

    const int atoms = system.size();
    slot_of_atom_.resize(at(atoms));
    unordered_.resize(at(atoms));
    list_x_.resize(at(atoms));
    share_.zones = 1;
    set_listed(atoms, stream);
    state_.clear(stream);
    inside_state_.clear(stream);
    make_room(list_group, 16 * supers_);
  }

  void set_share(const RankShare& share, std::span<const Vec3d> x, const Box& box, cudaStream_t stream) override {
    std::vector<int> local;
    share.for_local([&](int i) { local.push_back(i); });
    local_.upload_to_front(local, stream);
    zone_.upload_to_front(share.zone, stream);
    check(cudaMemsetAsync(slot_of_atom_.data(), 0xff, slot_of_atom_.size() * sizeof(int), stream), "clear device memory");
    share_.atom = local_.data();
    share_.zone = zone_.data();
    share_.zones = 1;
    for (int i : local) share_.zones = std::max(share_.zones, share.zone[at(i)] + 1);
    low_ = {0, 0, 0};
    extent_ = {1, 1, 1};
    std::array<double, 3> high{-1, -1, -1};
    for (std::size_t d = 0; d < 3; ++d) {
      share_.open[d] = share.open[d];
      share_.middle[d] = share.middle[d];
      share_.upper[d] = share.upper[d];
      if (share.open[d]) low_[d] = 2;
    }
    for (int i : local) {
      const Vec3d s = box.fraction(x[at(i)]);
      const double fraction[3] = {s.x, s.y, s.z};
      for (int d = 0; d < 3; ++d) {
        const auto k = at(d);
        if (!share.open[k] || !std::isfinite(fraction[d])) continue;
        const double p = share.place(i, d, fraction[d]);
        low_[k] = std::min(low_[k], p);
        high[k] = std::max(high[k], p);
      }
    }
    for (std::size_t d = 0; d < 3; ++d)
      if (share.open[d]) {
        low_[d] = std::min(low_[d], high[d]);
        extent_[d] = std::max(high[d] - low_[d], 0.03);
      }
    check(cudaStreamSynchronize(stream), "wait for the device");
    box_ = Box{};  // of cells that were other ones
    set_listed(static_cast<int>(local.size()), stream);
    home_supers_ = share.home_count() / super_atoms;
    inside_sites_.make_room(at(home_supers_ * super_atoms));
    built_ = begun_ = false;
  }
  double reach() const override { return cutoff_ + outer_buffer; }
  double slack() const override { return 0.5 * outer_buffer; }

  void set_box(const Box& box, cudaStream_t stream) override {
    if (supers_ == 0 || box == box_) return;
    const bool scaled = scaling(box_, box).has_value();
    take_box(box);
    if (!built_) return;
    if (!scaled) {
      renewal_ = {true, true};
      return;
    }
    launch_limits(view(), buffers(), false, stream);
    if (home_supers_ > 0) launch_limits(inside(), buffers(), false, stream);
  }
  bool begins() const override { return built_ && home_supers_ > 0; }
  void begin(const Request& r, cudaStream_t stream) override {
    if (begun_ || !begins()) return;
    set_box(r.box, stream);
    if (renewal_.list) return;
    launch_place(inside(), placing(inside()), r.x, stream);
    compute_inside(r, stream);
  }
  void compute(const Request& r, cudaStream_t stream) override {
    if (supers_ == 0) return;
    set_box(r.box, stream);
    if (!built_) {
      build(r.x, stream);
    } else {
      begin(r, stream);  // where nobody has
      if (!renewal_.list && !placed_) launch_place(view(), placing(view()), r.x, stream);
      if (!link_) launch_rebuild(view(), r.x, renewal_.list, stream);  // ranks have agreed already
    }
    if (!begun_ && home_supers_ > 0) compute_inside(r, stream);
    r.wait_for_sums(stream);
    if (link_)
      launch_exact_cluster_pairs(form_, view(), p_, {home_supers_, false}, renewal_, r.sums, r.every_step, r.tally, stream);
    else
      launch_cluster_pairs(form_, view(), p_, renewal_, r.sums, r.every_step, r.tally, stream);
    renewal_ = {false, false};
    placed_ = begun_ = false;
  }
  std::optional<Placing<float>> take_places(const Box& box) override {
    if constexpr (sizeof(real) == 4) {
      if (link_ || supers_ == 0 || share_.listed > most_told_by_moves || !built_ || box != box_) return std::nullopt;
      placed_ = true;
      return placing(view());
    }
    return std::nullopt;
  }

  bool steady(const Box& box) const override {
    return supers_ == 0 || (built_ && !renewal_.list && !renewal_.prune && box == box_);
  }

  ListOrigin list_origin(cudaStream_t stream) const override {
    ListOrigin list;
    if (!built_ || link_) return list;
    list_x_.download(list.x, stream);
    const ListState state = look(stream);
    const double(&b)[6] = state.list_box;
    list.box = {{b[0], 0, 0}, {b[1], b[3], 0}, {b[2], b[4], b[5]}};
    return list;
  }
  void restore_list(const ListOrigin& list, cudaStream_t stream) override {
    if (supers_ == 0 || link_) return;
    take_box(list.box);
    DeviceBuffer<Vec3d> x(list.x);
    build(x.data(), stream);
    prune_sites_.copy_from(list_sites_, stream);  // how far atoms have moved is worked out before it is pruned
    launch_limits(view(), buffers(), true, stream);
    renewal_ = {false, true};
  }

  void mark_list(cudaStream_t stream) override { marked_.copy_from(state_, stream); }
  bool list_is_the_marked(cudaStream_t stream) const override {
    std::vector<ListState> then;
    marked_.download(then, stream);
    return then[0].builds == look(stream).builds;
  }

  std::vector<PhaseTime> phases(cudaStream_t stream) const override {
    const ListState state = look(stream);
    return {{"pair list", 0, state.builds}, {"prune", 0, state.prunes}};
  }

  const int* spatial_order() const override { return built_ && !link_ ? atom_of_slot_.data() : nullptr; }  // fillers come last
  Room room() const override { return built_ ? Room{state_.data(), capacity_, row_capacity_} : Room{}; }
  /// Makes more room for lists before it runs out, so that what is in them stays.
  bool inspect(cudaStream_t stream) override {
    if (!built_) return false;
    const ListState state = look(stream);
    if (const std::string failure = overflow(room(), state); !failure.empty()) throw SimulationError(failure);
    const auto& [most_entries, most_rows] = state.most;
    if (0.5 * (1 + spare_room) * most_entries <= capacity_ && 0.5 * (1 + spare_room) * most_rows <= row_capacity_) return false;
    std::vector<ListEntry> entries, wider;
    std::vector<std::uint8_t> rows;
    entries_.download(entries, stream);
    rows_.download(rows, stream);
    const int before = capacity_;
    make_room(most_entries, most_rows);
    wider.resize(entries_.size());
    for (int s = 0; s < supers_; ++s)
      std::copy_n(entries.begin() + static_cast<std::ptrdiff_t>(s) * before, before,
                  wider.begin() + static_cast<std::ptrdiff_t>(s) * capacity_);
    rows.resize(rows_.size());
    entries_.upload(wider, stream);
    rows_.upload(rows, stream);
    cuda::check(cudaStreamSynchronize(stream), "wait for the device");
    return true;
  }

 private:
  /// Leading zeros up to a length that kernels are compiled for; they change no bit.
  static physics::ErfTable<real> padded(const physics::ErfTable<real>& table) {
    const int more = sizeof(real) == 4 ? fixed_erf_terms - table.count : 0;
    if (more <= 0) return table;
    physics::ErfTable<real> wider = table;
    std::fill_n(wider.energy, more, real(0));
    std::fill_n(wider.force, more, real(0));
    std::copy_n(table.energy, table.energy_count(table.count), wider.energy + more);
    std::copy_n(table.force, table.count, wider.force + more);
    wider.count = fixed_erf_terms;
    return wider;
  }

  /// Of supers with atoms at home alone; sites are in their places.
  void compute_inside(const Request& r, cudaStream_t stream) {
    r.wait_for_sums(stream);
    launch_exact_cluster_pairs(form_, inside(), p_, {home_supers_, true}, renewal_, r.sums, r.every_step, r.tally, stream);
    begun_ = true;
  }

  /// Room for this many atoms, and no less than there is.
  void set_listed(int atoms, cudaStream_t stream) {
    share_.listed = atoms;
    supers_ = (atoms + super_atoms - 1) / super_atoms;
    const std::size_t slots = at(supers_ * super_atoms);
    atom_of_slot_.make_room(slots);
    for (DeviceBuffer<PairSite<real>>* b : {&sites_, &list_sites_, &prune_sites_}) b->make_room(slots);
    tabled_lj_.make_room(slots);
    if (lj_.of_type()) ruled_lj_.make_room(slots);
    if (link_) places_.make_room(slots);
    bounds_i_.make_room(at(supers_ * clusters_i));
    bounds_j_.make_room(at(supers_ * clusters_j));
    bounds_super_.make_room(at(supers_));
    if (lj_.own_mark()) {
      marks_i_.make_room(bounds_i_.size());
      marks_j_.make_room(bounds_j_.size());
    }
    extent_of_stack_.make_room(at(supers_ / supers_of_stack + 1));
    most_cells_ = static_cast<int>(slots) + 1;  // a cell has eight atoms, about
    cell_count_.make_room(at(share_.zones) * at(most_cells_) + 1);
    cell_start_.make_room(cell_count_.size());
    cell_count_.clear(stream);
    entry_count_.make_room(at(supers_));
    make_buffers();
  }

  /// Room for lists of this size, and to spare; no less than there is.
  void make_room(int entries, int rows) {
    const auto more = [](int n) { return static_cast<int>(spare_room * n) + 1; };
    capacity_ = std::max(capacity_, (more(entries) + list_group - 1) / list_group * list_group);
    row_capacity_ = std::max(row_capacity_, more(rows));
    make_buffers();
  }
  void make_buffers() {
    const std::size_t entries = at(supers_) * at(capacity_), rows = at(row_capacity_) * warp_lanes;
    if (entries_.size() < entries) entries_.resize(entries);
    if (rows_.size() < rows) rows_.resize(rows);
  }

  ListState look(cudaStream_t stream) const {
    std::vector<ListState> state;
    state_.download(state, stream);
    return state[0];
  }

  /// A first list, in as much room as it takes.
  void build(const Vec3d* x, cudaStream_t stream) {
    for (built_ = false; !built_;) {
      cuda::check(cudaMemsetAsync(&state_.data()->most, 0, sizeof(ListState::Most), stream), "clear memory");
      launch_rebuild(view(), x, true, stream);
      const ListState::Most most = look(stream).most;
      built_ = most.entries <= capacity_ && most.rows <= row_capacity_;
      if (!built_) make_room(most.entries, most.rows);
    }
    renewal_ = {true, true};
  }

  void take_box(const Box& box) {
    box_ = box;
    const double unit = sizeof(real) == 4 ? 0x1p-32 : 1.0;
    for (int k = 0; k < 6; ++k) p_.a[k] = static_cast<real>(numbers_of(box)[at(k)] * unit);
    const Vec3d widths = box.widths();
    const Vec3d part{widths.x * extent_[0], widths.y * extent_[1], widths.z * extent_[2]};
    const double edge = std::cbrt(super_atoms * part.x * part.y * part.z / std::max(1, share_.listed));
    const auto parts = [](double length, double width) { return std::clamp(static_cast<int>(length / width), 1, 1024); };
    grid_ = {parts(part.x, edge), parts(part.y, edge), parts(part.z, edge / 8)};
    grid_.nz = std::max(1, std::min(grid_.nz, most_cells_ / (grid_.nx * grid_.ny)));
    const int n[3] = {grid_.nx, grid_.ny, grid_.nz};
    for (std::size_t d = 0; d < 3; ++d) {
      // As coordinate() in the kernels: places from -1/2 on in units of 2^-31.
      share_.low[d] = share_.open[d] ? static_cast<std::uint32_t>((low_[d] + 0.5) * 0x1p31) : 0;
      share_.scale[d] = share_.open[d] ? static_cast<std::uint64_t>(2 * n[d] / extent_[d]) : static_cast<std::uint64_t>(n[d]);
    }
  }

  Placing<real> placing(const ListView<real>& list) {
    Placing<real> p{};
    p.box = box_view();
    std::copy_n(p_.a, 6, p.unit);
    p.slot_of_atom = slot_of_atom_.data();
    p.list_sites = list.list_sites;
    p.prune_sites = list.prune_sites;
    p.sites = list.sites;
    p.state = list.state;
    return p;
  }
  Vec3d lengths() const { return box_.orthorhombic() ? Vec3d{box_.a.x, box_.b.y, box_.c.z} : box_.widths(); }
  ListBuffers buffers() const {
    const Vec3d length = lengths();
    // Ranks agree by themselves when to list anew. Taken off: what distances and bounds in single precision may be wrong by.
    const double outer = link_ ? std::numeric_limits<double>::infinity() : outer_buffer;
    return {cutoff_, outer, inner_buffer, 1e-6 * std::max({length.x, length.y, length.z})};
  }
  BoxView box_view() const { return {box_.b.x, box_.c.x, box_.c.y, 1 / box_.a.x, 1 / box_.b.y, 1 / box_.c.z}; }
  ListView<real> view() {
    ListView<real> v{};
    v.pairs = tables_.view();
    v.box = box_view();
    v.brick = box_.orthorhombic();
    const Vec3d length = lengths();
    v.length[0] = static_cast<float>(length.x);
    v.length[1] = static_cast<float>(length.y);
    v.length[2] = static_cast<float>(length.z);
    v.grid = grid_;
    v.supers = supers_;
    v.capacity = capacity_;
    v.row_capacity = row_capacity_;
    v.reach = static_cast<float>(cutoff_ + outer_buffer);
    v.prune_reach2 = static_cast<float>((cutoff_ + inner_buffer) * (cutoff_ + inner_buffer));
    const ListBuffers b = buffers();
    v.limits = {b.limit(b.outer, 1), b.limit(b.inner, 1)};
    std::copy_n(numbers_of(box_).begin(), 6, v.box_now);
    v.share = share_;
    v.atom_of_slot = atom_of_slot_.data();
    v.slot_of_atom = slot_of_atom_.data();
    v.sites = sites_.data();
    v.list_sites = list_sites_.data();
    v.prune_sites = prune_sites_.data();
    v.tabled_lj = tabled_lj_.data();
    v.ruled_lj = ruled_lj_.data();
    v.ruled_lj_of_type = lj_.of_type();
    v.own_mark = lj_.own_mark();
    v.partner_marks = lj_.partner_marks();
    v.marks_i = marks_i_.data();
    v.marks_j = marks_j_.data();
    v.list_x = list_x_.data();
    v.places = places_.data();
    v.bounds_i = bounds_i_.data();
    v.bounds_j = bounds_j_.data();
    v.bounds_super = bounds_super_.data();
    v.extent_of_stack = extent_of_stack_.data();
    v.cell_count = cell_count_.data();
    v.cell_start = cell_start_.data();
    v.unordered = unordered_.data();
    v.entries = entries_.data();
    v.entry_count = entry_count_.data();
    v.rows = rows_.data();
    v.state = state_.data();
    return v;
  }

  /// The part of supers with atoms at home alone (ListPart).
  ListView<real> inside() {
    ListView<real> v = view();
    v.supers = home_supers_;
    v.prune_sites = inside_sites_.data();
    v.state = inside_state_.data();
    return v;
  }

  RankLink* link_;
  PairTables tables_;
  ShareView share_{};
  std::array<double, 3> low_{0, 0, 0}, extent_{1, 1, 1};  ///< of places along open directions, fractions of the box
  DeviceBuffer<int> local_;
  DeviceBuffer<std::uint8_t> zone_;
  LjTables<real> lj_;
  DeviceBuffer<RuledLj<real>> ruled_lj_;
  DeviceBuffer<TabledLj> tabled_lj_;
  PairParameters<real> p_{};
  double cutoff_;
  CoulombForm form_;
  Box box_;
  CellGrid grid_{1, 1, 1};
  bool built_ = false;
  Renewal renewal_{};    ///< at the next evaluation
  bool placed_ = false;  ///< somebody else tells the list where atoms are, this time
  bool begun_ = false;   ///< pairs inside are queued already, for the evaluation to come
  int home_supers_ = 0;  ///< of several ranks
  int supers_ = 0, most_cells_ = 0, capacity_ = 0, row_capacity_ = 0;
  DeviceBuffer<int> atom_of_slot_, slot_of_atom_, cell_count_, cell_start_, entry_count_;
  DeviceBuffer<ListedAtom> unordered_;
  DeviceBuffer<PairSite<real>> sites_, list_sites_, prune_sites_, inside_sites_;
  DeviceBuffer<Vec3d> list_x_;
  DeviceBuffer<ListPlace> places_;
  DeviceBuffer<ClusterBounds> bounds_i_, bounds_j_, bounds_super_;
  DeviceBuffer<std::uint64_t> marks_i_, marks_j_;
  DeviceBuffer<ListExtent> extent_of_stack_;
  DeviceBuffer<ListEntry> entries_;
  DeviceBuffer<std::uint8_t> rows_;
  DeviceBuffer<ListState> state_, inside_state_, marked_;
};

}  // namespace

std::unique_ptr<DeviceForce> make_device_pairs(const System& system, const PmeParameters& pme, Precision precision,
                                               RankLink* link, cudaStream_t stream) {
  if (system.forces.nonbonded == NonbondedMethod::no_cutoff) return make_device_all_pairs(system);
  if (precision == Precision::double_) return std::make_unique<ListedPairs<double>>(system, pme, link, stream);
  return std::make_unique<ListedPairs<float>>(system, pme, link, stream);
}

}  // namespace uplift::UPLIFT_DEVICE
