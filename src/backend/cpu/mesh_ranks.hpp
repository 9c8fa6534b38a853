#pragma once
// The PME mesh of several ranks. Each spreads its charges onto points of its own; integers add up to the same mesh whoever had
// them. A rank transforms some planes of x and some rows of y, in the very transforms that one rank alone would do, so that all
// bits are the same. Not every rank need transform (MeshShare).
#include <algorithm>
#include <complex>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "cpu/pme_kernels.hpp"
#include "uplift/backend/rank_link.hpp"

namespace uplift::cpu {

template <class T>
class MeshRanks {
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  using Complex = std::complex<T>;
  using Packets = std::vector<std::vector<std::byte>>;

 public:
  /// `plane`, `half`: as of MeshFft.
  MeshRanks(RankLink& link, const PmeMesh& mesh, std::size_t plane, int half)
      : link_(link), mesh_(mesh), plane_(plane), half_(half), share_(link.mesh(std::min(mesh.nx, mesh.ny))) {}

  /// As the link has it from now on.
  void take_share() { share_ = link_.mesh(std::min(mesh_.nx, mesh_.ny)); }

  std::pair<int, int> planes() const { return part(mesh_.nx, link_.rank()); }  ///< that this rank transforms, from and to
  std::pair<int, int> rows() const { return part(mesh_.ny, link_.rank()); }

  /// Brings charges that were spread onto planes of others to them, and leaves zeros in place of what has gone.
  void collect(const std::vector<PmeAtom<T>>& atoms, int order, Integer* charges) {
    note_points(atoms, order);
    // The padding at the end of rows belongs to their beginning.
    for (int x : x_)
      for (int y : y_) {
        Integer* row = charges + offset(x, y);
        for (int z = 0; z < order - 1; ++z) row[z] += std::exchange(row[mesh_.nz + z], Integer(0));
      }
    Packets send(static_cast<std::size_t>(link_.size()));
    for (int r = 0; r < link_.size(); ++r) {
      const std::vector<int> x = planes_of(x_, r);
      if (r == link_.rank() || x.empty()) continue;
      std::vector<std::byte>& out = send[static_cast<std::size_t>(r)];
      put_list(out, x);
      put_list(out, y_);
      put_list(out, z_);
      for_points(x, y_, z_, [&](std::size_t place) { put(out, std::exchange(charges[place], Integer(0))); });
    }
    const Packets got = link_.exchange(send);
    asked_.assign(got.size(), {});
    for (std::size_t r = 0; r < got.size(); ++r) {
      if (got[r].empty()) continue;
      Points& p = asked_[r];
      const std::byte* in = got[r].data();
      p.x = get_list(in);
      p.y = get_list(in);
      p.z = get_list(in);
      for_points(p.x, p.y, p.z, [&](std::size_t place) { charges[place] += get<Integer>(in); });
    }
  }

  /// Waves [nx][plane] from own planes to own rows, and back.
  void to_rows(Complex* waves) const { transpose(waves, planes(), rows(), true); }
  void to_planes(Complex* waves) const { transpose(waves, planes(), rows(), false); }

  /// Potentials of own planes to those who had charges there; all points that note_points() found are there afterwards.
  void hand_out(T* potential) const {
    Packets send(static_cast<std::size_t>(link_.size()));
    for (std::size_t r = 0; r < asked_.size(); ++r) {
      const Points& p = asked_[r];
      for_points(p.x, p.y, p.z, [&](std::size_t place) { put(send[r], potential[place]); });
    }
    std::vector<std::int64_t> coming(send.size(), 0);
    for (int r = 0; r < link_.size(); ++r)
      if (r != link_.rank())
        coming[static_cast<std::size_t>(r)] =
            static_cast<std::int64_t>(planes_of(x_, r).size() * y_.size() * z_.size() * sizeof(T));
    const Packets got = link_.exchange(send, coming);
    for (int r = 0; r < link_.size(); ++r) {
      if (r == link_.rank() || got[static_cast<std::size_t>(r)].empty()) continue;
      const std::byte* in = got[static_cast<std::size_t>(r)].data();
      for_points(planes_of(x_, r), y_, z_, [&](std::size_t place) { potential[place] = get<T>(in); });
    }
    for (int x : x_)
      for (int y : y_) {
        T* row = potential + offset(x, y);
        for (int z = 0; z < pme_row_padding; ++z) row[mesh_.nz + z] = row[z % mesh_.nz];
      }
  }

 private:
  struct Points {
    std::vector<int> x, y, z;
  };

  std::pair<int, int> part(int n, int rank) const { return {share_.first(n, rank), share_.first(n, rank + 1)}; }
  std::vector<int> planes_of(const std::vector<int>& x, int rank) const {
    const auto [first, last] = part(mesh_.nx, rank);
    std::vector<int> own;
    for (int i : x)
      if (i >= first && i < last) own.push_back(i);
    return own;
  }
  std::size_t offset(int x, int y) const {
    return static_cast<std::size_t>(x) * mesh_.plane + static_cast<std::size_t>(y) * mesh_.row;
  }
  template <class F>
  void for_points(const std::vector<int>& xs, const std::vector<int>& ys, const std::vector<int>& zs, F&& f) const {
    for (int x : xs)
      for (int y : ys)
        for (int z : zs) f(offset(x, y) + static_cast<std::size_t>(z));
  }

  /// Planes, rows and heights that any of these atoms has to do with.
  void note_points(const std::vector<PmeAtom<T>>& atoms, int order) {
    std::vector<char> x(static_cast<std::size_t>(mesh_.nx), 0), y(static_cast<std::size_t>(mesh_.ny), 0),
        z(static_cast<std::size_t>(mesh_.nz), 0);
    for (const PmeAtom<T>& a : atoms)
      x[static_cast<std::size_t>(a.x)] = y[static_cast<std::size_t>(a.y)] = z[static_cast<std::size_t>(a.z)] = 1;
    const auto widened = [order](const std::vector<char>& first) {
      const int n = static_cast<int>(first.size());
      std::vector<int> all;
      for (int i = 0; i < n; ++i) {
        bool any = false;
        for (int k = 0; k < order; ++k) any = any || first[static_cast<std::size_t>(((i - k) % n + n) % n)];
        if (any) all.push_back(i);
      }
      return all;
    };
    x_ = widened(x);
    y_ = widened(y);
    z_ = widened(z);
  }

  void transpose(Complex* waves, std::pair<int, int> own_planes, std::pair<int, int> own_rows, bool forth) const {
    const auto length = static_cast<std::size_t>(half_);
    const auto row = [&](int x, int y) {
      return waves + static_cast<std::size_t>(x) * plane_ + static_cast<std::size_t>(y) * length;
    };
    const auto rows_between = [&](std::pair<int, int> xs, std::pair<int, int> ys, auto&& f) {
      for (int x = xs.first; x < xs.second; ++x)
        for (int y = ys.first; y < ys.second; ++y) f(row(x, y));
    };
    const std::size_t bytes = length * sizeof(Complex);
    Packets send(static_cast<std::size_t>(link_.size()));
    std::vector<std::int64_t> coming(send.size(), 0);
    const auto size_of = [&](std::pair<int, int> xs, std::pair<int, int> ys) {
      return static_cast<std::int64_t>(bytes) * (xs.second - xs.first) * (ys.second - ys.first);
    };
    for (int r = 0; r < link_.size(); ++r) {
      if (r == link_.rank()) continue;
      coming[static_cast<std::size_t>(r)] =
          forth ? size_of(part(mesh_.nx, r), own_rows) : size_of(own_planes, part(mesh_.ny, r));
      std::vector<std::byte>& out = send[static_cast<std::size_t>(r)];
      const auto add = [&](const Complex* from) {
        const auto* p = reinterpret_cast<const std::byte*>(from);
        out.insert(out.end(), p, p + bytes);
      };
      forth ? rows_between(own_planes, part(mesh_.ny, r), add) : rows_between(part(mesh_.nx, r), own_rows, add);
    }
    const Packets got = link_.exchange(send, coming);
    for (int r = 0; r < link_.size(); ++r) {
      if (r == link_.rank()) continue;
      const std::byte* in = got[static_cast<std::size_t>(r)].data();
      const auto take = [&](Complex* to) {
        std::memcpy(static_cast<void*>(to), in, bytes);
        in += bytes;
      };
      forth ? rows_between(part(mesh_.nx, r), own_rows, take) : rows_between(own_planes, part(mesh_.ny, r), take);
    }
  }

  template <class V>
  static void put(std::vector<std::byte>& out, V value) {
    const auto* p = reinterpret_cast<const std::byte*>(&value);
    out.insert(out.end(), p, p + sizeof value);
  }
  template <class V>
  static V get(const std::byte*& in) {
    V value;
    std::memcpy(&value, in, sizeof value);
    in += sizeof value;
    return value;
  }
  static void put_list(std::vector<std::byte>& out, const std::vector<int>& list) {
    put(out, static_cast<std::int32_t>(list.size()));
    for (int i : list) put(out, static_cast<std::int32_t>(i));
  }
  static std::vector<int> get_list(const std::byte*& in) {
    std::vector<int> list(static_cast<std::size_t>(get<std::int32_t>(in)));
    for (int& i : list) i = get<std::int32_t>(in);
    return list;
  }

  RankLink& link_;
  PmeMesh mesh_;
  std::size_t plane_;
  int half_;
  MeshShare share_;
  std::vector<int> x_, y_, z_;
  std::vector<Points> asked_;  ///< [ranks] points of own planes that others have charges on
};

}  // namespace uplift::cpu
