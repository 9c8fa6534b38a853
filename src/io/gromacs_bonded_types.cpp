// Bonded parameters by type, and how an interaction finds its own.
#include <algorithm>
#include <cmath>
#include <utility>

#include "gromacs_parts.hpp"

namespace uplift::gromacs {
namespace {

[[noreturn]] void refuse(const Line& line, int function, const char* what, const char* known) {
  line.fail("function " + std::to_string(function) + " (" + what + ") is not one that the engine has; it has " + known);
}

bool is_dihedral(Kind kind) {
  return kind == Kind::proper || kind == Kind::periodic_improper || kind == Kind::harmonic_improper ||
         kind == Kind::ryckaert_bellemans || kind == Kind::fourier;
}

std::vector<int> reversed(std::vector<int> types) {
  std::reverse(types.begin(), types.end());
  return types;
}

}  // namespace

Kind bond_kind(const Line& line, int function) {
  constexpr const char* known = "1 (harmonic), 5 (connection) and 6 (harmonic, no exclusions)";
  switch (function) {
    case 1:
      return Kind::bond;
    case 6:
      return Kind::harmonic;
    case 2:
      refuse(line, function, "fourth power, GROMOS-96", known);
    case 3:
      refuse(line, function, "Morse", known);
    case 4:
      refuse(line, function, "cubic", known);
    case 7:
      refuse(line, function, "FENE", known);
    case 8:
    case 9:
      refuse(line, function, "table", known);
    case 10:
      refuse(line, function, "restraint", known);
    default:
      refuse(line, function, "unknown", known);
  }
}

Kind angle_kind(const Line& line, int function) {
  constexpr const char* known = "1 (harmonic) and 5 (Urey-Bradley)";
  switch (function) {
    case 1:
      return Kind::angle;
    case 5:
      return Kind::urey_bradley;
    case 2:
      refuse(line, function, "harmonic in the cosine, GROMOS-96", known);
    case 3:
      refuse(line, function, "cross of bonds", known);
    case 4:
      refuse(line, function, "cross of bonds and angle", known);
    case 6:
      refuse(line, function, "fourth order", known);
    case 8:
      refuse(line, function, "table", known);
    case 9:
      refuse(line, function, "linear", known);
    case 10:
      refuse(line, function, "restricted bending", known);
    default:
      refuse(line, function, "unknown", known);
  }
}

Kind dihedral_kind(const Line& line, int function) {
  constexpr const char* known =
      "1 and 9 (periodic), 4 (periodic improper), 2 (harmonic improper), 3 (Ryckaert-Bellemans) and 5 (Fourier)";
  switch (function) {
    case 1:
    case 9:
      return Kind::proper;
    case 2:
      return Kind::harmonic_improper;
    case 3:
      return Kind::ryckaert_bellemans;
    case 4:
      return Kind::periodic_improper;
    case 5:
      return Kind::fourier;
    case 8:
      refuse(line, function, "table", known);
    case 10:
      refuse(line, function, "restricted", known);
    case 11:
      refuse(line, function, "combined bending and torsion", known);
    default:
      refuse(line, function, "unknown", known);
  }
}

std::size_t parameter_count(Kind kind) {
  switch (kind) {
    case Kind::constraint:
      return 1;
    case Kind::bond:
    case Kind::harmonic:
    case Kind::angle:
    case Kind::harmonic_improper:
      return 2;
    case Kind::proper:
    case Kind::periodic_improper:
      return 3;
    case Kind::urey_bradley:
    case Kind::fourier:
      return 4;
    case Kind::ryckaert_bellemans:
      return 6;
  }
  return 0;
}

std::vector<double> one_state(const Line& line, Kind kind, std::vector<double> given) {
  // The last coefficient of a Fourier dihedral is zero where it is left out.
  if (kind == Kind::fourier && given.size() == 3) given.push_back(0);
  return one_state(line, parameter_count(kind), std::move(given));
}

std::vector<double> one_state(const Line& line, std::size_t n, std::vector<double> given) {
  if (given.size() == 2 * n) {
    if (!std::equal(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(n),
                    given.begin() + static_cast<std::ptrdiff_t>(n)))
      line.fail("has a B state that differs from A (free-energy perturbation), which the engine does not do; give one state");
    given.resize(n);
  }
  // Constants of force may be left out: they are zero.
  if (given.size() != n)
    line.fail("this function has " + std::to_string(n) + " parameters, or twice as many with a B state, and the line has " +
              std::to_string(given.size()) + "; correct it");
  return given;
}

int ForceFieldTypes::bonded_name(std::string_view name) {
  return bonded_numbers_.try_emplace(std::string(name), static_cast<int>(bonded_numbers_.size())).first->second;
}

void ForceFieldTypes::read_bonded(const Line& line, int atoms) {
  const auto n = static_cast<std::size_t>(atoms);
  line.need(n + 1, "types, function, parameters");
  const int function = line.integer(n, "function");
  Kind kind = Kind::constraint;
  if (line.section == "angletypes") kind = angle_kind(line, function);
  if (line.section == "bondtypes") kind = bond_kind(line, function);
  if (line.section == "constrainttypes" && function != 1 && function != 2)
    line.fail("constraints have function 1 or 2, not " + std::to_string(function) + "; correct it");
  std::vector<int> types;
  for (std::size_t a = 0; a < n; ++a) types.push_back(bonded_name(line.words[a]));
  add_bonded(line, kind, std::move(types), one_state(line, kind, line.reals(n + 1)), false);
}

/// Four types, or two: the inner ones of a proper dihedral, the outer ones of an improper.
void ForceFieldTypes::read_dihedral_type(const Line& line) {
  line.need(4, "types, function, parameters");
  const Words& w = line.words;
  const auto digit = [](std::string_view word) { return word.size() == 1 && word[0] >= '0' && word[0] <= '9'; };
  const bool two = digit(w[2]);
  if (!two) line.need(5, "four types, function, parameters");
  const std::size_t at = two ? 2 : 4;
  const int function = line.integer(at, "function");
  const Kind kind = dihedral_kind(line, function);
  std::vector<std::string_view> names;
  if (!two)
    names.assign(w.begin(), w.begin() + 4);
  else if (kind == Kind::harmonic_improper)
    names = {w[0], "X", "X", w[1]};
  else
    names = {"X", w[0], w[1], "X"};
  std::vector<int> types;
  for (std::string_view name : names) types.push_back(name == "X" ? wildcard : bonded_name(name));
  add_bonded(line, kind, std::move(types), one_state(line, kind, line.reals(at + 1)), function == 9);
}

/// Repeated lines of a proper dihedral that follow each other are its several terms; everything else that is there already is
/// replaced.
void ForceFieldTypes::add_bonded(const Line& line, Kind kind, std::vector<int> types, std::vector<double> parameters,
                                 bool may_repeat) {
  found_.clear();
  std::vector<int> key = std::min(types, reversed(types));
  const auto [at, fresh] = exact_.try_emplace({kind, key}, entries_.size());
  const int number = static_cast<int>(at->second);
  if (fresh) {
    if (is_dihedral(kind)) dihedrals_[kind].push_back(entries_.size());
    entries_.push_back({kind, std::move(types), {std::move(parameters)}, line.source.where()});
  } else {
    Entry& entry = entries_[at->second];
    if (may_repeat && number == last_dihedral_) {
      entry.sets.push_back(std::move(parameters));
    } else if (may_repeat && (entry.sets.size() > 1 || entry.sets[0] != parameters)) {
      line.fail("a second block of parameters for the same four types as in " + line.source.file_name(entry.last.file) + ":" +
                std::to_string(entry.last.line) +
                " (terms of one dihedral stand in adjacent lines); put the lines together, or remove one block");
    } else {
      entry.sets = {std::move(parameters)};
    }
    entry.last = line.source.where();
  }
  last_dihedral_ = may_repeat ? number : -1;
}

const std::vector<std::vector<double>>* ForceFieldTypes::bonded(Kind kind, const std::vector<int>& types) const {
  std::vector<int> names;
  for (int t : types) names.push_back(atom(t).bonded);
  const auto known = found_.find({kind, names});
  const Entry* entry = known != found_.end() ? known->second : (found_[{kind, names}] = match(kind, names));
  return entry ? &entry->sets : nullptr;
}

/// Of dihedrals, the first among those that name most of the four types.
const ForceFieldTypes::Entry* ForceFieldTypes::match(Kind kind, const std::vector<int>& names) const {
  if (!is_dihedral(kind)) {
    const auto at = exact_.find({kind, std::min(names, reversed(names))});
    return at == exact_.end() ? nullptr : &entries_[at->second];
  }
  const auto list = dihedrals_.find(kind);
  if (list == dihedrals_.end()) return nullptr;
  const auto matches = [](const std::vector<int>& pattern, const std::vector<int>& wanted) {
    int exact = 0;
    for (std::size_t n = 0; n < 4; ++n) {
      if (pattern[n] == wildcard) continue;
      if (pattern[n] != wanted[n]) return -1;
      ++exact;
    }
    return exact;
  };
  const std::vector<int> back = reversed(names);
  const Entry* best = nullptr;
  int most = -1;
  for (std::size_t e : list->second) {
    const int exact = std::max(matches(entries_[e].types, names), matches(entries_[e].types, back));
    if (exact > most) {
      most = exact;
      best = &entries_[e];
    }
  }
  return best;
}

std::string ForceFieldTypes::type_names(const std::vector<int>& types) const {
  std::string all;
  for (int t : types) all += (all.empty() ? "" : " ") + printable(atom(t).name);
  return all;
}

void ForceFieldTypes::read_cmap_type(const Line& line) {
  line.need(8, "five types, function 1, two sizes, energies");
  if (const int function = line.integer(5, "function"); function != 1)
    line.fail("function " + std::to_string(function) + " of CMAP is not known to the engine; it has function 1");
  const int size = line.integer(6, "grid size"), other = line.integer(7, "grid size");
  if (size != other || size < 4 || size > 360)
    line.fail("a map has as many points in both directions, 4 to 360 (here " + std::to_string(size) + " and " +
              std::to_string(other) + "); correct it");
  const auto points = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  CmapGrid grid{size, line.reals(8)};
  if (grid.energy.size() != points)
    line.fail("a map of " + std::to_string(size) + " by " + std::to_string(size) + " has " + std::to_string(points) +
              " energies and the line has " + std::to_string(grid.energy.size()) + " (lines that go on end with a backslash)");
  std::array<int, 5> types{};
  for (std::size_t n = 0; n < 5; ++n) types[n] = bonded_name(line.words[n]);
  const auto [at, fresh] = cmap_numbers_.try_emplace(types, static_cast<int>(cmap_grids_.size()));
  if (fresh)
    cmap_grids_.push_back(std::move(grid));
  else
    cmap_grids_[static_cast<std::size_t>(at->second)] = std::move(grid);
}

int ForceFieldTypes::cmap(const std::array<int, 5>& types) const {
  std::array<int, 5> names{};
  for (std::size_t n = 0; n < 5; ++n) names[n] = atom(types[n]).bonded;
  const auto at = cmap_numbers_.find(names);
  return at == cmap_numbers_.end() ? -1 : at->second;
}

}  // namespace uplift::gromacs
