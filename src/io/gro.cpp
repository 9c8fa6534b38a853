// .gro: title, number of atoms, a line an atom in fixed columns (residue number 5, residue 5, atom 5, atom number 5, then
// positions [nm] and velocities [nm/ps] in columns as wide as the decimal points are apart), the box.
#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "uplift/core/error.hpp"
#include "uplift/io/gromacs.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr std::size_t names_width = 20;
constexpr double shortest_edge = 1e-3;      ///< [nm]
constexpr double largest_coordinate = 1e6;  ///< [nm or nm/ps]

class GroReader {
 public:
  GroReader(const std::string& path, std::string text) : path_(path), text_(std::move(text)), lines_(text_) {}

  Coordinates read() {
    out_.kind = "GROMACS coordinates";
    time(next("the title"));
    int atoms = 0;
    const std::string_view count = next("the number of atoms");
    if (!parse_int(count, atoms) || atoms < 1)
      fail("the second line is the number of atoms and reads " + in_quotes(trim(count)) + "; give a .gro file");
    for (int n = 0; n < atoms; ++n) atom(n);
    box(next("the box"));
    if (!text_.ends_with('\n'))
      fail("the file ends inside the box line; it is truncated, or lacks the line end: copy it again, or add one");
    while (!lines_.done())
      if (!trim(lines_.next()).empty())
        fail("something follows the box (a file of several frames?); write one frame, as gmx trjconv -dump does");
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(path_ + ":" + std::to_string(lines_.line()) + ": " + message);
  }
  std::string_view next(const char* what) {
    if (lines_.done())
      throw InputError(path_ + ":" + std::to_string(lines_.line() + 1) + ": the file ends before " + what +
                       "; it is truncated, copy it again");
    return lines_.next();
  }

  /// "... t= 12.5 step= 6250"
  void time(std::string_view title) {
    const std::size_t at = title.rfind("t=");
    if (at == std::string_view::npos || (at > 0 && title[at - 1] != ' ' && title[at - 1] != ',')) return;
    const std::string_view rest = trim(title.substr(at + 2));
    double t = 0;
    if (parse_real(rest.substr(0, rest.find(' ')), t) && std::abs(t) < 1e15) out_.time = t;
  }

  void atom(int n) {
    const std::string_view line = next("its last atom");
    const std::string who = "atom " + std::to_string(n + 1) + ": ";
    if (line.size() < names_width + 3)
      fail(who + "the line is too short for names and three coordinates; the file is truncated or damaged");
    int residue = 0;
    parse_int(line.substr(0, 5), residue);  // counts are cut to five digits, and some programs leave them out
    out_.labels.push_back({std::string(trim(line.substr(10, 5))), std::string(trim(line.substr(5, 5))), residue});
    if (n == 0) {
      find_width(line);
      velocities_ = has_velocities(line);
    }
    const Vec3d x = triple(line, names_width, who + "position");
    out_.x.push_back(x);
    if (has_velocities(line) != velocities_)
      fail(who + "some atoms have velocities and some have none; the file is damaged or was put together");
    if (velocities_) out_.v.push_back(triple(line, names_width + 3 * width_, who + "velocity"));
  }

  void find_width(std::string_view line) {
    const std::size_t first = line.find('.', names_width);
    const std::size_t second = first == std::string_view::npos ? first : line.find('.', first + 1);
    if (second == std::string_view::npos)
      fail("the first atom has no decimal points that tell the width of the columns; the file is damaged");
    width_ = second - first;
    if (width_ < 4 || width_ > 30)
      fail("the decimal points of the first atom are " + std::to_string(width_) + " columns apart; the file is damaged");
  }
  bool has_velocities(std::string_view line) const {
    const std::size_t from = names_width + 3 * width_;
    return line.size() > from && !trim(line.substr(from)).empty();
  }

  Vec3d triple(std::string_view line, std::size_t from, const std::string& what) const {
    double v[3] = {};
    for (std::size_t d = 0; d < 3; ++d) {
      const std::size_t at = from + d * width_;
      const std::string_view field = at < line.size() ? line.substr(at, width_) : std::string_view();
      // A column cut short is a number cut short.
      const bool whole =
          at + width_ <= line.size() || trim(line.substr(std::min(at, line.size()))).find('.') != std::string_view::npos;
      if (!whole || !parse_real(field, v[d]) || std::abs(v[d]) > largest_coordinate)
        fail(what + ": " + in_quotes(trim(field)) + " is not a number within bounds; the columns are " +
             std::to_string(width_) + " wide, the file is damaged or was edited");
    }
    return {v[0], v[1], v[2]};
  }

  /// Three lengths, or v1(x) v2(y) v3(z) v1(y) v1(z) v2(x) v2(z) v3(x) v3(y).
  void box(std::string_view line) {
    std::vector<double> b;
    for (std::string_view rest = trim(line); !rest.empty();) {
      const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      double value = 0;
      if (!parse_real(rest.substr(0, end), value) || std::abs(value) > largest_coordinate)
        fail("the box: " + in_quotes(rest.substr(0, end)) + " is not a number within bounds; the file is damaged");
      b.push_back(value);
      rest = trim(rest.substr(end));
    }
    if (b.size() != 3 && b.size() != 9)
      fail("the box line holds " + std::to_string(b.size()) + " numbers instead of 3 or 9; the file is truncated or damaged");
    out_.box_angles_given = true;
    if (std::all_of(b.begin(), b.end(), [](double v) { return v == 0; })) return;
    b.resize(9, 0.0);
    if (b[3] != 0 || b[4] != 0 || b[6] != 0)
      fail(
          "the first box vector is not along x or the second not in the xy plane, as GROMACS wants them; write the file with "
          "GROMACS");
    if (!(b[0] > shortest_edge && b[1] > shortest_edge && b[2] > shortest_edge))
      fail("the box has an edge without extent; the file is damaged");
    try {
      out_.box = reduce_box({{b[0], 0, 0}, {b[5], b[1], 0}, {b[7], b[8], b[2]}});
    } catch (const InputError& e) {
      fail(e.what());
    }
  }

  std::string path_, text_;
  LineReader lines_;
  Coordinates out_;
  std::size_t width_ = 8;
  bool velocities_ = false;
};

}  // namespace

Coordinates read_gro(const std::string& path) try {
  return GroReader(path, read_file(path)).read();
} catch (const std::bad_alloc&) {
  throw InputError(path + ": the system it describes does not fit into this machine's memory");
}

}  // namespace uplift
