#include "pdb_records.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "formats.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr double angstrom = constants::nm_per_angstrom;

std::string_view columns(std::string_view line, std::size_t first, std::size_t last) {
  return line.size() < first ? std::string_view() : line.substr(first - 1, last - first + 1);
}
// Serial numbers of six figures reach into column 6.
bool is_atom(std::string_view line) { return line.starts_with("ATOM ") || line.starts_with("HETATM"); }

/// The element column; without one, columns 13 and 14, where elements of one letter leave the first blank.
int element_of(std::string_view line) {
  const auto symbol = [](std::string_view text) {
    std::string s(trim(text));
    for (std::size_t k = 0; k < s.size(); ++k)
      s[k] = static_cast<char>(k ? std::tolower(static_cast<unsigned char>(s[k]))
                                 : std::toupper(static_cast<unsigned char>(s[k])));
    return element_number(s);
  };
  if (!trim(columns(line, 77, 78)).empty()) return symbol(columns(line, 77, 78));
  if (line.size() >= 78) return 0;  // the column is there and empty: a virtual site
  const std::string_view name = columns(line, 13, 14);
  const bool digit = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0]));
  const int two = digit || trim(columns(line, 13, 16)).size() == 4 ? 0 : symbol(name);
  if (two != 0) return two;
  const std::string_view letters = trim(columns(line, 13, 16));
  const auto first = std::find_if(letters.begin(), letters.end(), [](unsigned char c) { return std::isalpha(c); });
  return first == letters.end() ? 0 : symbol(std::string_view(&*first, 1));
}

}  // namespace

PdbText::PdbText(std::string text, const std::string& path, Part part, int first_line) {
  LineReader lines(text, first_line);
  const auto fail = [&](const std::string& what) { throw InputError(path + ":" + std::to_string(lines.line()) + ": " + what); };
  const auto number = [&](std::string_view line, std::size_t first, std::size_t last, const char* what) {
    double value = 0;
    if (!parse_real(columns(line, first, last), value))
      fail(std::string(what) + " (columns " + std::to_string(first) + " to " + std::to_string(last) + ") is " +
           in_quotes(columns(line, first, last)) + ", not a number; a PDB has fixed columns");
    return value;
  };
  while (!lines.done()) {
    const std::string_view line = lines.next();
    if (line.starts_with("TITLE")) title(line);
    if (line.starts_with("CRYST1")) {
      const Vec3d lengths{number(line, 7, 15, "an edge of the cell"), number(line, 16, 24, "an edge of the cell"),
                          number(line, 25, 33, "an edge of the cell")};
      const Vec3d angles{number(line, 34, 40, "an angle of the cell"), number(line, 41, 47, "an angle of the cell"),
                         number(line, 48, 54, "an angle of the cell")};
      // A cell of 1 x 1 x 1 A is what files without a cell have there.
      const bool none =
          (lengths.x == 1 && lengths.y == 1 && lengths.z == 1) || (lengths.x == 0 && lengths.y == 0 && lengths.z == 0);
      try {
        cell_ = none ? Box{} : cell_of_parameters(angstrom * lengths, angles);
      } catch (const InputError& e) {
        fail(e.what());
      }
    }
    if (!is_atom(line)) continue;
    if (part == Part::head) return;
    x_.push_back(
        {number(line, 31, 38, "x") * angstrom, number(line, 39, 46, "y") * angstrom, number(line, 47, 54, "z") * angstrom});
  }
}

void PdbText::title(std::string_view line) {
  const auto after = [&](std::string_view key) -> std::string_view {
    const std::size_t at = line.rfind(key);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = trim(line.substr(at + key.size()));
    return rest.substr(0, rest.find(' '));
  };
  double t = 0;
  if (parse_real(after(" t="), t)) time_ = t;
  std::int64_t step = 0;
  const std::string_view text = after(" step=");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (time_ && !text.empty() && error == std::errc() && end == text.data() + text.size()) step_ = step;
}

System read_pdb_system(const std::string& model, const std::string& bonds, const std::string& path) {
  Topology topology;
  std::map<int, int> atom_of_serial;
  std::string key;  // chain, number, insertion code and name of the residue at hand
  for (LineReader lines(model); !lines.done();) {
    const std::string_view line = lines.next();
    if (line.starts_with("TITLE") && topology.title.empty())
      topology.title = trim(columns(line, 10, 80).substr(0, columns(line, 10, 80).find(" t=")));
    if (!is_atom(line)) continue;
    const std::string here(columns(line, 18, 27));
    const int atom = topology.size();
    if (here != key || topology.residues.empty()) {
      key = here;
      int number = 0;
      if (!parse_int(columns(line, 23, 26), number)) number = static_cast<int>(topology.residues.size()) + 1;
      topology.residues.push_back(
          {std::string(trim(columns(line, 18, 21))), number, std::string(trim(columns(line, 22, 22))), atom, 0});
    }
    ++topology.residues.back().atom_count;
    const int element = element_of(line);
    topology.atoms.push_back({std::string(trim(columns(line, 13, 16))), "", element, element_mass(element),
                              static_cast<int>(topology.residues.size()) - 1});
    int serial = 0;
    if (parse_int(columns(line, 7, 11), serial)) atom_of_serial.emplace(serial, atom);
  }
  for (LineReader lines(bonds); !lines.done();) {
    const std::string_view line = lines.next();
    int from = 0, to = 0;
    if (!line.starts_with("CONECT") || !parse_int(columns(line, 7, 11), from)) continue;
    for (std::size_t at = 12; at <= 27 && parse_int(columns(line, at, at + 4), to); at += 5) {
      const auto i = atom_of_serial.find(from), j = atom_of_serial.find(to);
      if (i == atom_of_serial.end() || j == atom_of_serial.end())
        throw InputError(path + ": a CONECT record names atom " + std::to_string(i == atom_of_serial.end() ? from : to) +
                         ", which is not there");
      if (i->second != j->second) topology.bonds.push_back({std::min(i->second, j->second), std::max(i->second, j->second)});
    }
  }
  const auto before = [](const Bond& a, const Bond& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; };
  std::sort(topology.bonds.begin(), topology.bonds.end(), before);
  topology.bonds.erase(std::unique(topology.bonds.begin(), topology.bonds.end(),
                                   [](const Bond& a, const Bond& b) { return a.i == b.i && a.j == b.j; }),
                       topology.bonds.end());
  std::vector<double> masses;
  for (const Atom& atom : topology.atoms) masses.push_back(atom.mass);
  return bare_system(std::move(topology), std::move(masses));
}

}  // namespace uplift
