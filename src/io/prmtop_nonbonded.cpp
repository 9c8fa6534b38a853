// Lennard-Jones types and 1-4 pairs: as divisors of the others (plain form), or as a table of their own (CHAMBER).
#include <algorithm>
#include <cmath>
#include <optional>

#include "prmtop_parts.hpp"

namespace uplift::prmtop {
namespace {

/// Two numbers that a file gives with eight digits or more, and that differ by the rounding of products only.
bool same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)); }
std::array<int, 2> ordered(int i, int j) { return {std::min(i, j), std::max(i, j)}; }

struct Lj {
  double c6, c12;
};
Lj lj_of(const ForceField& ff, int i, int j) {
  const std::size_t n = at(ff.lj_type[at(i)]) * at(ff.lj_types) + at(ff.lj_type[at(j)]);
  return {ff.lj_c6[n], ff.lj_c12[n]};
}

/// By what the pair's Lennard-Jones parameters are divided; 0: by nothing in particular, for there are none. Empty: they are no
/// multiple of those of the two types.
std::optional<double> lj_scale(const ForceField& ff, const Pair14& p) {
  const Lj full = lj_of(ff, p.i, p.j);
  if (p.c6 == 0 && p.c12 == 0) return full.c6 == 0 && full.c12 == 0 ? std::optional<double>(0) : std::nullopt;
  const double by = p.c12 != 0 ? full.c12 / p.c12 : full.c6 / p.c6;
  if (!(by > 0) || !same(full.c12, by * p.c12) || !same(full.c6, by * p.c6)) return std::nullopt;
  return by;
}

/// The same for the Coulomb part, which both forms of the file have as a divisor only.
double charge_scale(const Source& s, const Pair14& p) {
  const double full = s.ff.charges[at(p.i)] * s.ff.charges[at(p.j)];
  if (p.charge_product == 0 && full == 0) return 0;
  const double by = p.charge_product == 0 ? -1 : full / p.charge_product;
  if (!(by > 0))
    s.cannot("the 1-4 pair of " + s.name(p.i) + " and " + s.name(p.j) +
             " has a charge product that is no positive multiple of that of its atoms");
  return by;
}

/// A pair that only excludes what its atoms would have between them otherwise.
bool excludes(const ForceField& ff, const Pair14& p) {
  const Lj full = lj_of(ff, p.i, p.j);
  const bool any = ff.charges[at(p.i)] * ff.charges[at(p.j)] != 0 || full.c6 != 0 || full.c12 != 0;
  return any && p.charge_product == 0 && p.c6 == 0 && p.c12 == 0;
}

/// Types that are used, numbered by first use; with `by_name` also told apart by the names of atom types.
void number_types(const Source& s, bool by_name, Nonbonded& out) {
  std::map<std::pair<int, std::string>, int> numbers;
  std::vector<int> old;
  out.type.clear();
  for (int i = 0; i < s.topology.size(); ++i) {
    const int type = s.ff.lj_type[at(i)];
    const auto [place, is_new] =
        numbers.try_emplace({type, by_name ? s.topology.atoms[at(i)].type : ""}, static_cast<int>(old.size()));
    if (is_new) old.push_back(type);
    out.type.push_back(place->second);
  }
  out.types = static_cast<int>(old.size());
  out.c6.clear();
  out.c12.clear();
  for (int a : old)
    for (int b : old) {
      const std::size_t n = at(a) * at(s.ff.lj_types) + at(b);
      out.c6.push_back(s.ff.lj_c6[n]);
      out.c12.push_back(s.ff.lj_c12[n]);
    }
}

/// Fills the table of 1-4 pairs; returns a pair that does not fit into it, or nothing.
const Pair14* fill_14(const Source& s, Nonbonded& out) {
  out.c6_14 = out.c6;
  out.c12_14 = out.c12;
  std::vector<bool> known(out.c6.size());
  for (const Pair14& p : s.ff.pairs14) {
    if (excludes(s.ff, p)) continue;
    const std::size_t a = at(out.type[at(p.i)]), b = at(out.type[at(p.j)]), nt = at(out.types);
    for (const std::size_t n : {a * nt + b, b * nt + a}) {
      if (known[n] && !(same(out.c6_14[n], p.c6) && same(out.c12_14[n], p.c12))) return &p;
      known[n] = true;
      out.c6_14[n] = p.c6;
      out.c12_14[n] = p.c12;
    }
  }
  return nullptr;
}

bool needs_chamber(const ForceField& ff) {
  const auto acts = [](const auto& t) { return t.force_constant != 0; };
  return std::any_of(ff.urey_bradleys.begin(), ff.urey_bradleys.end(), acts) ||
         std::any_of(ff.impropers.begin(), ff.impropers.end(), acts) ||
         std::any_of(ff.pairs14.begin(), ff.pairs14.end(),
                     [&](const Pair14& p) { return !excludes(ff, p) && !lj_scale(ff, p); });
}

}  // namespace

Nonbonded nonbonded(const Source& s) {
  Nonbonded out;
  out.chamber = needs_chamber(s.ff);
  number_types(s, false, out);
  if (out.chamber) {
    if (fill_14(s, out)) {
      number_types(s, true, out);
      if (const Pair14* odd = fill_14(s, out))
        s.cannot("the 1-4 pair of " + s.name(odd->i) + " and " + s.name(odd->j) +
                 " has Lennard-Jones parameters that other pairs of the same atom types do not have");
    }
  }
  std::array<bool, 2> seen{};
  for (const Pair14& p : s.ff.pairs14) {
    if (excludes(s.ff, p)) continue;
    const Scales scales{charge_scale(s, p), out.chamber ? 1.0 : *lj_scale(s.ff, p)};
    for (std::size_t k = 0; k < 2; ++k)
      if (scales[k] > 0 && !seen[k]) {
        out.usual[k] = scales[k];
        seen[k] = true;
      }
    if (!out.pairs.try_emplace(ordered(p.i, p.j), scales).second)
      s.cannot("the 1-4 interaction of " + s.name(p.i) + " and " + s.name(p.j) + " is there twice");
  }
  if (out.chamber) out.usual = {seen[0] ? out.usual[0] : 1.0, 1.0};
  for (auto& [pair, scales] : out.pairs)
    for (std::size_t k = 0; k < 2; ++k)
      if (scales[k] == 0) scales[k] = out.usual[k];
  return out;
}

}  // namespace uplift::prmtop
