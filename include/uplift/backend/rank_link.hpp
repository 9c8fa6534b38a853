#pragma once
// One System on several ranks, as a backend sees it. Atoms keep the numbers that they have in the System, and arrays their
// lengths; a rank works out its home atoms, knows where the atoms of its halo are, and looks at no others. Domains are the
// cells of a grid along the box vectors. Every interaction is worked out on one rank alone: that of the domain which is lowest
// along each direction among those of its atoms (the eighth shell of Bowers, Dror and Shaw, J. Chem. Phys. 124, 184109 (2006)).
// A halo therefore comes from upper neighbours only, and forces go back there.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uplift/backend/mesh_share.hpp"
#include "uplift/core/box.hpp"
#include "uplift/core/fixed_point.hpp"
#include "uplift/core/open_place.hpp"

namespace uplift {

struct System;

/// Atoms first to last - 1.
struct AtomRange {
  int first, last;
  bool operator==(const AtomRange&) const = default;
};

struct RankShare {
  static constexpr std::uint8_t absent = 255;

  std::vector<AtomRange> home;     ///< ascending
  std::vector<int> halo;           ///< atoms, from one neighbour after the other
  std::vector<std::uint8_t> zone;  ///< [atoms] 0: home; bit d: of the upper neighbour along d; absent: not here
  std::array<bool, 3> cut{};       ///< there are several domains along this direction
  /// There atoms have places without a period (place()). With two domains each is above the other, and places tell which of the
  /// two walls a pair sees between them. With three, who is above whom is enough, however narrow they are, and places are
  /// periodic.
  std::array<bool, 3> open{};
  std::array<double, 3> middle{};  ///< of the own domain, fractions of the box
  std::array<double, 3> upper{};   ///< from there to the middle of the upper neighbour, above 0

  bool here(int atom) const { return zone[static_cast<std::size_t>(atom)] != absent; }
  bool at_home(int atom) const { return zone[static_cast<std::size_t>(atom)] == 0; }
  int home_count() const {
    int n = 0;
    for (const AtomRange& r : home) n += r.last - r.first;
    return n;
  }
  template <class F>
  void for_home(F&& f) const {
    for (const AtomRange& r : home)
      for (int i = r.first; i < r.last; ++i) f(i);
  }
  template <class F>
  void for_local(F&& f) const {
    for_home(f);
    for (int i : halo) f(i);
  }

  /// Where an atom that is here lies along d, an open direction, in a picture without a period: fractions from the middle
  /// of the own domain. `fraction` is that of its position in the box, in any image.
  double place(int atom, int d, double fraction) const {
    const auto k = static_cast<std::size_t>(d);
    return open_place(fraction, middle[k], (zone[static_cast<std::size_t>(atom)] >> d & 1) ? upper[k] : 0.0);
  }

  /// True on the one rank that works out the interaction of these atoms (which are near each other).
  bool takes(std::span<const int> atoms, std::span<const Vec3d> x, const Box& box) const {
    unsigned above = 7;
    for (int i : atoms) {
      if (!here(i)) return false;
      above &= zone[static_cast<std::size_t>(i)];
    }
    if (above != 0) return false;  // the lowest domain is another's
    bool several = false;
    for (int i : atoms) several = several || !at_home(i);
    if (!several) return true;
    // With two domains along a direction, both have the other above them: only one of them sees the atoms close together.
    double low[3] = {1e9, 1e9, 1e9}, high[3] = {-1e9, -1e9, -1e9};
    for (int i : atoms) {
      const Vec3d s = box.fraction(x[static_cast<std::size_t>(i)]);
      const double u[3] = {s.x, s.y, s.z};
      for (int d = 0; d < 3; ++d) {
        if (!open[static_cast<std::size_t>(d)]) continue;
        const double p = place(i, d, u[d]);
        low[d] = p < low[d] ? p : low[d];
        high[d] = p > high[d] ? p : high[d];
      }
    }
    for (int d = 0; d < 3; ++d)
      if (open[static_cast<std::size_t>(d)] && high[d] - low[d] >= 0.5) return false;
    return true;
  }
};

/// What one rank has sent so far, and how much of it there should be.
struct RankTraffic {
  std::int64_t home = 0, halo = 0;  ///< atoms, as of the last migration
  double ideal_halo = 0;            ///< atoms of a slab as wide as forces reach round the domain, at the mean density
  std::int64_t position_bytes = 0, force_bytes = 0, mesh_bytes = 0, migration_bytes = 0, messages = 0;
  std::int64_t mesh_ranks = 0;  ///< that transform the mesh; 0: there is none
};

/// What a backend asks of the ranks that it shares a System with. Calls are collective: all ranks make the same ones in the
/// same order, but for start_reverse_packed(). Each rank makes that one when its forces are there, between whichever calls,
/// after the last message of the halo is finished and before the finish_packed() that all make for this one: exchange_packed(),
/// sum() and others may come before it on one rank and after it on the next. It waits for nobody, and no other call waits for
/// it.
class RankLink {
 public:
  virtual ~RankLink() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual const RankShare& share() const = 0;

  /// Divides atoms anew, when every rank has all positions. `reach` [nm]: interactions go so far.
  virtual void adopt(std::span<Vec3d> x, const Box& box, double reach) = 0;
  /// Divides atoms anew. Those that move to another rank take along their entries of the `carried` arrays, 24 bytes an atom
  /// each (Vec3d or three Fixed), among which x is. Afterwards positions of the halo are there, too.
  virtual void migrate(std::span<Vec3d> x, std::span<std::byte* const> carried, const Box& box, double reach) = 0;
  /// Positions of halo atoms from where they are at home. Between start and finish they are on their way: x has not-a-number in
  /// their place, and what needs atoms at home only can be worked out.
  virtual void start_forward(std::span<Vec3d> x) = 0;
  virtual void finish_forward(std::span<Vec3d> x) = 0;
  /// Forces on halo atoms, [3 * atoms], to where they are at home; zero stays. Between start and finish more may be added on
  /// atoms at home.
  virtual void start_reverse(std::span<Fixed> force) = 0;
  virtual void finish_reverse(std::span<Fixed> force) = 0;
  virtual void sum(std::span<std::int64_t> values) = 0;

  // For a backend that has its atoms elsewhere and packs them itself, 24 bytes each: those of the halo in the order of
  // share().halo, those that are sent (some to several ranks) in that of sent(). Between start and finish they are on their
  // way, and what they are packed in is not to be touched; one at a time.
  virtual const std::vector<int>& sent() const = 0;
  virtual void start_forward_packed(std::span<const std::byte> sent, std::span<std::byte> halo) = 0;
  /// Forces of several `arrays` at once: those of an atom follow each other.
  virtual void start_reverse_packed(std::span<const std::byte> halo, std::span<std::byte> sent, int arrays) = 0;
  virtual void finish_packed() = 0;
  virtual bool any(bool here) = 0;
  /// send[r] goes to rank r; returns what came from each. `coming`: bytes from each, where this rank knows; else ranks tell
  /// each other first.
  virtual std::vector<std::vector<std::byte>> exchange(const std::vector<std::vector<std::byte>>& send,
                                                       std::span<const std::int64_t> coming = {}) = 0;
  /// The same between places that all ranks know the lengths of: send[r] goes to rank r, receive[r] comes from there; what is
  /// empty is not sent, and nothing goes to oneself.
  virtual void exchange_packed(std::span<const std::span<const std::byte>> send,
                               std::span<const std::span<std::byte>> receive) = 0;
  /// Who transforms a mesh which `most` ranks can share, until atoms are divided anew; what is exchanged is how long it takes.
  virtual MeshShare mesh(int most) = 0;
  /// What is packed may be in the memory of a GPU.
  virtual bool takes_device_memory() const = 0;
  /// Time spent in all calls so far [s].
  virtual double waited() const = 0;
  /// Time that this rank has worked on forces since it was last told [s]: walls between domains follow it.
  virtual void note_work(double seconds) = 0;
};

/// Throws InputError for a system that has no domains.
void check_can_be_shared(const System& system);

/// After atoms have been divided: bonded interactions, exclusions and constraints that the ranks have taken, and atoms that are
/// at home, must be as many as the System has. Collective; throws AgreedError when they are not.
void check_shares(RankLink& link, std::int64_t interactions_here, std::int64_t interactions, std::int64_t atoms);

}  // namespace uplift
