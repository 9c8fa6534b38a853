#pragma once
// NetCDF classic files (versions 1, 2 and 5), read without libnetcdf: a damaged header must end in a message, gzipped files are
// in memory anyway, and trajectories are read frame by frame. Grammar: NetCDF classic format specification.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace uplift {

struct NetcdfVariable {
  std::vector<std::size_t> shape;  ///< 0: the record dimension
  std::uint32_t type = 0;          ///< 5: float, 6: double
  std::uint64_t begin = 0;         ///< in the file; of a variable of records: of the first one
  bool record = false;             ///< one part in each record
  double scale = 1;                ///< scale_factor
  std::string units;

  std::size_t width() const { return type == 5 ? 4 : 8; }
};

class NetcdfClassic {
 public:
  /// `bytes`: the file, or its beginning with all of the header; it must outlive the object. Throws InputError.
  NetcdfClassic(const std::string& path, std::string_view bytes);

  [[noreturn]] void fail(const std::string& message) const;
  /// Text attributes of the whole file.
  const std::map<std::string, std::string>& texts() const { return texts_; }
  bool has(const std::string& name) const { return variables_.contains(name); }
  std::optional<std::size_t> dimension(const std::string& name) const;
  const NetcdfVariable& variable(const std::string& name) const;
  /// The declared number; empty when the file was written as a stream.
  std::optional<std::uint64_t> records() const { return records_; }
  std::uint64_t record_bytes() const { return record_bytes_; }
  std::uint64_t records_begin() const { return records_begin_; }

  /// A variable of floats or doubles of that shape that is within the bytes given, scaled by its scale_factor.
  std::vector<double> values(const std::string& name, const std::vector<std::size_t>& shape) const;
  /// `count` numbers of a variable as they are in the file.
  static std::vector<double> decode(const NetcdfVariable& variable, std::string_view raw, std::size_t count);

 private:
  std::string_view take(std::uint64_t n);
  std::uint32_t word();
  std::uint64_t count();
  std::string_view padded(std::uint64_t n);
  std::string name();
  std::uint64_t list(std::uint32_t tag);
  void read_dimensions();
  void read_attributes(NetcdfVariable* variable);
  void read_variables();
  void lay_out_records();

  std::string path_;
  std::string_view bytes_;
  std::size_t at_ = 0;
  unsigned char version_ = 0;
  std::optional<std::uint64_t> records_;
  std::uint64_t record_bytes_ = 0, records_begin_ = 0;
  std::vector<std::pair<std::string, std::size_t>> dimensions_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, NetcdfVariable> variables_;
};

}  // namespace uplift
