// ASCII coordinates: title, number of atoms and time, then positions, velocities and box in columns of 12 (6F12.7).
#include <algorithm>
#include <cmath>
#include <new>
#include <optional>

#include "amber_netcdf.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr std::size_t column = 12, columns = 6;
constexpr double largest_coordinate = 1e7;  ///< [A or A per Amber time unit]

[[noreturn]] void fail(const std::string& path, int line, const std::string& message) {
  throw InputError(path + ":" + std::to_string(line) + ": " + message);
}

struct Line {
  std::string_view text;
  int number;
  bool ended = true;  ///< false for a last line without line end
};

/// The numbers of one line, by column.
std::vector<double> parse_columns(const std::string& path, const Line& line, const char* what,
                                  std::optional<std::size_t> first_value) {
  const std::string_view text = line.text.substr(0, line.text.find_last_not_of(" \t") + 1);
  if (!line.ended && text.size() % column != 0)
    fail(path, line.number, "the file ends inside a number; it is truncated, copy it again");
  std::vector<double> values;
  for (std::size_t at = 0; at < text.size(); at += column) {
    const std::string_view field = text.substr(at, column);
    double value = 0;
    if (!parse_real(field, value) || std::abs(value) > largest_coordinate || values.size() == columns) {
      const std::string where =
          std::string(what) + (first_value ? " of atom " + std::to_string((*first_value + values.size()) / 3 + 1) : "") + ": ";
      if (field.find('*') != std::string_view::npos)
        fail(path, line.number,
             where + in_quotes(trim(field)) +
                 " marks a number too wide for its column (the atom has flown away, or was never wrapped); write the file as "
                 "NetCDF or wrap it");
      if (values.size() == columns)
        fail(path, line.number, where + "the line has more than six columns of 12; the file is damaged or was edited");
      fail(path, line.number,
           where + in_quotes(trim(field)) +
               " is not a number within bounds; the columns are 12 wide, the file is damaged or was edited");
    }
    values.push_back(value);
  }
  return values;
}

std::vector<Vec3d> parse_block(const std::string& path, const Line* lines, std::size_t atoms, double unit, const char* what) {
  std::vector<Vec3d> out;
  out.reserve(atoms);
  double triple[3] = {};
  std::size_t n = 0;
  for (std::size_t l = 0; n < 3 * atoms; ++l) {
    const auto values = parse_columns(path, lines[l], what, n);
    const std::size_t expected = std::min(columns, 3 * atoms - n);
    if (values.size() != expected)
      fail(path, lines[l].number,
           std::string(what) + " of atom " + std::to_string(n / 3 + 1) + ": the line holds " + std::to_string(values.size()) +
               " numbers instead of " + std::to_string(expected) + "; the file is truncated or damaged");
    for (double value : values) {
      triple[n++ % 3] = value * unit;
      if (n % 3 == 0) out.push_back({triple[0], triple[1], triple[2]});
    }
  }
  return out;
}

/// With one or two atoms a line of velocities has the shape of a box line; a box has edges and angles of a size velocities
/// never have.
bool looks_like_box(const std::vector<double>& v) {
  if (v.size() != 3 && v.size() != 6) return false;
  for (std::size_t n = 0; n < v.size(); ++n)
    if (n < 3 ? v[n] < 5 : v[n] < 20 || v[n] > 160) return false;
  return true;
}

void set_box(const std::string& path, const Line& line, Coordinates& out) {
  const auto v = parse_columns(path, line, "box", std::nullopt);
  if (v.size() != 3 && v.size() != 6)
    fail(path, line.number,
         "the box line holds " + std::to_string(v.size()) + " numbers instead of 3 or 6; the file is truncated or damaged");
  if (v[0] == 0 && v[1] == 0 && v[2] == 0) return;
  try {
    out.box = box_from_angstrom(v);
  } catch (const InputError& e) {
    fail(path, line.number, e.what());
  }
  out.box_angles_given = v.size() == 6;
}

/// Second line: number of atoms, perhaps time and temperature.
std::size_t parse_head(const std::string& path, const Line& line, double& time) {
  std::string_view rest = trim(line.text);
  const auto next_word = [&rest] {
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest = trim(rest.substr(end));
    return word;
  };
  int atoms = 0;
  if (!parse_int(next_word(), atoms) || atoms < 1)
    fail(path, line.number,
         "the second line must start with the number of atoms (it reads " + in_quotes(trim(line.text)) +
             "); give an Amber inpcrd/rst7 or NetCDF restart file");
  const std::string_view word = next_word();
  if (!word.empty() && !parse_real(word, time))
    fail(path, line.number, in_quotes(word) + " is not a time in ps; the file is damaged");
  return static_cast<std::size_t>(atoms);
}

Coordinates read_ascii(const std::string& path, std::string_view text) {
  if (text.starts_with("%VERSION") || text.substr(0, 4096).find("%FLAG") != std::string_view::npos)
    throw InputError(path + ":1: this is a prmtop (a topology), not coordinates; give an inpcrd, rst7 or NetCDF restart file");
  if (text.find('\0') != std::string_view::npos)
    throw InputError(path + ": is not a text file and no NetCDF restart either; give an inpcrd, rst7 or NetCDF restart file");
  LineReader reader(text);
  reader.next();  // title
  if (reader.done()) throw InputError(path + ": ends after its title; the file is empty or truncated");
  const std::string_view head = reader.next();
  Coordinates out;
  const std::size_t atoms = parse_head(path, {head, reader.line()}, out.time);
  const std::size_t block = (atoms + 1) / 2;
  // Each line of coordinates takes at least one byte of the file, which bounds what a wrong number of atoms can cost.
  if (block > reader.rest().size())
    fail(path, 2,
         "announces " + std::to_string(atoms) + " atoms, but the file is too short for them; it is truncated or damaged");
  std::vector<Line> lines;
  while (!reader.done()) {
    const std::string_view line = reader.next();
    lines.push_back({line, reader.line(), !reader.done() || text.back() == '\n'});
  }
  while (!lines.empty() && trim(lines.back().text).empty()) lines.pop_back();
  if (lines.size() < block)
    fail(path, 2,
         "announces " + std::to_string(atoms) + " atoms, which take " + std::to_string(block) + " lines, but " +
             std::to_string(lines.size()) + " follow; the file is truncated");
  out.x = parse_block(path, lines.data(), atoms, constants::nm_per_angstrom, "position");
  const std::size_t extra = lines.size() - block;
  bool velocities = extra >= block, box = extra == 1 || extra == block + 1;
  if (extra == 1 && block == 1) {
    box = looks_like_box(parse_columns(path, lines[1], "velocity or box", 0));
    velocities = !box;
  }
  if (extra != static_cast<std::size_t>(box) + (velocities ? block : 0))
    fail(path, lines[block].number,
         std::to_string(extra) + " lines follow the positions of " + std::to_string(atoms) + " atoms (there may be " +
             std::to_string(block) + " of velocities and one of the box); the file is truncated, damaged, or a trajectory");
  if (velocities) out.v = parse_block(path, lines.data() + block, atoms, constants::nm_ps_per_amber_velocity, "velocity");
  if (box) set_box(path, lines.back(), out);
  return out;
}

}  // namespace

Box box_from_angstrom(const std::vector<double>& values) {
  for (std::size_t n = 0; n < values.size(); ++n) {
    if (n < 3 && !(values[n] > 0)) throw InputError("a box length is not positive; the file is damaged");
    if (n >= 3 && !(values[n] > 0 && values[n] < 180))
      throw InputError("a box angle is not between 0 and 180 degrees; the file is damaged");
  }
  const auto angle = [&](std::size_t n) { return values.size() == 6 ? values[n] * constants::pi / 180 : constants::pi / 2; };
  const double nm = constants::nm_per_angstrom;
  return make_box({values[0] * nm, values[1] * nm, values[2] * nm}, {angle(3), angle(4), angle(5)});
}

Coordinates read_amber_coordinates(const std::string& path) try {
  const std::string bytes = read_file(path);
  if (bytes.find_first_not_of(" \t\r\n") == std::string::npos) throw InputError(path + ": is empty; coordinates are needed");
  if (is_netcdf_classic(bytes)) return read_netcdf_restart(path, bytes);
  if (bytes.starts_with("\x89HDF"))
    throw InputError(path +
                     ": is an HDF5 or NetCDF-4 file; Amber restarts are NetCDF classic (convert it with 'nccopy -k classic')");
  return read_ascii(path, bytes);
} catch (const std::bad_alloc&) {
  throw InputError(path + ": its coordinates do not fit into this machine's memory");
}

}  // namespace uplift
