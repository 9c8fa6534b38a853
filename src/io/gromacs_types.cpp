// What stands before the molecules of a GROMACS topology: defaults, atom types, Lennard-Jones by pairs of types.
#include <cctype>
#include <cmath>

#include "gromacs_parts.hpp"
#include "uplift/core/error.hpp"

namespace uplift::gromacs {
namespace {

std::pair<int, int> ordered(int a, int b) { return {std::min(a, b), std::max(a, b)}; }

bool letter(std::string_view word) {
  return word.size() == 1 && ((word[0] >= 'a' && word[0] <= 'z') || (word[0] >= 'A' && word[0] <= 'Z'));
}

/// No system has larger ones; they would overflow, or be taken for energies of nothing.
constexpr double largest_sigma = 1e2, largest_epsilon = 1e6, largest_coefficient = 1e12;

void check_lennard_jones(const Line& line, double v, double w, int rule, bool of_a_pair) {
  if (rule == 1) {
    if ((!of_a_pair && (v < 0 || w < 0)) || std::abs(v) > largest_coefficient || std::abs(w) > largest_coefficient)
      line.fail("C6 or C12 is negative or impossibly large; correct it");
  } else if (v < 0 || (!of_a_pair && w < 0)) {
    line.fail("a negative sigma or epsilon is not known to the engine; give one that is not negative");
  } else if (v > largest_sigma || std::abs(w) > largest_epsilon) {
    line.fail(
        "sigma [nm] or epsilon [kJ/mol] is impossibly large (are the columns those of the combination rule?); correct it");
  }
}

}  // namespace

void Line::fail(const std::string& message) const { source.fail("[ " + section + " ]: " + message); }

void Line::need(std::size_t count, const char* what) const {
  if (words.size() < count)
    fail("the line has " + std::to_string(words.size()) + " words and needs at least " + std::to_string(count) + " (" + what +
         "); complete it");
}

int Line::integer(std::size_t word, const char* what) const {
  int value = 0;
  if (word >= words.size() || !parse_int(words[word], value))
    fail((word < words.size() ? in_quotes(words[word]) + " is no whole number" : "a number is missing") + " (" + what +
         "); correct the line, or define the macro");
  return value;
}

double Line::real(std::size_t word, const char* what) const {
  double value = 0;
  if (word >= words.size() || !parse_real(words[word], value))
    fail((word < words.size() ? in_quotes(words[word]) + " is no number" : "a number is missing") + " (" + what +
         "); correct the line, or define the macro");
  return value;
}

std::vector<double> Line::reals(std::size_t first) const {
  std::vector<double> values;
  for (std::size_t n = first; n < words.size(); ++n) values.push_back(real(n, "a parameter"));
  return values;
}

void ForceFieldTypes::read_defaults(const Line& line) {
  if (defaults_.given) line.fail("is there a second time; a topology has one (is the force field included twice?)");
  line.need(2, "nbfunc, combination rule, then gen-pairs, fudgeLJ, fudgeQQ");
  const int function = line.integer(0, "nbfunc");
  if (function == 2)
    line.fail(
        "nbfunc 2 asks for Buckingham potentials, which the engine does not have; use a force field with Lennard-Jones (nbfunc "
        "1)");
  if (function != 1)
    line.fail("nbfunc is 1 (Lennard-Jones) or 2 (Buckingham), not " + std::to_string(function) + "; correct it");
  defaults_.combination_rule = line.integer(1, "combination rule");
  if (defaults_.combination_rule < 1 || defaults_.combination_rule > 3)
    line.fail("combination rule " + std::to_string(defaults_.combination_rule) + " is not known; the rules are 1, 2 and 3");
  if (line.words.size() > 2) {
    const std::string_view word = line.words[2];
    const bool yes = word.starts_with('y') || word.starts_with('Y'), no = word.starts_with('n') || word.starts_with('N');
    if (!yes && !no) line.fail("gen-pairs is yes or no, not " + in_quotes(word) + "; correct it");
    defaults_.generate_pairs = yes;
  }
  if (line.words.size() > 3) defaults_.fudge_lj = line.real(3, "fudgeLJ");
  if (line.words.size() > 4) defaults_.fudge_qq = line.real(4, "fudgeQQ");
  defaults_.given = true;
}

/// name, [bonded name,] [atomic number,] mass, charge, particle type, two parameters: the place of the particle type, a lone
/// letter, tells which of the two are there.
void ForceFieldTypes::read_atom_type(const Line& line) {
  if (!defaults_.given)
    line.fail("stands before [ defaults ], which says what its columns mean; include the force field first");
  line.need(6, "name, mass, charge, particle type, two parameters");
  const Words& w = line.words;
  std::size_t at = 0;
  for (std::size_t n : {std::size_t{5}, std::size_t{4}, std::size_t{3}})
    if (at == 0 && n < w.size() && letter(w[n])) at = n;
  if (at == 0)
    line.fail(
        "no particle type (a letter: A, V, D or S) in the fourth to sixth column; the columns are: name, bonded name, atomic "
        "number, mass, charge, particle type, two parameters");
  const bool bonded_name_given = at == 5 || (at == 4 && !w[1].empty() && std::isalpha(static_cast<unsigned char>(w[1][0])));
  const bool number_given = at == 5 || (at == 4 && !bonded_name_given);
  AtomType type;
  type.name = std::string(w[0]);
  type.bonded = bonded_name(bonded_name_given ? w[1] : w[0]);
  if (number_given) type.element = line.integer(at == 5 ? 2 : 1, "atomic number");
  if (type.element < 0 || type.element > 118) type.element = 0;
  type.mass = line.real(at - 2, "mass");
  type.charge = line.real(at - 1, "charge");
  type.particle = static_cast<char>(std::toupper(static_cast<unsigned char>(w[at][0])));
  if (type.particle == 'S')
    line.fail(
        "particle type S is a shell (polarisable force field), which the engine does not have; use one with fixed charges");
  if (type.particle != 'A' && type.particle != 'V' && type.particle != 'D')
    line.fail("particle type " + in_quotes(w[at]) + " is not known (A: atom, V or D: virtual site); correct it");
  if (type.mass < 0) line.fail("the mass is negative; correct it");
  if (w.size() != at + 3)
    line.fail("after the particle type stand two parameters, and here are " + std::to_string(w.size() - at - 1) +
              "; correct the line");
  type.v = line.real(at + 1, "first Lennard-Jones parameter");
  type.w = line.real(at + 2, "second Lennard-Jones parameter");
  check_lennard_jones(line, type.v, type.w, defaults_.combination_rule, false);
  const auto [there, fresh] = atom_numbers_.try_emplace(type.name, atom_types());
  if (fresh)
    atoms_.push_back(std::move(type));
  else
    atoms_[static_cast<std::size_t>(there->second)] = std::move(type);  // a later line replaces an earlier one
}

int ForceFieldTypes::find_atom_type(const Line& line, std::string_view name) const {
  const auto at = atom_numbers_.find(std::string(name));
  if (at == atom_numbers_.end())
    line.fail("there is no atom type " + in_quotes(name) +
              " in [ atomtypes ] (another force field?); include the file that defines it");
  return at->second;
}

void ForceFieldTypes::read_pair_type(const Line& line) {
  line.need(5, "two atom types, function 1, two parameters");
  const int function = line.integer(2, "function");
  if (function != 1)
    line.fail("function " + std::to_string(function) +
              " of pair types is not known to the engine; it has function 1 (Lennard-Jones)");
  const auto p = line.reals(3);
  if (p.size() != 2 && !(p.size() == 4 && p[0] == p[2] && p[1] == p[3]))
    line.fail("two parameters are needed; correct the line");
  check_lennard_jones(line, p[0], p[1], defaults_.combination_rule, true);
  pair_types_[ordered(find_atom_type(line, line.words[0]), find_atom_type(line, line.words[1]))] = {p[0], p[1]};
}

void ForceFieldTypes::read_nonbonded(const Line& line) {
  line.need(5, "two atom types, function 1, two parameters");
  const int function = line.integer(2, "function");
  if (function != 1)
    line.fail("function " + std::to_string(function) +
              " of nonbonded parameters is not known to the engine; it has function 1 (Lennard-Jones)");
  const auto p = line.reals(3);
  if (p.size() != 2) line.fail("two parameters are needed; correct the line");
  check_lennard_jones(line, p[0], p[1], defaults_.combination_rule, true);
  nonbonded_[ordered(find_atom_type(line, line.words[0]), find_atom_type(line, line.words[1]))] = {p[0], p[1]};
}

LennardJones ForceFieldTypes::from_parameters(double v, double w) const {
  if (defaults_.combination_rule == 1) return {v, w};
  const double s6 = std::pow(v, 6);  // sigma and epsilon
  return {4 * w * s6, 4 * w * s6 * s6};
}

LennardJones ForceFieldTypes::lennard_jones(int a, int b) const {
  if (const auto given = nonbonded_.find(ordered(a, b)); given != nonbonded_.end())
    return from_parameters(given->second[0], given->second[1]);
  const AtomType &p = atom(a), &q = atom(b);
  // Rules 1 and 3 are geometric in both, rule 2 takes the arithmetic mean of sigma (Lorentz and Berthelot).
  const double second = std::sqrt(p.w * q.w);
  return from_parameters(defaults_.combination_rule == 2 ? (p.v + q.v) / 2 : std::sqrt(p.v * q.v), second);
}

LennardJones ForceFieldTypes::pair14(const Line& line, int a, int b) const {
  if (const auto given = pair_types_.find(ordered(a, b)); given != pair_types_.end())
    return from_parameters(given->second[0], given->second[1]);
  if (!defaults_.generate_pairs)
    line.fail("no parameters here, none in [ pairtypes ] for " + printable(atom(a).name) + " and " + printable(atom(b).name) +
              ", and gen-pairs is no; add them");
  const LennardJones lj = lennard_jones(a, b);
  return {defaults_.fudge_lj * lj.c6, defaults_.fudge_lj * lj.c12};
}

}  // namespace uplift::gromacs
