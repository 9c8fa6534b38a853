// Smooth particle-mesh Ewald (Essmann et al., J. Chem. Phys. 103, 8577 (1995)): sort the charges into tiles of the mesh's xy
// plane, spread them onto an integer mesh (the order of additions does not matter), transform, multiply, transform back, gather
// forces.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "cpu/pme_kernels.hpp"
#include "fft.hpp"
#include "mesh_ranks.hpp"
#include "physics/pme/influence.hpp"
#include "pme_influence.hpp"
#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/phase_timer.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/assert.hpp"

namespace uplift::cpu {
namespace {

constexpr int atom_block = 2048;  // atoms a task, when binning
constexpr int gather_block = 256;

std::size_t index(int i) { return static_cast<std::size_t>(i); }

/// The xy plane in tiles at least as wide as a spline, an even number of them in each direction (or one), so that tiles of one
/// colour (parities of both tile indices) never write to the same mesh point.
struct Tiling {
  int nx, ny;  ///< mesh points
  int tx, ty;  ///< tiles
  static int count(int n, int order) {
    const int target = std::max(order, 8);
    const int tiles = n / target / 2 * 2;
    return tiles >= 2 ? tiles : (n / (order - 1) >= 2 ? 2 : 1);
  }
  Tiling(int mesh_x, int mesh_y, int order) : nx(mesh_x), ny(mesh_y), tx(count(mesh_x, order)), ty(count(mesh_y, order)) {}
  int tiles() const { return tx * ty; }
  // Tile t covers the points ceil(t n / tiles) to ceil((t + 1) n / tiles) - 1: at least floor(n / tiles) of them.
  int tile(int x, int y) const { return x * tx / nx * ty + y * ty / ny; }
  int colour(int t) const {
    const int cx = tx > 1 ? t / ty % 2 : 0, cy = ty > 1 ? t % ty % 2 : 0;
    return 2 * cx + cy;
  }
};

const PmeKernelSet<float, std::int32_t>& kernels_for(int order, float) { return select_pme_kernels().mixed[order - 4]; }
const PmeKernelSet<double, std::int64_t>& kernels_for(int order, double) { return select_pme_kernels().wide[order - 4]; }

template <class T>
class PmeTerm final : public ForceTerm {
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using Complex = std::complex<T>;

 public:
  PmeTerm(const System& system, const PmeParameters& pme, const Threads& threads, RankLink* link)
      : pme_(pme),
        link_(link),
        threads_(threads),
        kernels_(kernels_for(pme.order, T())),
        mesh_{pme.grid[0], pme.grid[1], pme.grid[2], 0, 0},
        tiling_(pme.grid[0], pme.grid[1], pme.order),
        influence_(pme),
        atoms_(system.size()) {
    mesh_.row = (index(mesh_.nz) + pme_row_padding + 15) / 16 * 16;
    mesh_.plane = mesh_.row * index(mesh_.ny) + 16;  // not a power of two, which would map planes to the same cache lines
    fft_ = std::make_unique<MeshFft<T>>(mesh_.nx, mesh_.ny, mesh_.nz, mesh_.row);
    charges_.resize(mesh_.plane * index(mesh_.nx));
    potential_.resize(mesh_.plane * index(mesh_.nx));
    waves_.resize(fft_->plane() * index(mesh_.nx));
    real_plane_.resize(index(threads_.count()));
    row_block_.resize(index(threads_.count()));
    for (auto& b : real_plane_) b.resize(mesh_.plane);
    for (auto& b : row_block_) b.resize(index(mesh_.nx) * index(fft_->half()));
    if (link_) transforms_ = std::make_unique<MeshRanks<T>>(*link_, mesh_, fft_->plane(), fft_->half());
    collect_charges(system);
    for (int t = 0; t < tiling_.tiles(); ++t) coloured_[index(tiling_.colour(t))].push_back(t);
  }

  std::string name() const override { return "PME"; }
  ForceGroup group() const override { return ForceGroup::pme_reciprocal; }
  std::vector<PhaseTime> phases() const override {
    std::vector<PhaseTime> all{spread_time_, solve_time_, gather_time_};
    if (link_) all.push_back(exchange_time_);
    return all;
  }

  void set_share(const RankShare& share, std::span<const Vec3d>, const Box&) override {
    atom_.clear();
    charge_.clear();
    share.for_home([&](int i) {
      if (all_charges_[index(i)] == 0) return;
      atom_.push_back(i);
      charge_.push_back(all_charges_[index(i)]);
    });
    transforms_->take_share();
    make_room();
  }
  std::int64_t interactions() const override { return charged_; }

  void prepare(const ForceRequest& request) override {
    UPLIFT_EXPECT(request.box.periodic() && request.x.size() == index(atoms_));
    if (request.box != box_) {
      const PhaseTimer timer(solve_time_);
      box_ = request.box;
      influence_.set_box(box_, threads_);
      --solve_time_.calls;
    }
    const PhaseTimer timer(spread_time_);
    sort_atoms(request.x);
    for (const auto& tiles : coloured_)
      threads_.for_each(static_cast<int>(tiles.size()), [&](int i, int) {
        const int t = tiles[index(i)];
        kernels_.spread(sorted_.data() + tile_start_[index(t)], tile_start_[index(t) + 1] - tile_start_[index(t)],
                        static_cast<T>(scale_), mesh_, charges_.data());
      });
  }

  void compute(const ForceRequest& request, ForceSums& sums) override {
    if (transforms_) {
      const PhaseTimer timer(exchange_time_, link_);
      transforms_->collect(sorted_, pme_.order, charges_.data());
    }
    {
      const PhaseTimer timer(solve_time_, link_);
      const auto [x0, x1] = transforms_ ? transforms_->planes() : std::pair(0, mesh_.nx);
      const auto [y0, y1] = transforms_ ? transforms_->rows() : std::pair(0, mesh_.ny);
      threads_.for_each(x1 - x0, [&, first = x0](int x, int thread) { transform_plane(first + x, thread); });
      if (transforms_) transforms_->to_rows(waves_.data());
      threads_.for_each(y1 - y0, [&, first = y0](int y, int thread) { solve_rows(first + y, thread, request, sums); });
      if (transforms_) transforms_->to_planes(waves_.data());
      threads_.for_each(x1 - x0, [&, first = x0](int x, int) { transform_back(first + x); });
    }
    if (transforms_) {
      const PhaseTimer timer(exchange_time_, link_);
      transforms_->hand_out(potential_.data());
    }
    {
      const PhaseTimer timer(gather_time_);
      const PmeGradientMap map = gradient_map();
      threads_.for_blocks(charged_, gather_block, [&](int first, int last, int) {
        kernels_.gather(sorted_.data() + first, last - first, mesh_, potential_.data(), map, sums.force.data());
      });
    }
    add_constants(request, sums);
  }

 private:
  void collect_charges(const System& system) {
    const auto& q = all_charges_ = system.force_field.charges;
    double absolute = 0, largest = 0;
    for (int i = 0; i < atoms_; ++i) {
      const double c = q[index(i)];
      if (c == 0) continue;
      atom_.push_back(i);
      charge_.push_back(c);
      net_charge_ += c;
      squared_charge_ += c * c;
      absolute += std::abs(c);
      largest = std::max(largest, std::abs(c));
    }
    make_room();
    const double points = static_cast<double>(mesh_.nx) * mesh_.ny * mesh_.nz;
    scale_ = integer_mesh_scale(absolute, largest, points, sizeof(T) == 4);
  }

  void make_room() {
    charged_ = static_cast<int>(atom_.size());
    sorted_.resize(index(charged_));
    unsorted_.resize(index(charged_));
    tile_of_.resize(index(charged_));
    blocks_ = (charged_ + atom_block - 1) / atom_block;
    offsets_.resize(index(blocks_) * index(tiling_.tiles()));
    tile_start_.assign(index(tiling_.tiles()) + 1, 0);
  }

  /// Mesh coordinates of every charge, then a counting sort by tile that keeps the order of atoms within a tile.
  void sort_atoms(std::span<const Vec3d> x) {
    const int tiles = tiling_.tiles();
    threads_.for_each(blocks_, [&](int block, int) {
      int* count = offsets_.data() + index(block) * index(tiles);
      std::fill(count, count + tiles, 0);
      const int last = std::min(charged_, (block + 1) * atom_block);
      for (int i = block * atom_block; i < last; ++i) {
        unsorted_[index(i)] = mesh_atom(x, i);
        const int t = tiling_.tile(unsorted_[index(i)].x, unsorted_[index(i)].y);
        tile_of_[index(i)] = t;
        ++count[t];
      }
    });
    int next = 0;
    for (int t = 0; t < tiles; ++t) {
      tile_start_[index(t)] = next;
      for (int block = 0; block < blocks_; ++block) {
        int& slot = offsets_[index(block) * index(tiles) + index(t)];
        next += std::exchange(slot, next);
      }
    }
    tile_start_[index(tiles)] = next;
    threads_.for_each(blocks_, [&](int block, int) {
      int* slot = offsets_.data() + index(block) * index(tiles);
      const int last = std::min(charged_, (block + 1) * atom_block);
      for (int i = block * atom_block; i < last; ++i) sorted_[index(slot[tile_of_[index(i)]]++)] = unsorted_[index(i)];
    });
  }

  PmeAtom<T> mesh_atom(std::span<const Vec3d> x, int i) const {
    const Vec3d s = box_.fraction(x[index(atom_[index(i)])]);
    PmeAtom<T> a;
    place(s.x, mesh_.nx, a.x, a.wx);
    place(s.y, mesh_.ny, a.y, a.wy);
    place(s.z, mesh_.nz, a.z, a.wz);
    a.atom = atom_[index(i)];
    a.charge = static_cast<T>(charge_[index(i)]);
    return a;
  }

  static void place(double s, int n, int& point, T& beyond) {
    double u = (s - std::floor(s)) * n;
    if (!(u >= 0 && u < n))
      u = 0;  // rounded up to a whole box, or not a number: the blow-up check of the backend names the atom
    point = static_cast<int>(u);
    beyond = static_cast<T>(u - point);
  }

  /// Integer plane to real, padding folded in and the integers cleared for the next step; then its transform over y and z.
  void transform_plane(int x, int thread) {
    Integer* plane = charges_.data() + index(x) * mesh_.plane;
    T* real = real_plane_[index(thread)].data();
    const T unit = static_cast<T>(1 / scale_);
    for (int y = 0; y < mesh_.ny; ++y) {
      Integer* from = plane + index(y) * mesh_.row;
      T* to = real + index(y) * mesh_.row;
      for (int z = 0; z < pme_.order - 1; ++z) from[z] += from[mesh_.nz + z];
      for (int z = 0; z < mesh_.nz; ++z) to[z] = static_cast<T>(from[z]) * unit;
      std::fill(from, from + mesh_.row, Integer(0));
    }
    fft_->plane_forward(real, waves_.data() + index(x) * fft_->plane());
  }

  /// One ky: transform over x, multiply by the influence function, transform back.
  void solve_rows(int y, int thread, const ForceRequest& request, ForceSums& sums) {
    const std::size_t half = index(fft_->half());
    Complex* rows = row_block_[index(thread)].data();
    for (int x = 0; x < mesh_.nx; ++x) {
      const Complex* from = waves_.data() + index(x) * fft_->plane() + index(y) * half;
      std::copy(from, from + half, rows + index(x) * half);
    }
    fft_->rows_forward(rows);
    if (request.energies) add_energy(y, rows, sums);
    if (request.virial) add_virial(y, rows, sums);
    const T* table = influence_.block(y);
    const std::size_t points = index(mesh_.nx) * half;
    for (std::size_t i = 0; i < points; ++i) rows[i] = Complex(rows[i].real() * table[i], rows[i].imag() * table[i]);
    fft_->rows_backward(rows);
    for (int x = 0; x < mesh_.nx; ++x)
      std::copy(rows + index(x) * half, rows + (index(x) + 1) * half,
                waves_.data() + index(x) * fft_->plane() + index(y) * half);
  }

  static double squared(Complex c) {
    const double re = static_cast<double>(c.real()), im = static_cast<double>(c.imag());
    return re * re + im * im;
  }

  void add_energy(int y, const Complex* rows, ForceSums& sums) {
    const T* table = influence_.block(y);
    double energy = 0;
    for (int x = 0; x < mesh_.nx; ++x)
      for (int z = 0; z < fft_->half(); ++z)
        energy += influence_.weight(z) / 2 * static_cast<double>(*table++) * squared(*rows++);
    sums.add_energy_atomic(EnergyTerm::coulomb_reciprocal, energy);
  }

  void add_virial(int y, const Complex* rows, ForceSums& sums) {
    std::array<double, 6> w{};
    for (int x = 0; x < mesh_.nx; ++x)
      for (int z = 0; z < fft_->half(); ++z) {
        const double s2 = influence_.weight(z) / 2 * squared(*rows++);
        const std::array<double, 6> v = influence_.virial(x, y, z);
        for (std::size_t c = 0; c < 6; ++c) w[c] += s2 * v[c];
      }
    constexpr int component[9] = {0, 1, 2, 1, 3, 4, 2, 4, 5};
    for (int c = 0; c < 9; ++c) sums.add_virial_atomic(c, w[index(component[c])]);
  }

  void transform_back(int x) {
    T* plane = potential_.data() + index(x) * mesh_.plane;
    fft_->plane_backward(waves_.data() + index(x) * fft_->plane(), plane);
    for (int y = 0; y < mesh_.ny; ++y) {
      T* row = plane + index(y) * mesh_.row;
      for (int z = 0; z < pme_row_padding; ++z) row[mesh_.nz + z] = row[z % mesh_.nz];
    }
  }

  /// d u/d r, u the mesh coordinates: rows are n times the reciprocal vectors.
  PmeGradientMap gradient_map() const {
    const double ax = 1 / box_.a.x, by = 1 / box_.b.y, cz = 1 / box_.c.z;
    PmeGradientMap map;
    const double inverse[3][3] = {
        {ax, -ax * box_.b.x * by, ax * (box_.b.x * box_.c.y * by - box_.c.x) * cz}, {0, by, -by * box_.c.y * cz}, {0, 0, cz}};
    for (int d = 0; d < 3; ++d)
      for (int c = 0; c < 3; ++c) map.row[d][c] = pme_.grid[index(d)] * inverse[d][c];
    return map;
  }

  void add_constants(const ForceRequest& request, ForceSums& sums) const {
    if (link_ && link_->rank() != 0) return;
    const double background = physics::background_energy(net_charge_, pme_.alpha, box_.volume());
    if (request.energies) {
      sums.add_whole_energy(EnergyTerm::coulomb_reciprocal, physics::self_energy(squared_charge_, pme_.alpha));
      sums.add_whole_energy(EnergyTerm::coulomb_reciprocal, background);
    }
    if (request.virial)
      for (int c : {0, 4, 8}) sums.add_whole_virial(c, background);
  }

  PmeParameters pme_;
  RankLink* link_;  ///< null: one rank
  std::unique_ptr<MeshRanks<T>> transforms_;
  std::vector<double> all_charges_;  ///< [atoms]
  Threads threads_;
  const PmeKernelSet<T, Integer>& kernels_;
  PmeMesh mesh_;
  Tiling tiling_;
  InfluenceTable<T> influence_;
  std::unique_ptr<MeshFft<T>> fft_;
  Box box_;
  int atoms_, charged_ = 0, blocks_ = 0;
  double net_charge_ = 0, squared_charge_ = 0, scale_ = 1;
  std::vector<int> atom_, tile_of_, offsets_, tile_start_;
  std::vector<double> charge_;
  std::vector<PmeAtom<T>> unsorted_, sorted_;
  std::array<std::vector<int>, 4> coloured_;
  Buffer<Integer> charges_;  // [nx][plane], zero between steps
  Buffer<T> potential_;      // [nx][plane]
  Buffer<Complex> waves_;    // [nx][ny][half]
  std::vector<Buffer<T>> real_plane_;
  std::vector<Buffer<Complex>> row_block_;
  PhaseTime spread_time_{"PME spread", 0, 0}, solve_time_{"PME FFT and solve", 0, 0}, gather_time_{"PME gather", 0, 0},
      exchange_time_{"PME mesh between ranks", 0, 0};
};

}  // namespace

std::unique_ptr<ForceTerm> make_pme_term(const System& system, const PmeParameters& pme, Precision precision,
                                         const Threads& threads, RankLink* link) {
  if (system.forces.nonbonded != NonbondedMethod::pme) return nullptr;
  const auto& q = system.force_field.charges;
  if (std::all_of(q.begin(), q.end(), [](double c) { return c == 0; })) return nullptr;
  UPLIFT_EXPECT(q.size() == index(system.size()));
  UPLIFT_EXPECT(pme.order >= 4 && pme.order <= 6 && pme.alpha > 0);
  for (int n : pme.grid) UPLIFT_EXPECT(n >= pme.order);
  if (precision == Precision::double_) return std::make_unique<PmeTerm<double>>(system, pme, threads, link);
  return std::make_unique<PmeTerm<float>>(system, pme, threads, link);
}

}  // namespace uplift::cpu
