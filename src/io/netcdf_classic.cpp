#include "netcdf_classic.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr std::uint32_t tag_dimension = 10, tag_variable = 11, tag_attribute = 12;
constexpr std::uint64_t widths[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};  // of a value of each type

std::uint64_t big_endian(std::string_view raw) {
  std::uint64_t value = 0;
  for (char c : raw) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}
double real(std::string_view raw) {
  return raw.size() == 4 ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(raw))))
                         : std::bit_cast<double>(big_endian(raw));
}

}  // namespace

NetcdfClassic::NetcdfClassic(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {
  version_ = static_cast<unsigned char>(take(4)[3]);
  if (version_ != 1 && version_ != 2 && version_ != 5) fail("is of a NetCDF version this program does not read");
  const std::uint64_t records = count();
  if (records != (version_ == 5 ? ~std::uint64_t{0} : 0xffffffffu)) records_ = records;
  read_dimensions();
  read_attributes(nullptr);
  read_variables();
  lay_out_records();
}

void NetcdfClassic::fail(const std::string& message) const {
  throw InputError(path_ + ": NetCDF file " + message + "; give a complete file of Amber's conventions");
}

std::optional<std::size_t> NetcdfClassic::dimension(const std::string& name) const {
  for (const auto& [dimension_name, length] : dimensions_)
    if (dimension_name == name) return length;
  return std::nullopt;
}

const NetcdfVariable& NetcdfClassic::variable(const std::string& name) const {
  const auto found = variables_.find(name);
  if (found == variables_.end()) fail("has no variable '" + name + "'");
  const NetcdfVariable& v = found->second;
  if (v.type != 5 && v.type != 6) fail("has a variable '" + name + "' that is neither float nor double");
  return v;
}

std::vector<double> NetcdfClassic::decode(const NetcdfVariable& v, std::string_view raw, std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = real(raw.substr(i * v.width(), v.width())) * v.scale;
  return out;
}

std::vector<double> NetcdfClassic::values(const std::string& name, const std::vector<std::size_t>& shape) const {
  const NetcdfVariable& v = variable(name);
  // Some writers give a scalar the shape {1}.
  if (v.shape != shape && !(shape.empty() && v.shape == std::vector<std::size_t>{1}))
    fail("has a variable '" + name + "' of an unexpected shape");
  std::size_t n = 1;
  for (std::size_t length : shape) n *= length;  // 3 x atoms at most, and atoms < 2^31: no overflow
  if (v.begin > bytes_.size() || n > (bytes_.size() - v.begin) / v.width())
    fail("ends before the end of '" + name + "' (it is truncated)");
  return decode(v, bytes_.substr(static_cast<std::size_t>(v.begin)), n);
}

std::string_view NetcdfClassic::take(std::uint64_t n) {
  if (n > bytes_.size() - at_) fail("ends inside its header (it is truncated or damaged)");
  const std::string_view taken = bytes_.substr(at_, static_cast<std::size_t>(n));
  at_ += static_cast<std::size_t>(n);
  return taken;
}

std::uint32_t NetcdfClassic::word() { return static_cast<std::uint32_t>(big_endian(take(4))); }
std::uint64_t NetcdfClassic::count() { return version_ == 5 ? big_endian(take(8)) : word(); }

std::string_view NetcdfClassic::padded(std::uint64_t n) {
  const std::string_view taken = take(n);
  take((4 - n % 4) % 4);
  return taken;
}

std::string NetcdfClassic::name() { return std::string(padded(count())); }

/// Number of elements of a list; each takes bytes of the file, so a false number ends in take().
std::uint64_t NetcdfClassic::list(std::uint32_t tag) {
  const std::uint32_t found = word();
  const std::uint64_t n = count();
  if (found != tag && !(found == 0 && n == 0)) fail("has a damaged header");
  return n;
}

void NetcdfClassic::read_dimensions() {
  for (std::uint64_t n = list(tag_dimension); n > 0; --n) {
    std::string dimension_name = name();
    const std::uint64_t length = count();
    if (length > 0x7fffffff) fail("has a dimension of an impossible length");
    dimensions_.emplace_back(std::move(dimension_name), static_cast<std::size_t>(length));
  }
}

void NetcdfClassic::read_attributes(NetcdfVariable* variable) {
  for (std::uint64_t n = list(tag_attribute); n > 0; --n) {
    const std::string attribute = name();
    const std::uint32_t type = word();
    const std::uint64_t length = count();
    if (type < 1 || type > 11 || length > bytes_.size()) fail("has a damaged header");
    const std::string_view raw = padded(length * widths[type]);
    if (!variable && type == 2) texts_[attribute] = std::string(raw);
    if (variable && attribute == "units" && type == 2) variable->units = std::string(raw);
    if (variable && attribute == "scale_factor" && length == 1 && (type == 5 || type == 6)) {
      variable->scale = real(raw);
      if (!std::isfinite(variable->scale)) fail("has a scale_factor that is not a number");
    }
  }
}

void NetcdfClassic::read_variables() {
  for (std::uint64_t n = list(tag_variable); n > 0; --n) {
    const std::string variable_name = name();
    NetcdfVariable variable;
    for (std::uint64_t rank = count(); rank > 0; --rank) {
      const std::uint64_t id = count();
      if (id >= dimensions_.size()) fail("has a damaged header");
      const std::size_t length = dimensions_[static_cast<std::size_t>(id)].second;
      if (length == 0 && !variable.shape.empty())
        fail("has a record dimension that is not the first of '" + variable_name + "'");
      variable.record = variable.record || length == 0;
      variable.shape.push_back(length);
    }
    read_attributes(&variable);
    variable.type = word();
    if (variable.type < 1 || variable.type > 11) fail("has a damaged header");
    count();  // size in bytes, redundant
    variable.begin = version_ == 1 ? word() : big_endian(take(8));
    variables_[variable_name] = std::move(variable);
  }
}

/// A record holds one part of each variable of records, padded to four bytes unless there is only one.
void NetcdfClassic::lay_out_records() {
  std::uint64_t unpadded = 0, variables = 0;
  for (const auto& [variable_name, v] : variables_) {
    if (!v.record) continue;
    std::uint64_t bytes = widths[v.type];
    for (std::size_t d = 1; d < v.shape.size(); ++d) {
      if (v.shape[d] != 0 && bytes > (std::uint64_t{1} << 48) / v.shape[d]) fail("has records of an impossible size");
      bytes *= v.shape[d];
    }
    records_begin_ = variables == 0 ? v.begin : std::min(records_begin_, v.begin);
    ++variables;
    unpadded = bytes;
    record_bytes_ += (bytes + 3) / 4 * 4;
  }
  if (variables == 1) record_bytes_ = unpadded;
}

}  // namespace uplift
