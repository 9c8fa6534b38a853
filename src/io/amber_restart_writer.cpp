// Amber coordinates: ASCII (title, count and time, columns of 12) and NetCDF (AMBERRESTART convention 1.0).
#include <fmt/format.h>
#include <netcdf.h>

#include <cmath>
#include <iterator>

#include "frames/files.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/version.hpp"
#include "uplift/io/amber_writer.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr double angstrom = constants::nm_per_angstrom;
constexpr int largest_ascii_count = 99'999'999;

/// Six columns of 12 with seven decimals.
class Columns {
 public:
  explicit Columns(const std::string& path) : path_(path) {}
  void put(double value, const std::string& what) {
    if (!(value > -999.99999994 && value < 9999.99999994))
      throw InputError(
          fmt::format("{}: {} is {:g}, too wide for a column of Amber's ASCII form; write .ncrst, or bring molecules back into "
                      "the box first",
                      path_, what, value));
    fmt::format_to(std::back_inserter(text_), "{:12.7f}", value);
    if (++n_ % 6 == 0) text_ += '\n';
  }
  void put(const std::vector<Vec3d>& values, double unit, const char* what) {
    for (std::size_t i = 0; i < values.size(); ++i)
      for (const double value : {values[i].x, values[i].y, values[i].z})
        put(value / unit, fmt::format("the {} of atom {}", what, i + 1));
    end();
  }
  void end() {
    if (n_ % 6 != 0) text_ += '\n';
    n_ = 0;
  }
  const std::string& text() const { return text_; }

 private:
  const std::string& path_;
  std::string text_;
  int n_ = 0;
};

void write_ascii(const std::string& path, const std::string& title, const Coordinates& c) {
  if (c.x.size() > largest_ascii_count) throw InputError(path + ": too many atoms for Amber's ASCII form; write .ncrst");
  Columns columns(path);
  columns.put(c.x, angstrom, "position");
  if (!c.v.empty()) columns.put(c.v, constants::nm_ps_per_amber_velocity, "velocity");
  if (c.box) {
    const AmberCell cell = amber_cell(*c.box);
    for (const double v : {cell.lengths.x, cell.lengths.y, cell.lengths.z, cell.angles.x, cell.angles.y, cell.angles.z})
      columns.put(v, "the box");
    columns.end();
  }
  OutputFile file(path);
  file.write(fmt::format("{:.80}\n{:6d}{:15.7E}\n", title.substr(0, title.find('\n')), c.x.size(), c.time));
  file.write(columns.text());
  file.close();
}

class NetcdfFile {
 public:
  explicit NetcdfFile(const std::string& path) : path_(path) {
    check(nc_create(path.c_str(), NC_CLOBBER | NC_64BIT_OFFSET, &file_));
  }
  NetcdfFile(const NetcdfFile&) = delete;
  NetcdfFile& operator=(const NetcdfFile&) = delete;
  ~NetcdfFile() {
    if (file_ >= 0) nc_close(file_);
  }
  int dimension(const char* name, std::size_t length) {
    int id = -1;
    check(nc_def_dim(file_, name, length, &id));
    return id;
  }
  int variable(const char* name, nc_type type, const std::vector<int>& dimensions, const char* units = "") {
    int id = -1;
    check(nc_def_var(file_, name, type, static_cast<int>(dimensions.size()), dimensions.data(), &id));
    if (*units) attribute(id, "units", units);
    return id;
  }
  void attribute(int variable, const char* name, const std::string& text) {
    check(nc_put_att_text(file_, variable, name, text.size(), text.c_str()));
  }
  void attribute(int variable, const char* name, double value) {
    check(nc_put_att_double(file_, variable, name, NC_DOUBLE, 1, &value));
  }
  void end_definitions() { check(nc_enddef(file_)); }
  void put(int variable, const std::vector<double>& values) { check(nc_put_var_double(file_, variable, values.data())); }
  void put(int variable, const char* text) { check(nc_put_var_text(file_, variable, text)); }
  void close() {
    const int file = file_;
    file_ = -1;
    check(nc_close(file));
  }

 private:
  void check(int status) const {
    if (status != NC_NOERR) fail_to_write(path_, status, std::string("NetCDF: ") + nc_strerror(status));
  }
  std::string path_;
  int file_ = -1;
};

std::vector<double> flat(const std::vector<Vec3d>& values, double unit) {
  std::vector<double> out;
  out.reserve(3 * values.size());
  for (const Vec3d& r : values)
    for (const double value : {r.x, r.y, r.z}) out.push_back(value / unit);
  return out;
}

void write_netcdf(const std::string& path, const std::string& title, const Coordinates& c) {
  NetcdfFile file(path);
  const int atom = file.dimension("atom", c.x.size()), spatial = file.dimension("spatial", 3);
  const int names = file.variable("spatial", NC_CHAR, {spatial}), time = file.variable("time", NC_DOUBLE, {}, "picosecond");
  const int x = file.variable("coordinates", NC_DOUBLE, {atom, spatial}, "angstrom");
  int v = -1, cell_names = -1, angle_names = -1, lengths = -1, angles = -1;
  if (!c.v.empty()) {
    v = file.variable("velocities", NC_DOUBLE, {atom, spatial}, "angstrom/picosecond");
    file.attribute(v, "scale_factor", constants::nm_ps_per_amber_velocity / angstrom);
  }
  if (c.box) {
    const int cell = file.dimension("cell_spatial", 3), angular = file.dimension("cell_angular", 3),
              label = file.dimension("label", 5);
    cell_names = file.variable("cell_spatial", NC_CHAR, {cell});
    angle_names = file.variable("cell_angular", NC_CHAR, {angular, label});
    lengths = file.variable("cell_lengths", NC_DOUBLE, {cell}, "angstrom");
    angles = file.variable("cell_angles", NC_DOUBLE, {angular}, "degree");
  }
  for (const auto& [name, text] : {std::pair<const char*, std::string>{"title", title},
                                   {"application", "uplift"},
                                   {"program", "uplift"},
                                   {"programVersion", version},
                                   {"Conventions", "AMBERRESTART"},
                                   {"ConventionVersion", "1.0"}})
    file.attribute(NC_GLOBAL, name, text);
  file.end_definitions();
  file.put(names, "xyz");
  file.put(time, std::vector<double>{c.time});
  file.put(x, flat(c.x, angstrom));
  if (v >= 0) file.put(v, flat(c.v, constants::nm_ps_per_amber_velocity));
  if (c.box) {
    const AmberCell cell = amber_cell(*c.box);
    file.put(cell_names, "abc");
    file.put(angle_names, "alphabeta gamma");
    file.put(lengths, {cell.lengths.x, cell.lengths.y, cell.lengths.z});
    file.put(angles, {cell.angles.x, cell.angles.y, cell.angles.z});
  }
  file.close();
}

}  // namespace

void write_amber_coordinates(const std::string& path, AmberRestart form, const std::string& title, const Coordinates& c) {
  form == AmberRestart::ascii ? write_ascii(path, title, c) : write_netcdf(path, title, c);
}

}  // namespace uplift
