// PDB files. A scan of the lines checks what gemmi would let pass (numbers that are none) and tells residues apart that it
// would join: in files of simulations numbers start again at 9999. gemmi then reads the records that are left.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <gemmi/pdb.hpp>
#include <set>

#include "structure_gemmi.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/model/residue_library.hpp"

namespace uplift::structure {
namespace {

/// A residue as it stands in the file: consecutive lines.
struct Run {
  std::string name;
  bool ter = false;
};

struct Scan {
  std::string text;          ///< for gemmi: the first model, each run with a segment name of its own
  std::vector<int> line_of;  ///< line in the file of each line of `text`
  std::vector<Run> runs;
  std::vector<std::array<int, 2>> conect;
  int models = 0;
};

std::string base36(std::size_t n) {
  std::string text(4, '0');
  for (std::size_t k = 4; k-- > 0; n /= 36) text[k] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[n % 36];
  return text;
}

/// Serial numbers from 100,000 on in five columns: A0000 is the first (hybrid-36, which gemmi reads in ATOM records).
bool parse_hybrid36(std::string_view field, int& value) {
  if (field.size() != 5 || field[0] < 'A' || field[0] > 'Z') return false;
  int number = 0;
  for (char c : field) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'A' || c > 'Z')) return false;
    number = 36 * number + (digit ? c - '0' : c - 'A' + 10);
  }
  value = number - 10 * 36 * 36 * 36 * 36 + 100000;
  return true;
}

class Scanner {
 public:
  Scanner(const std::string& path, const std::string& text) : path_(path), lines_(text) {}

  Scan scan() {
    bool model_over = false;
    while (!lines_.done()) {
      std::string line(lines_.next());
      const std::string record = line.substr(0, 6);
      if (record.starts_with("MODEL")) ++out_.models;
      if (record == "CONECT") {
        read_conect(line);
      } else if (record.starts_with("ATOM ") || record == "HETATM") {
        if (!model_over) read_atom(line);
      } else if (record.starts_with("TER")) {
        if (!model_over && !out_.runs.empty()) {
          out_.runs.back().ter = true;
          key_.clear();
        }
      } else if (record == "ENDMDL") {
        model_over = true;
      } else if (record == "CRYST1" || record == "SSBOND" || record == "LINK  " || record == "TITLE ") {
        if (record == "CRYST1") check_cell(line);
        // The distance at the end of a bond, which gemmi may read past the end of its line, is nothing to us.
        if (!model_over) pass(record == "SSBOND" || record == "LINK  " ? line.substr(0, 72) : line);
      }
    }
    if (out_.runs.empty())
      throw InputError(path_ + ": holds no ATOM or HETATM record; check that it is a PDB file and that it is whole");
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(fmt::format("{}:{}: {}", path_, lines_.line(), message));
  }

  void pass(const std::string& line) {
    out_.text += line.substr(0, 80) + "\n";
    out_.line_of.push_back(lines_.line());
  }

  void check_number(const std::string& line, std::size_t column, std::size_t width, const char* what, bool may_be_blank) const {
    const std::string field = line.size() > column ? line.substr(column, width) : "";
    double value = 0;
    if (may_be_blank && trim(field).empty()) return;
    if (!parse_real(field, value) || std::abs(value) > 1e6)
      fail(fmt::format(
          "{} in columns {} to {} is {}, which is no number that it can be; the line is damaged or not in PDB format", what,
          column + 1, column + width, in_quotes(field)));
  }

  void check_cell(const std::string& line) const {
    for (std::size_t k = 0; k < 3; ++k) check_number(line, 6 + 9 * k, 9, "a cell length", true);
    for (std::size_t k = 0; k < 3; ++k) check_number(line, 33 + 7 * k, 7, "a cell angle", true);
  }

  void read_atom(std::string line) {
    if (line.size() < 54)
      fail("an atom's line ends before its coordinates (columns 31 to 54); the file is truncated or not in PDB format");
    check_number(line, 30, 8, "x", false);
    check_number(line, 38, 8, "y", false);
    check_number(line, 46, 8, "z", false);
    check_number(line, 54, 6, "the occupancy", true);
    if (trim(line.substr(12, 4)).empty()) fail("an atom has no name (columns 13 to 16); every atom needs one");
    for (std::size_t k = 0; k < 30; ++k)
      if (static_cast<unsigned char>(line[k]) < ' ' || static_cast<unsigned char>(line[k]) > '~')
        fail(fmt::format("column {} holds a byte that is no printable character; the file is damaged", k + 1));
    if (line.find('\0') != std::string::npos)  // gemmi would take it for the end of the line
      fail(fmt::format("column {} holds a zero byte; the file is damaged", line.find('\0') + 1));
    line.resize(80, ' ');
    if (line[0] == 'A') line[5] = ' ';  // serial numbers of six figures reach into it
    // Before 1996 the last columns held the entry's code and the number of the line, where element and charge stand now.
    const auto is = [&](std::size_t k, const char* set) {
      return std::string_view(set).find(line[k]) != std::string_view::npos;
    };
    const auto letter_or_space = [&](std::size_t k) {
      return line[k] == ' ' || std::isalpha(static_cast<unsigned char>(line[k]));
    };
    const char* digits = "0123456789";
    const bool charge = (is(78, " ") && is(79, " ")) || (is(78, digits) && is(79, "+-")) || (is(78, "+-") && is(79, digits));
    if (!charge || !letter_or_space(76) || !letter_or_space(77)) line.replace(76, 4, 4, ' ');
    // Names of four letters reach into column 21, which belongs to nothing: TIP3, NALA.
    std::string name(trim(line.substr(17, 3)));
    if (line[20] != ' ' && name.size() == 3) name += line[20];
    line[20] = ' ';
    const std::string key = line.substr(17, 10) + name;
    const std::string atom = line.substr(12, 5);
    const bool twice = key == key_ && !atoms_.insert(atom).second;
    if (twice && library_residue(name))
      fail("a second atom " + in_quotes(atom) + " in residue " + printable(name) + "; atoms of a residue need different names");
    if (key != key_ || twice) {  // water without numbers
      key_ = key;
      atoms_ = {atom};
      out_.runs.push_back({name, false});
    }
    line.replace(72, 4, base36(out_.runs.size()));
    pass(line);
  }

  void read_conect(const std::string& line) {
    int first = 0;
    for (std::size_t column = 6; column + 1 < line.size() && column < 31; column += 5) {
      const std::string field = line.substr(column, 5);
      int serial = 0;
      // Asterisks stand for numbers that have no room; such a file has no serial numbers that tell atoms apart.
      if (trim(field).find_first_not_of('*') == std::string_view::npos) continue;
      if (!parse_int(field, serial) && !parse_hybrid36(field, serial))
        fail("a CONECT record holds " + in_quotes(field) + ", which is no serial number of an atom");
      if (column == 6)
        first = serial;
      else
        out_.conect.push_back({first, serial});
    }
  }

  const std::string& path_;
  LineReader lines_;
  Scan out_;
  std::string key_;
  std::set<std::string> atoms_;
};

/// gemmi says "Problem in line N: what" of the text that it was given.
[[noreturn]] void rethrow(const std::string& path, const std::string& what, const Scan& scan) {
  const std::string mark = "line ";
  const std::size_t at = what.find(mark);
  int line = 0;
  std::size_t end = at == std::string::npos ? at : what.find(':', at);
  if (end != std::string::npos && parse_int(what.substr(at + mark.size(), end - at - mark.size()), line) && line >= 1 &&
      static_cast<std::size_t>(line) <= scan.line_of.size())
    throw InputError(
        fmt::format("{}:{}:{}", path, scan.line_of[static_cast<std::size_t>(line) - 1], printable(what.substr(end + 1))));
  throw InputError(path + ": " + printable(what));
}

}  // namespace

RawStructure parse_pdb(const std::string& path, const std::string& text) {
  const Scan scan = Scanner(path, text).scan();
  gemmi::Structure read;
  try {
    read = gemmi::read_pdb_from_memory(scan.text.data(), scan.text.size(), path);
  } catch (const std::exception& e) {
    rethrow(path, e.what(), scan);
  }
  RawStructure out;
  out.models = std::max(1, scan.models);
  out.serial_bonds = scan.conect;
  take_header(read, out);
  std::size_t run = 0, residues = 0;
  if (!read.models.empty())
    for (const gemmi::Chain& chain : read.models[0].chains) residues += chain.residues.size();
  if (residues != scan.runs.size())
    throw InputError(fmt::format("{}: its lines make {} residues by one way of reading and {} by another; the file is damaged",
                                 path, scan.runs.size(), residues));
  for (const gemmi::Chain& chain : read.models[0].chains)
    for (const gemmi::Residue& residue : chain.residues) {
      const Run& own = scan.runs[run++];
      RawResidue r = raw_residue(chain, residue);
      r.name = own.name;
      r.ter = own.ter;
      out.residues.push_back(std::move(r));
    }
  return out;
}

}  // namespace uplift::structure
