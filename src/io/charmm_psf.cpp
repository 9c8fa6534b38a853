// PSF: a line of keywords, titles, then sections of a count, "!NAME" and numbers.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "charmm_parts.hpp"
#include "gromacs_preprocessor.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::charmm {
namespace {

constexpr double largest_charge = 1000, heaviest = 1e6;

class PsfReader {
 public:
  explicit PsfReader(const std::string& path) : text_(read_file(path)), lines_(text_) { psf_.path = path; }

  Psf read() {
    head();
    while (!lines_.done()) {
      const std::string_view line = lines_.next();
      const std::size_t mark = line.find('!');
      if (trim(line).empty()) continue;
      if (mark == std::string_view::npos)
        fail("a section begins with a count and its name after an exclamation mark, and this line reads " +
             in_quotes(trim(line)) + "; the file is damaged");
      section(line.substr(0, mark), std::string(trim(line.substr(mark + 1))));
    }
    for (const char* needed : {"NATOM", "NBOND", "NTHETA", "NPHI", "NIMPHI"})
      if (!psf_.section_lines.count(needed)) fail(std::string("there is no section !") + needed + "; the file is truncated");
    return std::move(psf_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(psf_.path + ":" + std::to_string(std::max(1, lines_.line())) + ": " + message);
  }

  void head() {
    const std::string line = capitals(lines_.next());
    const auto words = gromacs::split(line);
    if (words.empty() || words[0] != "PSF") fail("the first line of a PSF begins with PSF; give a PSF file");
    for (std::string_view word : words) {
      if (word == "CHEQ") cheq_ = true;  // columns of charge equilibration, all zero unless it is in use
      if (word == "DRUDE") fail("DRUDE: a polarisable force field, which the engine does not have; use one with fixed charges");
    }
  }

  void section(std::string_view counts, const std::string& title) {
    const std::string name(title.substr(0, title.find_first_of(": \t")));
    const auto words = gromacs::split(counts);
    int n = 0;
    if (words.empty() || !parse_int(words[0], n) || n < 0)
      fail("section !" + printable(name) + " begins with " + in_quotes(trim(counts)) +
           " instead of a count; the file is damaged");
    const int line = lines_.line();
    if (name == "NTITLE") return titles(n);
    if (psf_.section_lines.count(name)) fail("a second section !" + printable(name) + "; the file is damaged");
    psf_.section_lines[name] = line;
    if (name == "NATOM") return atoms(n);
    if (psf_.topology.atoms.empty() && n > 0)
      fail("section !" + printable(name) + " stands before the atoms; the file is damaged");
    if (name == "NBOND") return groups(n, psf_.bonds, name);
    if (name == "NTHETA") return groups(n, psf_.angles, name);
    if (name == "NPHI") return groups(n, psf_.dihedrals, name);
    if (name == "NIMPHI") return groups(n, psf_.impropers, name);
    if (name == "NCRTERM") return groups(n, psf_.cross_terms, name);
    if (name == "NNB") return excluded(n);
    if (name == "NUMLP" && n > 0) fail("lone pairs (virtual sites), which this reader does not have; use a model without them");
    if (name == "NUMANISO" && n > 0)
      fail("anisotropic polarisability, which the engine does not have; use a force field with fixed charges");
    // Donors, acceptors, groups and molecules do not enter forces: their numbers are passed over.
    if (name != "NDON" && name != "NACC" && name != "NGRP" && name != "MOLNT" && name != "NUMLP" && name != "NUMANISO")
      fail("section !" + printable(name) + " is not known to this reader; make the PSF without it");
    skip();
  }

  void titles(int n) {
    for (int k = 0; k < n && !lines_.done(); ++k) {
      std::string_view line = trim(lines_.next());
      if (line.starts_with("REMARKS")) line = trim(line.substr(7));
      while (line.starts_with('*')) line = trim(line.substr(1));
      if (psf_.topology.title.empty()) psf_.topology.title = std::string(line.substr(0, 80));
    }
  }

  void atoms(int n) {
    Topology& t = psf_.topology;
    if (n == 0) fail("the file has no atoms; a system needs at least one");
    std::string last;
    for (int k = 0; k < n; ++k) {
      if (lines_.done()) fail("the file ends in the atoms, of which it announces " + std::to_string(n) + "; it is truncated");
      const auto w = gromacs::split(lines_.next());
      const std::string who = "atom " + std::to_string(k + 1) + ": ";
      if (w.size() < 8)
        fail(who + "the line has " + std::to_string(w.size()) +
             " words instead of at least 8 (number, segment, residue number, residue, name, type, charge, mass); the file is "
             "damaged, or names run together");
      int number = 0;
      if (!parse_int(w[0], number) || number != k + 1)
        fail(who + "the line begins with " + in_quotes(w[0]) + "; the file is damaged");
      double charge = 0, mass = 0;
      if (!parse_real(w[6], charge) || !parse_real(w[7], mass) || std::abs(charge) > largest_charge || mass < 0 ||
          mass > heaviest)
        fail(who + "the charge or the mass is no possible number (" + printable(w[6]) + " " + printable(w[7]) +
             "); the file is damaged");
      const std::string residue = std::string(w[1]) + " " + std::string(w[2]) + " " + std::string(w[3]);
      if (residue != last) {
        std::string_view digits = w[2];
        if (!digits.empty() && std::isalpha(static_cast<unsigned char>(digits.back()))) digits.remove_suffix(1);
        const std::string insertion(w[2].substr(digits.size()));
        int residue_number = 0;
        if (!parse_int(digits, residue_number)) fail(who + in_quotes(w[2]) + " is no residue number; the file is damaged");
        t.residues.push_back({std::string(w[3]), residue_number, std::string(w[1]), t.size(), 0, insertion});
        last = residue;
      }
      ++t.residues.back().atom_count;
      t.atoms.push_back({std::string(w[4]), capitals(w[5]), 0, mass, static_cast<int>(t.residues.size()) - 1});
      psf_.charges.push_back(charge);
      refuse_polarisation(w, who);
    }
  }

  /// CHARMM writes the columns of charge equilibration (electronegativity, hardness) into every PSF of some versions, the first
  /// as zero where the method is not in use.
  void refuse_polarisation(const std::vector<std::string_view>& w, const std::string& who) const {
    double value = 0;
    if (cheq_ && w.size() > 9 && parse_real(w[9], value) && value != 0)
      fail(who + "CHEQ: a force field with fluctuating charges, which the engine does not have; use one with fixed charges");
  }

  /// The numbers until the next section or blank line, at most `most`.
  std::vector<int> integers(std::size_t most, const std::string& name) {
    std::vector<int> values;
    while (values.size() < most) {
      if (lines_.done()) fail("the file ends in section !" + printable(name) + "; it is truncated");
      const std::string_view line = lines_.next();
      if (line.find('!') != std::string_view::npos)
        fail("section !" + printable(name) + " ends too early, after " + std::to_string(values.size()) + " of " +
             std::to_string(most) + " numbers; the file is damaged");
      for (std::string_view word : gromacs::split(line)) {
        int value = 0;
        if (!parse_int(word, value))
          fail("section !" + printable(name) + ": " + in_quotes(word) + " is no whole number; the file is damaged");
        values.push_back(value);
      }
    }
    if (values.size() > most)
      fail("section !" + printable(name) + " holds more numbers than its count says; the file is damaged");
    return values;
  }

  int atom(int number, const std::string& name) const {
    if (number < 1 || number > psf_.topology.size())
      fail("section !" + printable(name) + ": there is no atom " + std::to_string(number) + " (the file has " +
           std::to_string(psf_.topology.size()) + "); the file is damaged");
    return number - 1;
  }

  template <std::size_t N>
  void groups(int n, std::vector<std::array<int, N>>& out, const std::string& name) {
    const auto values = integers(N * static_cast<std::size_t>(n), name);
    for (std::size_t at = 0; at < values.size(); at += N) {
      std::array<int, N> group{};
      for (std::size_t k = 0; k < N; ++k) group[k] = atom(values[at + k], name);
      // The two halves of a cross term share atoms; those of anything else differ.
      constexpr std::size_t half = N == 8 ? 4 : N;
      for (std::size_t k = 0; k < N; ++k)
        for (std::size_t m = k + 1; m < (k / half + 1) * half; ++m)
          if (group[k] == group[m])
            fail("section !" + printable(name) + ": " + describe_atom(psf_.topology, group[k]) +
                 " comes up twice in one term; the file is damaged");
      out.push_back(group);
    }
  }

  /// A list of excluded atoms, then for each atom where its part of the list ends.
  void excluded(int n) {
    const auto list = integers(static_cast<std::size_t>(n), "NNB");
    const auto ends = integers(psf_.topology.atoms.size(), "NNB");
    std::size_t at = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i] < static_cast<int>(at) || ends[i] > n)
        fail("section !NNB: the ends of the atoms' lists do not rise, or lie beyond the list; the file is damaged");
      for (; at < static_cast<std::size_t>(ends[i]); ++at) {
        const int j = atom(std::abs(std::max(list[at], -1'000'000'000)), "NNB"), a = static_cast<int>(i);
        if (j == a) fail("section !NNB: " + describe_atom(psf_.topology, a) + " excludes itself; the file is damaged");
        psf_.exclusions.push_back({std::min(a, j), std::max(a, j)});
      }
    }
  }

  void skip() {
    while (!lines_.done()) {
      const std::string_view rest = lines_.rest();
      if (rest.substr(0, rest.find('\n')).find('!') != std::string_view::npos) return;
      lines_.next();
    }
  }

  std::string text_;
  LineReader lines_;
  Psf psf_;
  bool cheq_ = false;
};

}  // namespace

std::string capitals(std::string_view text) {
  std::string all(text);
  std::transform(all.begin(), all.end(), all.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return all;
}

Psf read_psf_file(const std::string& path) { return PsfReader(path).read(); }

}  // namespace uplift::charmm
