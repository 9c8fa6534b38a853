// Sections of a prmtop as text, and the names in them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "prmtop_parts.hpp"
#include "uplift/core/error.hpp"

namespace uplift::prmtop {
namespace {

/// Fields have room for an exponent of two digits.
double printable(double value) { return std::abs(value) < 1e-99 ? 0 : value; }

constexpr double largest = 1e30;  ///< as the reader; no parameter comes near it
constexpr std::size_t name_width = 4;
constexpr const char* water_name = "WAT";

/// `per_line` fields a line; a section without values has one empty line.
template <class Values, class Put>
void put_fields(std::string& out, const Values& values, std::size_t per_line, Put put) {
  for (std::size_t n = 0; n < values.size(); ++n) {
    put(values[n]);
    if (n % per_line == per_line - 1 || n + 1 == values.size()) out += '\n';
  }
  if (values.empty()) out += '\n';
}

/// Names of water atoms by which Amber's programs recognise it.
void name_water(const Source& s, Labels& out) {
  int renamed = 0;
  for (std::size_t r = 0; r < s.topology.residues.size(); ++r) {
    if (!s.water[r]) continue;
    const Residue& residue = s.topology.residues[r];
    int hydrogens = 0, sites = 0;
    bool changed = out.residues[r] != water_name;
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
      const int element = s.topology.atoms[at(i)].element;
      std::string name = element == 8 ? "O" : element == 1 ? "H" + std::to_string(++hydrogens) : "EP" + std::to_string(++sites);
      if (name == "EP1" && residue.atom_count == 4) name = "EPW";
      changed |= out.atoms[at(i)] != name;
      out.atoms[at(i)] = name;
      if (element == 0) out.types[at(i)] = "EP";
    }
    out.residues[r] = water_name;
    renamed += changed;
  }
  if (renamed)
    s.notes.push_back(fmt::format("{}: {} waters are named WAT with atoms O, H1, H2{}, as Amber's programs look for them",
                                  s.path, renamed, s.ff.virtual_sites.empty() ? "" : ", EPW"));
}

/// Shortened names, which must stay different within a residue.
void shorten_atoms(const Source& s, Labels& out) {
  for (std::size_t r = 0; r < s.topology.residues.size(); ++r) {
    const Residue& residue = s.topology.residues[r];
    std::set<std::string> seen;
    for (int i = residue.first_atom; i < residue.first_atom + residue.atom_count; ++i) {
      std::string& name = out.atoms[at(i)];
      const bool cut = name.size() > name_width;
      if (cut) {
        s.notes.push_back(fmt::format("{}: atom name {} of {} {} is cut to {}", s.path, name, residue.name, residue.number,
                                      name.substr(0, name_width)));
        name.resize(name_width);
      }
      if (!seen.insert(name).second && cut)
        s.cannot("atom names of " + residue.name + " " + std::to_string(residue.number) +
                     " are longer than four letters and alike in the first four (" + name + ")",
                 "rename these atoms");
    }
  }
}

/// Each type under a name of four letters of its own: "protein-CX" becomes CX, what is still long or taken a number.
void shorten_types(const Source& s, Labels& out) {
  std::map<std::string, std::string> short_of;
  std::set<std::string> taken;
  for (const std::string& type : out.types)
    if (type.size() <= name_width && short_of.try_emplace(type, type).second) taken.insert(type);
  int renamed = 0;
  for (std::string& type : out.types) {
    const auto [place, is_new] = short_of.try_emplace(type);
    if (is_new) {
      std::string name = type.substr(type.rfind('-') == std::string::npos ? 0 : type.rfind('-') + 1);
      for (int n = 1; name.size() > name_width || name.empty() || taken.contains(name); ++n) name = "t" + std::to_string(n);
      taken.insert(name);
      place->second = name;
      ++renamed;
    }
    type = place->second;
  }
  if (renamed) s.notes.push_back(fmt::format("{}: {} atom types have shorter names there", s.path, renamed));
}

}  // namespace

void SectionText::head(const char* flag, const char* format, const std::vector<std::string>& comments) {
  out_ += fmt::format("{:<80}\n", std::string("%FLAG ") + flag);
  for (const std::string& comment : comments) out_ += fmt::format("{:<80}\n", "%COMMENT " + comment);
  out_ += fmt::format("{:<80}\n", std::string("%FORMAT(") + format + ")");
}

void SectionText::integers(const std::string& flag, const std::vector<int>& values, const char* format) {
  head(flag.c_str(), format);
  const std::string_view f(format);
  const std::size_t letter = f.find('I');
  const std::size_t per_line = std::stoul(std::string(f.substr(0, letter)));
  const int width = std::stoi(std::string(f.substr(letter + 1)));
  put_fields(out_, values, per_line, [&](int v) { fmt::format_to(std::back_inserter(out_), "{:{}d}", v, width); });
}

void SectionText::reals(const std::string& flag, const std::vector<double>& values, Reals how,
                        const std::vector<std::string>& comments) {
  for (double v : values)
    if (!std::isfinite(v) || std::abs(v) > largest)
      throw InputError(fmt::format(
          "{} has no place for a number of {:g}, which a parameter of this system is; the input is damaged", flag, v));
  head(flag.c_str(), how == Reals::nine_digits ? "5E16.8" : how == Reals::seventeen_digits ? "3E24.16" : "8F9.5", comments);
  const auto to = std::back_inserter(out_);
  switch (how) {
    case Reals::nine_digits:
      return put_fields(out_, values, 5, [&](double v) { fmt::format_to(to, "{:16.8E}", printable(v)); });
    case Reals::seventeen_digits:
      return put_fields(out_, values, 3, [&](double v) { fmt::format_to(to, "{:24.16E}", printable(v)); });
    case Reals::five_decimals:
      return put_fields(out_, values, 8, [&](double v) { fmt::format_to(to, "{:9.5f}", v); });
  }
}

void SectionText::words(const std::string& flag, const std::vector<std::string>& values) {
  head(flag.c_str(), "20a4");
  put_fields(out_, values, 20, [&](const std::string& v) {
    for (std::size_t n = 0; n < name_width; ++n) {
      const char c = n < v.size() ? v[n] : ' ';
      out_ += c < ' ' || c > '~' || c == '%' ? '?' : c;  // a line that begins with % begins a section
    }
  });
}

template <std::size_t n>
int Kinds<n>::number(const std::array<double, n>& row) {
  std::string key;
  for (double v : row) fmt::format_to(std::back_inserter(key), "{:.8E} ", printable(v));
  const auto [place, is_new] = numbers_.try_emplace(key, static_cast<int>(rows_.size()) + 1);
  if (is_new) rows_.push_back(row);
  return place->second;
}
template class Kinds<2>;
template class Kinds<5>;

void Source::cannot(const std::string& what, const std::string& cure) const {
  throw InputError(path + ": " + what + ", which a prmtop cannot hold; " +
                   (cure.empty() ? "choose another format (.psf keeps names and bonds)" : cure));
}

Labels labels(const Source& s) {
  Labels out;
  for (const Atom& a : s.topology.atoms) {
    out.atoms.push_back(a.name);
    out.types.push_back(a.type.empty() ? (a.element > 0 ? element_symbol(a.element) : "X") : a.type);
  }
  std::set<std::string> cut;
  for (const Residue& r : s.topology.residues) {
    out.residues.push_back(r.name.substr(0, name_width));
    if (r.name.size() > name_width) cut.insert(r.name);
  }
  name_water(s, out);
  for (const std::string& name : cut)
    if (std::find(out.residues.begin(), out.residues.end(), name.substr(0, name_width)) != out.residues.end())
      s.notes.push_back(s.path + ": residue name " + name + " is cut to " + name.substr(0, name_width));
  shorten_atoms(s, out);
  shorten_types(s, out);
  return out;
}

}  // namespace uplift::prmtop
