// CHARMM's parameter, topology and stream files, as far as forces depend on them.
#include <algorithm>
#include <cmath>

#include "charmm_parts.hpp"
#include "gromacs_preprocessor.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::charmm {
namespace {

enum class Part { none, atoms, bonds, angles, dihedrals, impropers, cmap, nonbonded, nbfix, passed_over };

/// The part that a line of a parameter file begins, by the first four letters as CHARMM goes.
std::optional<Part> heading(std::string_view word) {
  const std::string_view four = word.substr(0, 4);
  if (four == "ATOM") return Part::atoms;
  if (four == "BOND") return Part::bonds;
  if (four == "ANGL" || four == "THET") return Part::angles;
  if (four == "DIHE" || word == "PHI") return Part::dihedrals;
  if (four == "IMPR" || four == "IMPH") return Part::impropers;
  if (four == "CMAP") return Part::cmap;
  if (four == "NONB" || four == "NBON") return Part::nonbonded;
  if (four == "NBFI") return Part::nbfix;
  if (four == "HBON") return Part::passed_over;  // CHARMM's force fields have had no hydrogen-bond term since CHARMM22
  if (four == "THOL" || four == "ANIS") return Part::passed_over;  // of Drude particles, which a PSF without DRUDE has not
  return std::nullopt;
}

class ParameterReader {
 public:
  ParameterReader(const std::string& path, Parameters& out) : path_(path), out_(out), text_(read_file(path)), lines_(text_) {
    find_kind();
  }

  void read() {
    while (!lines_.done()) {
      std::string line = next();
      const auto words = gromacs::split(line);
      if (!words.empty()) use(words);
    }
    finish_map();
  }

 private:
  enum class Kind { script, topology, parameters };

  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(path_ + ":" + std::to_string(std::max(1, lines_.line())) + ": " + message);
  }

  /// The next line in capitals, without comment, joined with those that it goes on in; empty for a title.
  std::string next() {
    std::string all;
    while (!lines_.done()) {
      std::string_view line = lines_.next();
      line = trim(line.substr(0, line.find('!')));
      if (line.starts_with('*')) return {};
      const bool more = line.ends_with('-') && (line.size() == 1 || line[line.size() - 2] == ' ');
      all += more ? line.substr(0, line.size() - 1) : line;
      if (!more) break;
      all += ' ';
    }
    return capitals(all);
  }

  /// Stream files say "read rtf" and "read para"; a file without such commands is of one kind, a topology if it begins with
  /// CHARMM's version or has residues.
  void find_kind() {
    bool commands = false, residues = false, first = true;
    LineReader lines(text_);
    while (!lines.done()) {
      const std::string line = capitals(lines.next());
      const auto words = gromacs::split(line);
      if (words.empty() || words[0][0] == '*' || words[0][0] == '!') continue;
      int version = 0;
      if (first && parse_int(words[0], version)) residues = true;
      first = false;
      commands |= words[0] == "READ" && words.size() > 1 && (words[1].starts_with("RTF") || words[1].starts_with("PARA"));
      residues |= words[0] == "RESI" || words[0] == "PRES";
    }
    kind_ = commands ? Kind::script : residues ? Kind::topology : Kind::parameters;
  }

  void use(const std::vector<std::string_view>& w) {
    if (w[0] == "READ" && w.size() > 1) {
      finish_map();
      part_ = Part::none;
      kind_ = w[1].starts_with("RTF") ? Kind::topology : w[1].starts_with("PARA") ? Kind::parameters : Kind::script;
      return;
    }
    if (w[0] == "MASS" && kind_ != Kind::script) return mass(w);
    if (w[0] == "END") {
      finish_map();
      part_ = Part::none;
      kind_ = Kind::script;
      return;
    }
    if (kind_ != Kind::parameters) return;  // residues of a topology file, commands of a script
    if (w[0] == "RETURN") return;
    // A type may have the name of a heading (CMAP has none, "ATOM" none); a heading stands alone, or has settings.
    if (const auto part = heading(w[0]);
        part && (w.size() == 1 || *part == Part::nonbonded || *part == Part::passed_over || *part == Part::nbfix)) {
      finish_map();
      part_ = *part;
      if (part_ == Part::nonbonded) settings(w);
      return;
    }
    switch (part_) {
      case Part::bonds:
        return bond(w);
      case Part::angles:
        return angle(w);
      case Part::dihedrals:
        return torsion(w, out_.dihedrals, false);
      case Part::impropers:
        return torsion(w, out_.impropers, true);
      case Part::cmap:
        return cmap(w);
      case Part::nonbonded:
        return nonbonded(w);
      case Part::nbfix:
        return fix(w);
      case Part::passed_over:
        return;
      case Part::atoms:
      case Part::none:
        break;
    }
    fail(in_quotes(w[0]) +
         " is no line of a parameter file here (BONDS, ANGLES, DIHEDRALS, IMPROPER, CMAP, NONBONDED or NBFIX comes first); "
         "give CHARMM parameter, topology or stream files");
  }

  double real(const std::vector<std::string_view>& w, std::size_t at, const char* what) const {
    double value = 0;
    if (at >= w.size()) fail(std::string("the line ends before ") + what + "; the file is damaged");
    if (!parse_real(w[at], value) || std::abs(value) > 1e8)
      fail(in_quotes(w[at]) + " is no number within bounds (" + what + "); the file is damaged");
    return value;
  }
  static Types types(const std::vector<std::string_view>& w, std::size_t n) {
    return {w.begin(), w.begin() + static_cast<std::ptrdiff_t>(std::min(n, w.size()))};
  }

  void mass(const std::vector<std::string_view>& w) {
    if (w.size() < 4) fail("a MASS line has a number, a type and a mass; the file is damaged");
    int number = 0;
    if (!parse_int(w[1], number)) fail(in_quotes(w[1]) + " is no number of a type; the file is damaged");
    real(w, 3, "mass");
    if (number > 0) out_.type_numbers[number] = std::string(w[2]);
    if (w.size() > 4)
      if (const int element = element_number(std::string(w[4]))) out_.elements[std::string(w[2])] = element;
  }

  void bond(const std::vector<std::string_view>& w) {
    out_.bonds[canonical(types(w, 2))] = {real(w, 2, "force constant"), real(w, 3, "length")};
  }

  void angle(const std::vector<std::string_view>& w) {
    Angle a{real(w, 3, "force constant"), real(w, 4, "angle") * constants::radians_per_degree, std::nullopt};
    if (w.size() > 5) a.urey_bradley = Bond{real(w, 5, "Urey-Bradley force constant"), real(w, 6, "Urey-Bradley distance")};
    out_.angles[canonical(types(w, 3))] = a;
  }

  /// Lines of one set of types with different periodicities are its several terms; one with the same periodicity replaces it.
  void torsion(const std::vector<std::string_view>& w, std::map<Types, std::vector<Torsion>>& table, bool improper) {
    const double n = real(w, 5, "periodicity");
    if (n < 0 || n > 12 || n != std::round(n)) fail("the periodicity is no whole number from 0 to 12; the file is damaged");
    const Torsion term{real(w, 4, "force constant"), static_cast<int>(n), real(w, 6, "phase") * constants::radians_per_degree};
    if (!improper && term.periodicity == 0 && term.k != 0)
      fail("a dihedral of periodicity 0 (harmonic), which CHARMM has for impropers only; correct it");
    auto& terms = table[canonical(types(w, 4))];
    const auto same =
        std::find_if(terms.begin(), terms.end(), [&](const Torsion& t) { return t.periodicity == term.periodicity; });
    if (improper) terms.clear();  // an improper has one term
    if (!improper && same != terms.end())
      *same = term;
    else
      terms.push_back(term);
  }

  void cmap(const std::vector<std::string_view>& w) {
    double number = 0;
    if (!parse_real(w[0], number)) {
      finish_map();
      if (w.size() != 9) fail("a map begins with eight types and its size; the file is damaged");
      map_types_ = types(w, 8);
      const double size = real(w, 8, "size of the map");
      if (size < 4 || size > 360 || size != std::round(size)) fail("a map has 4 to 360 points a side; the file is damaged");
      map_ = CmapGrid{static_cast<int>(size), {}};
      return;
    }
    if (map_types_.empty()) fail("numbers of a map without its types; the file is damaged");
    for (std::size_t n = 0; n < w.size(); ++n)
      map_.energy.push_back(real(w, n, "energy") * constants::kilojoule_per_kilocalorie);
  }
  void finish_map() {
    if (map_types_.empty()) return;
    const auto points = static_cast<std::size_t>(map_.resolution) * static_cast<std::size_t>(map_.resolution);
    if (map_.energy.size() != points)
      fail("the map of " + std::to_string(map_.resolution) + " by " + std::to_string(map_.resolution) +
           " points before this line has " + std::to_string(map_.energy.size()) + " energies; the file is damaged");
    out_.cmaps[map_types_] = std::move(map_);
    map_types_.clear();
    map_ = {};
  }

  /// Settings of the nonbonded part. Cutoffs are the user's own; what changes the potential itself must be CHARMM's usual.
  void settings(const std::vector<std::string_view>& w) {
    for (std::size_t n = 1; n < w.size(); ++n) {
      if (w[n] == "E14FAC") out_.e14_factor = real(w, n + 1, "E14FAC");
      if (w[n] == "GEOM" || w[n] == "GEOMETRIC") out_.geometric = true;
      if (w[n] == "EPS" && real(w, n + 1, "EPS") != 1)
        fail("EPS is not 1: a dielectric constant, which the engine does not have; use a force field for EPS 1");
      if (w[n] == "NBXMOD" && std::abs(real(w, n + 1, "NBXMOD")) != 5)
        fail("NBXMOD is not 5: other exclusions than of atoms one and two bonds apart, which this reader does not have");
      if (w[n] == "RDIE" || w[n] == "RDIEL")
        fail("RDIE: a dielectric constant that grows with distance, which the engine does not have; use CDIE");
    }
  }

  Radius radius(const std::vector<std::string_view>& w, std::size_t at) const {
    const double epsilon = real(w, at + 1, "epsilon"), half = real(w, at + 2, "Rmin/2");
    if (epsilon > 0)
      fail(
          "epsilon is positive, which stands for a polarisability (Slater and Kirkwood) that this reader does not know; give "
          "epsilon as a negative number");
    if (half < 0 || half > 100) fail("an impossible Rmin/2; the file is damaged");
    return {-epsilon, half};
  }
  void nonbonded(const std::vector<std::string_view>& w) {
    if (w[0].find_first_of("*%#+") != std::string_view::npos)
      fail("a type with wildcards (" + printable(w[0]) +
           ") in NONBONDED is not known to this reader; write a line for each type");
    Nonbonded n;
    n.normal = n.of_14 = radius(w, 1);
    if (w.size() > 4) n.of_14 = radius(w, 4);
    out_.nonbonded[std::string(w[0])] = n;
  }

  void fix(const std::vector<std::string_view>& w) {
    PairFix f{-real(w, 2, "Emin"), real(w, 3, "Rmin"), 0, 0};
    f.epsilon_14 = w.size() > 4 ? -real(w, 4, "Emin of 1-4") : f.epsilon;
    f.rmin_14 = w.size() > 4 ? real(w, 5, "Rmin of 1-4") : f.rmin;
    if (f.epsilon < 0 || f.epsilon_14 < 0 || f.rmin < 0 || f.rmin_14 < 0 || f.rmin > 200 || f.rmin_14 > 200)
      fail("an impossible Emin or Rmin (Emin is negative); the file is damaged");
    out_.fixes[canonical(types(w, 2))] = f;
  }

  std::string path_;
  Parameters& out_;
  std::string text_;
  LineReader lines_;
  Kind kind_ = Kind::parameters;
  Part part_ = Part::none;
  Types map_types_;
  CmapGrid map_{0, {}};
};

}  // namespace

void read_parameters(const std::string& path, Parameters& out) { ParameterReader(path, out).read(); }

Types canonical(Types types) {
  Types back(types.rbegin(), types.rend());
  return std::min(types, back);
}

const std::vector<Torsion>* find_torsion(const std::map<Types, std::vector<Torsion>>& table, const Types& t, bool improper) {
  const auto look = [&](const Types& wanted) {
    const auto at = table.find(canonical(wanted));
    return at == table.end() ? nullptr : &at->second;
  };
  if (const auto* exact = look(t)) return exact;
  const std::string x = "X";
  if (!improper) return look({x, t[1], t[2], x});
  const Types b{t[3], t[2], t[1], t[0]};
  if (const auto* found = look({t[0], x, x, t[3]})) return found;
  for (const Types& types : {t, b}) {
    if (const auto* found = look({x, types[1], types[2], types[3]})) return found;
  }
  if (const auto* found = look({x, t[1], t[2], x})) return found;
  for (const Types& types : {t, b})
    if (const auto* found = look({x, x, types[2], types[3]})) return found;
  return nullptr;
}

}  // namespace uplift::charmm
