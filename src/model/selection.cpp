#include "uplift/model/selection.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

// Names that Amber and CHARMM give to amino acids in their protonation states, and to caps.
const std::set<std::string> amino_acids = {"ALA", "ARG", "ASN", "ASP", "ASH", "CYS", "CYX", "CYM", "GLN", "GLU",
                                           "GLH", "GLY", "HIS", "HID", "HIE", "HIP", "HSD", "HSE", "HSP", "HYP",
                                           "ILE", "LEU", "LYS", "LYN", "MET", "PHE", "PRO", "SER", "THR", "TRP",
                                           "TYR", "VAL", "MSE", "ACE", "NME", "NMA", "NHE", "NH2"};
const std::set<std::string> backbone_names = {"N", "CA", "C", "O", "OXT"};

/// Recursive descent: or < and < not < term. Works on sets as one flag an atom.
class Parser {
 public:
  using Flags = std::vector<char>;
  Parser(const Topology& t, const std::string& text) : t_(t), text_(text) { next(); }

  Flags parse() {
    Flags f = any();
    if (!word_.empty()) fail("unexpected '" + word_ + "'");
    return f;
  }
  /// What was asked for by name or number and is nowhere: "resname LIH".
  const std::vector<std::string>& absent() const { return absent_; }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError(
        "selection '" + text_ + "', column " + std::to_string(begin_ + 1) + ": " + what +
        "; use all, protein, backbone, protein-heavy, heavy, water, name, resname, resid, chain, not, and, or, ( )");
  }
  void next() {
    while (end_ < text_.size() && text_[end_] == ' ') ++end_;
    begin_ = end_;
    if (end_ < text_.size() && (text_[end_] == '(' || text_[end_] == ')'))
      ++end_;
    else
      while (end_ < text_.size() && text_[end_] != ' ' && text_[end_] != '(' && text_[end_] != ')') ++end_;
    word_ = text_.substr(begin_, end_ - begin_);
  }
  bool take(const std::string& w) {
    if (word_ != w) return false;
    next();
    return true;
  }
  Flags any() {
    Flags f = both();
    while (take("or")) {
      const Flags g = both();
      for (std::size_t i = 0; i < f.size(); ++i) f[i] = f[i] || g[i];
    }
    return f;
  }
  Flags both() {
    Flags f = negated();
    while (take("and")) {
      const Flags g = negated();
      for (std::size_t i = 0; i < f.size(); ++i) f[i] = f[i] && g[i];
    }
    return f;
  }
  Flags negated() {
    if (depth_ > 100) fail("nested too deeply");
    if (take("not")) {
      ++depth_;
      Flags f = negated();
      --depth_;
      for (char& c : f) c = !c;
      return f;
    }
    if (take("(")) {
      ++depth_;
      Flags f = any();
      --depth_;
      if (!take(")")) fail("')' is missing");
      return f;
    }
    return term();
  }
  Flags where(const std::function<bool(const Atom&, const Residue&)>& keep) const {
    Flags f;
    for (const Atom& a : t_.atoms) f.push_back(keep(a, t_.residues[static_cast<std::size_t>(a.residue)]));
    return f;
  }
  /// A pattern that is nobody's name would select nothing, and `not` of it all, without a word.
  Flags named(const std::function<std::string(const Atom&, const Residue&)>& name_of) {
    const std::set<std::string> names = words([&](const std::string& w) {
      const Flags f = where([&](const Atom& a, const Residue& r) { return name_of(a, r) == w; });
      if (w.find_first_of("*?[") != std::string::npos && std::find(f.begin(), f.end(), 1) == f.end())
        fail("nothing is called '" + w + "', and there are no wildcards: write the names (for all but hydrogens: heavy)");
    });
    return where([&](const Atom& a, const Residue& r) { return names.count(name_of(a, r)) > 0; });
  }
  /// Notes the part of the text that begins at `begin` and has just been read if it is about no atom.
  Flags noted(std::size_t begin, Flags f) {
    if (std::find(f.begin(), f.end(), 1) == f.end()) {
      const std::size_t end = text_.find_last_not_of(' ', begin_ - 1);
      absent_.push_back(text_.substr(begin, end + 1 - begin));
    }
    return f;
  }
  static bool protein(const Residue& r) {
    // Terminal residues carry an N or C in front in some force fields.
    return amino_acids.count(r.name) ||
           (r.name.size() == 4 && (r.name[0] == 'N' || r.name[0] == 'C') && amino_acids.count(r.name.substr(1)));
  }
  Flags term() {
    if (take("all")) return where([](const Atom&, const Residue&) { return true; });
    if (take("protein")) return where([](const Atom&, const Residue& r) { return protein(r); });
    if (take("backbone"))
      return where([](const Atom& a, const Residue& r) { return protein(r) && backbone_names.count(a.name); });
    if (take("protein-heavy")) return where([](const Atom& a, const Residue& r) { return protein(r) && a.element > 1; });
    if (take("heavy")) return where([](const Atom& a, const Residue&) { return a.element > 1; });
    if (take("water")) return where([&](const Atom&, const Residue& r) { return is_water(t_, r); });
    const std::size_t begin = begin_;
    if (take("name")) return noted(begin, named([](const Atom& a, const Residue&) { return a.name; }));
    if (take("resname")) return noted(begin, named([](const Atom&, const Residue& r) { return r.name; }));
    if (take("chain")) return noted(begin, named([](const Atom&, const Residue& r) { return r.chain; }));
    if (take("resid")) {
      Flags f(t_.atoms.size(), 0);
      for (const std::string& w : words()) {
        int low = 0, high = 0;
        const char* stop = w.data() + w.size();
        auto [p, error] = std::from_chars(w.data(), stop, low);
        high = low;
        if (error == std::errc() && p != stop && *p == '-') std::tie(p, error) = from(p + 1, stop, high);
        if (error != std::errc() || p != stop || high < low) fail("'" + w + "' is not a residue number or a range like 1-20");
        const Flags g = where([&](const Atom&, const Residue& r) { return r.number >= low && r.number <= high; });
        for (std::size_t i = 0; i < f.size(); ++i) f[i] = f[i] || g[i];
      }
      return noted(begin, std::move(f));
    }
    fail(word_.empty() ? "something to select is missing" : "unknown word '" + word_ + "'");
  }
  static std::pair<const char*, std::errc> from(const char* p, const char* stop, int& value) {
    const auto r = std::from_chars(p, stop, value);
    return {r.ptr, r.ec};
  }
  std::set<std::string> words(const std::function<void(const std::string&)>& check = {}) {
    std::set<std::string> all;
    while (!word_.empty() && word_ != "and" && word_ != "or" && word_ != "not" && word_ != ")" && word_ != "(") {
      if (check) check(word_);
      all.insert(word_);
      next();
    }
    if (all.empty()) fail("a name or number is missing");
    return all;
  }

  const Topology& t_;
  const std::string& text_;
  std::string word_;
  std::size_t begin_ = 0, end_ = 0;
  int depth_ = 0;
  std::vector<std::string> absent_;
};

}  // namespace

std::vector<int> select_atoms(const Topology& topology, const std::string& expression) {
  const std::vector<char> flags = Parser(topology, expression).parse();
  std::vector<int> atoms;
  for (std::size_t i = 0; i < flags.size(); ++i)
    if (flags[i]) atoms.push_back(static_cast<int>(i));
  return atoms;
}

std::vector<std::string> absent_from(const Topology& topology, const std::string& expression) {
  Parser parser(topology, expression);
  parser.parse();
  return parser.absent();
}

void restrain(System& system, const std::vector<RestrainedAtom>& atoms, const std::vector<Vec3d>& reference, const Box& box) {
  const auto molecule = [&](std::size_t i) { return static_cast<std::size_t>(system.molecules.molecule_of[i]); };
  std::vector<Vec3d> centre(static_cast<std::size_t>(system.molecules.count), Vec3d{0, 0, 0});
  std::vector<double> mass(centre.size(), 0.0);
  for (std::size_t i = 0; i < reference.size(); ++i) {
    centre[molecule(i)] += system.masses[i] * reference[i];
    mass[molecule(i)] += system.masses[i];
  }
  system.reference_box = box;
  std::map<int, double> k;  // an atom that is restrained twice to the same place has one restraint, with both constants
  for (const PositionRestraint& r : system.position_restraints) k[r.atom] += r.k;
  for (const RestrainedAtom& r : atoms)
    if (system.masses[static_cast<std::size_t>(r.atom)] > 0) k[r.atom] += r.k;
  system.position_restraints.clear();
  for (const auto& [atom, constant] : k) {
    const std::size_t i = static_cast<std::size_t>(atom), m = molecule(i);
    system.position_restraints.push_back({atom, reference[i], constant, (1 / mass[m]) * centre[m]});
  }
}

void apply_restraints(System& system, const RestraintSettings& settings, const std::vector<Vec3d>& reference, const Box& box) {
  std::vector<RestrainedAtom> atoms;
  std::vector<int> chosen;
  try {
    chosen = select_atoms(system.topology, settings.selection);
  } catch (const InputError& e) {
    throw InputError(std::string("restraints.positions: ") + e.what());
  }
  for (int i : chosen)
    if (system.masses[static_cast<std::size_t>(i)] > 0) atoms.push_back({i, settings.k});
  if (atoms.empty())
    throw InputError("restraints.positions: '" + settings.selection +
                     "' selects no atom of this system; look at the names with `uplift info INPUT.yaml --atoms all`");
  restrain(system, atoms, reference, box);
}

}  // namespace uplift
