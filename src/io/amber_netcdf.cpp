// NetCDF restart files (AMBERRESTART convention 1.0, ambermd.org/netcdf/nctraj). The classic format is read here and not by
// libnetcdf, since a damaged header must end in a message, and gzipped files are in memory anyway. Grammar: NetCDF classic
// format specification.
#include "amber_netcdf.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr double largest_coordinate = 1e7;  ///< [A or A/ps]
constexpr std::uint32_t tag_dimension = 10, tag_variable = 11, tag_attribute = 12;

struct Variable {
  std::vector<std::size_t> shape;
  std::uint32_t type = 0;
  std::uint64_t begin = 0;
  double scale = 1;
};

class Classic {
 public:
  Classic(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {
    version_ = static_cast<unsigned char>(take(4)[3]);
    if (version_ != 1 && version_ != 2 && version_ != 5) fail("is of a NetCDF version this program does not read");
    records_ = count();
    read_dimensions();
    read_attributes(nullptr);
    read_variables();
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(path_ + ": NetCDF file " + message + "; give an Amber restart file (ncrst) that is complete");
  }
  const std::map<std::string, std::string>& texts() const { return texts_; }
  bool has(const std::string& name) const { return variables_.contains(name); }
  std::optional<std::size_t> dimension(const std::string& name) const {
    for (const auto& [dimension_name, length] : dimensions_)
      if (dimension_name == name) return length;
    return std::nullopt;
  }

  /// A variable of floats or doubles of that shape, scaled by its scale_factor.
  std::vector<double> values(const std::string& name, const std::vector<std::size_t>& shape) const {
    const auto found = variables_.find(name);
    if (found == variables_.end()) fail("has no variable '" + name + "'");
    const Variable& v = found->second;
    // Some writers give a scalar the shape {1}.
    if (v.shape != shape && !(shape.empty() && v.shape == std::vector<std::size_t>{1}))
      fail("has a variable '" + name + "' of an unexpected shape");
    if (v.type != 5 && v.type != 6) fail("has a variable '" + name + "' that is neither float nor double");
    std::size_t n = 1;
    for (std::size_t length : shape) n *= length;  // 3 x atoms at most, and atoms < 2^31: no overflow
    const std::size_t width = v.type == 5 ? 4 : 8;
    if (v.begin > bytes_.size() || n > (bytes_.size() - v.begin) / width)
      fail("ends before the end of '" + name + "' (it is truncated)");
    std::vector<double> out(n);
    for (std::size_t i = 0; i < n; ++i) {
      const std::string_view raw = bytes_.substr(static_cast<std::size_t>(v.begin) + i * width, width);
      const double value = width == 4 ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(raw))))
                                      : std::bit_cast<double>(big_endian(raw));
      out[i] = value * v.scale;
    }
    return out;
  }

 private:
  static std::uint64_t big_endian(std::string_view raw) {
    std::uint64_t value = 0;
    for (char c : raw) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  std::string_view take(std::uint64_t n) {
    if (n > bytes_.size() - at_) fail("ends inside its header (it is truncated or damaged)");
    const std::string_view taken = bytes_.substr(at_, static_cast<std::size_t>(n));
    at_ += static_cast<std::size_t>(n);
    return taken;
  }
  std::uint32_t word() { return static_cast<std::uint32_t>(big_endian(take(4))); }
  std::uint64_t count() { return version_ == 5 ? big_endian(take(8)) : word(); }
  std::string_view padded(std::uint64_t n) {
    const std::string_view taken = take(n);
    take((4 - n % 4) % 4);
    return taken;
  }
  std::string name() { return std::string(padded(count())); }
  /// Number of elements of a list; each takes bytes of the file, so a false number ends in take().
  std::uint64_t list(std::uint32_t tag) {
    const std::uint32_t found = word();
    const std::uint64_t n = count();
    if (found != tag && !(found == 0 && n == 0)) fail("has a damaged header");
    return n;
  }

  void read_dimensions() {
    for (std::uint64_t n = list(tag_dimension); n > 0; --n) {
      std::string dimension_name = name();
      const std::uint64_t length = count();
      if (length > 0x7fffffff) fail("has a dimension of an impossible length");
      dimensions_.emplace_back(std::move(dimension_name), static_cast<std::size_t>(length));
    }
  }

  void read_attributes(Variable* variable) {
    for (std::uint64_t n = list(tag_attribute); n > 0; --n) {
      const std::string attribute = name();
      const std::uint32_t type = word();
      const std::uint64_t length = count();
      constexpr std::uint64_t widths[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
      if (type < 1 || type > 11 || length > bytes_.size()) fail("has a damaged header");
      const std::string_view raw = padded(length * widths[type]);
      if (!variable && type == 2) texts_[attribute] = std::string(raw);
      if (variable && attribute == "scale_factor" && length == 1) {
        if (type == 5) variable->scale = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(raw))));
        if (type == 6) variable->scale = std::bit_cast<double>(big_endian(raw));
        if (!std::isfinite(variable->scale)) fail("has a scale_factor that is not a number");
      }
    }
  }

  void read_variables() {
    for (std::uint64_t n = list(tag_variable); n > 0; --n) {
      const std::string variable_name = name();
      Variable variable;
      for (std::uint64_t rank = count(); rank > 0; --rank) {
        const std::uint64_t id = count();
        if (id >= dimensions_.size()) fail("has a damaged header");
        variable.shape.push_back(dimensions_[static_cast<std::size_t>(id)].second);
      }
      read_attributes(&variable);
      variable.type = word();
      count();  // size in bytes, redundant
      variable.begin = version_ == 1 ? word() : big_endian(take(8));
      variables_[variable_name] = std::move(variable);
    }
  }

  const std::string& path_;
  std::string_view bytes_;
  std::size_t at_ = 0;
  unsigned char version_ = 0;
  std::uint64_t records_ = 0;
  std::vector<std::pair<std::string, std::size_t>> dimensions_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, Variable> variables_;
};

std::vector<Vec3d> vectors(const Classic& file, const std::string& name, std::size_t atoms, double unit) {
  const auto values = file.values(name, {atoms, 3});
  std::vector<Vec3d> out(atoms);
  for (std::size_t i = 0; i < atoms; ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      if (!(std::abs(values[3 * i + c]) <= largest_coordinate))
        file.fail("has '" + name + "' of atom " + std::to_string(i + 1) + " that are no numbers within bounds");
    out[i] = {values[3 * i] * unit, values[3 * i + 1] * unit, values[3 * i + 2] * unit};
  }
  return out;
}

}  // namespace

Coordinates read_netcdf_restart(const std::string& path, std::string_view bytes) {
  const Classic file(path, bytes);
  const auto convention = file.texts().find("Conventions");
  if (convention == file.texts().end() || convention->second.find("AMBERRESTART") == std::string::npos)
    file.fail(convention != file.texts().end() && convention->second.find("AMBER") != std::string::npos
                  ? "is a trajectory (convention AMBER), of which no frame is chosen"
                  : "does not follow the AMBERRESTART convention");
  const auto atoms = file.dimension("atom"), spatial = file.dimension("spatial");
  if (!atoms || *atoms == 0 || !spatial || *spatial != 3) file.fail("has no dimensions 'atom' and 'spatial' = 3");
  Coordinates out;
  out.x = vectors(file, "coordinates", *atoms, constants::nm_per_angstrom);
  // With Amber's scale_factor of 20.455 applied, velocities are in A/ps.
  if (file.has("velocities")) out.v = vectors(file, "velocities", *atoms, constants::nm_per_angstrom);
  if (file.has("time")) {
    out.time = file.values("time", {})[0];
    if (!std::isfinite(out.time)) file.fail("has a time that is not a number");
  }
  if (file.has("cell_lengths")) {
    auto cell = file.values("cell_lengths", {3});
    const auto angles = file.has("cell_angles") ? file.values("cell_angles", {3}) : std::vector<double>{90, 90, 90};
    cell.insert(cell.end(), angles.begin(), angles.end());
    for (double value : cell)
      if (!(std::abs(value) <= largest_coordinate)) file.fail("has a cell that is no numbers within bounds");
    if (cell[0] != 0 || cell[1] != 0 || cell[2] != 0) {
      try {
        out.box = box_from_angstrom(cell);
      } catch (const InputError& e) {
        throw InputError(path + ": " + e.what());
      }
      out.box_angles_given = file.has("cell_angles");
    }
  }
  return out;
}

}  // namespace uplift
