// Amber's NetCDF trajectories (convention AMBER 1.0, ambermd.org/netcdf/nctraj): angstrom, picosecond, degree; velocities in
// units of 1/20.455 ps with a scale_factor, forces in kcal/mol/A. Read by position (netcdf_classic); written by libnetcdf in
// the 64-bit offset format, coordinates and times as float32, cells as doubles.
#include <netcdf.h>

#include <cmath>

#include "../netcdf_classic.hpp"
#include "files.hpp"
#include "formats.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/version.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

constexpr double angstrom = constants::nm_per_angstrom;
constexpr double kcal_per_angstrom = constants::kilojoule_per_kilocalorie / angstrom;  // [kJ/mol/nm]
constexpr double amber_velocity = constants::nm_ps_per_amber_velocity / angstrom;      // [A/ps]
constexpr double largest = 1e8;

/// The beginning of the file, as much as the header takes.
std::string header_bytes(const RandomFile& file) {
  constexpr std::uint64_t most = 16 << 20;
  for (std::uint64_t n = 65536;; n *= 16) {
    const std::uint64_t count = std::min({n, most, file.size()});
    const std::vector<std::uint8_t> raw = file.read(0, count);
    std::string bytes(raw.begin(), raw.end());
    try {
      const NetcdfClassic header(file.path(), bytes);
      return bytes;
    } catch (const InputError&) {
      if (count == std::min(most, file.size())) throw;
    }
  }
}

class AmberTrajectoryReader final : public FrameReader {
 public:
  explicit AmberTrajectoryReader(const std::string& path)
      : file_(path), header_bytes_(header_bytes(file_)), header_(path, header_bytes_) {
    const auto convention = header_.texts().find("Conventions");
    if (convention == header_.texts().end() || convention->second.find("AMBER") == std::string::npos)
      header_.fail("does not follow the AMBER convention");
    const auto atoms = header_.dimension("atom"), spatial = header_.dimension("spatial");
    if (!atoms || *atoms == 0 || !spatial || *spatial != 3) header_.fail("has no dimensions 'atom' and 'spatial' = 3");
    atoms_ = *atoms;
    if (header_.record_bytes() == 0) header_.fail("has no frames (no dimension without limit)");
    per_atom("coordinates", {"angstrom", "angstroms"});
    per_frame("time", {}, {"picosecond", "picoseconds", "ps"});
    cell_ = per_frame("cell_lengths", {3}, {"angstrom", "angstroms"}) && per_frame("cell_angles", {3}, {"degree", "degrees"});
    velocities_ = header_.has("velocities") && per_atom("velocities", {"angstrom/picosecond", "angstroms/picosecond"});
    forces_ = header_.has("forces") && per_atom("forces", {"kilocalorie/mole/angstrom", "kilocalories/mole/angstrom"});
    count_frames();
  }

  std::string format() const override { return "Amber NetCDF trajectory"; }
  std::string quantities() const override {
    return std::string("position [angstrom]") + (velocities_ ? ", velocity [angstrom/picosecond]" : "") +
           (forces_ ? ", force [kilocalorie/mole/angstrom]" : "");
  }
  int atoms() const override { return static_cast<int>(atoms_); }
  std::uint64_t frames() const override { return frames_; }
  bool has_velocities() const override { return velocities_; }
  bool has_forces() const override { return forces_; }
  std::optional<double> time(std::uint64_t frame) override {
    if (!header_.has("time")) return std::nullopt;
    const double t = numbers("time", frame, 1)[0];
    if (!std::isfinite(t)) file_.fail(frame_name(frame) + ": its time is no number");
    return t;
  }
  void read(std::uint64_t frame, TrajectoryFrame& out) override {
    out.step.reset();
    out.time = time(frame);
    out.box = Box{};
    if (cell_) {
      const std::vector<double> l = numbers("cell_lengths", frame, 3), a = numbers("cell_angles", frame, 3);
      try {
        out.box = cell_of_parameters({l[0] * angstrom, l[1] * angstrom, l[2] * angstrom}, {a[0], a[1], a[2]});
      } catch (const InputError& e) {
        file_.fail(frame_name(frame) + ": " + e.what());
      }
    }
    vectors("coordinates", frame, angstrom, out.x);
    out.v.clear();
    out.f.clear();
    if (velocities_) vectors("velocities", frame, angstrom, out.v);  // A/ps: the scale_factor was applied
    if (forces_) vectors("forces", frame, kcal_per_angstrom, out.f);
  }

 private:
  /// False, with a note, when the units are not those of the convention: such numbers are of no use.
  bool known_units(const std::string& name, const std::vector<std::string>& units) {
    std::string given = header_.variable(name).units;
    while (!given.empty() && (given.back() == '\0' || given.back() == ' ')) given.pop_back();
    if (given.empty() || std::find(units.begin(), units.end(), given) != units.end()) return true;
    if (name == "coordinates" || name.starts_with("cell"))
      header_.fail("has '" + name + "' in units of '" + given + "', not " + units.front());
    notes_.push_back(file_.path() + ": its " + name + " are in units of '" + given + "', not " + units.front() +
                     ", and are left out");
    return false;
  }
  bool per_atom(const std::string& name, const std::vector<std::string>& units) {
    const NetcdfVariable& v = header_.variable(name);
    if (!v.record || v.shape != std::vector<std::size_t>{0, atoms_, 3})
      header_.fail("has a variable '" + name + "' that is not (frame, atom, spatial)");
    return known_units(name, units);
  }
  bool per_frame(const std::string& name, std::vector<std::size_t> shape, const std::vector<std::string>& units) {
    if (!header_.has(name)) return false;
    shape.insert(shape.begin(), 0);
    const NetcdfVariable& v = header_.variable(name);
    if (!v.record || v.shape != shape) header_.fail("has a variable '" + name + "' of an unexpected shape");
    return known_units(name, units);
  }
  void count_frames() {
    const std::uint64_t bytes = header_.record_bytes(), begin = header_.records_begin();
    const std::uint64_t room = file_.size() > begin ? file_.size() - begin : 0;
    // The last record of a file need not be padded.
    const std::uint64_t there = (room + 3) / bytes;
    frames_ = std::min(header_.records().value_or(there), there);
    if (header_.records() && *header_.records() > there)
      notes_.push_back(file_.path() + ": promises " + std::to_string(*header_.records()) + " frames and holds " +
                       std::to_string(there) + " (it is truncated)");
  }
  std::vector<double> numbers(const std::string& name, std::uint64_t frame, std::size_t count) const {
    const NetcdfVariable& v = header_.variable(name);
    const std::vector<std::uint8_t> raw = file_.read(v.begin + frame * header_.record_bytes(), count * v.width());
    return NetcdfClassic::decode(v, {reinterpret_cast<const char*>(raw.data()), raw.size()}, count);
  }
  void vectors(const std::string& name, std::uint64_t frame, double unit, std::vector<Vec3d>& out) const {
    const std::vector<double> values = numbers(name, frame, 3 * atoms_);
    out.resize(atoms_);
    for (std::size_t i = 0; i < atoms_; ++i) {
      out[i] = {values[3 * i] * unit, values[3 * i + 1] * unit, values[3 * i + 2] * unit};
      if (!(std::abs(out[i].x) < largest && std::abs(out[i].y) < largest && std::abs(out[i].z) < largest))
        file_.fail(frame_name(frame) + ": its " + name + " of atom " + std::to_string(i + 1) + " are no numbers within bounds");
    }
  }

  RandomFile file_;
  std::string header_bytes_;
  NetcdfClassic header_;
  std::size_t atoms_ = 0;
  std::uint64_t frames_ = 0;
  bool cell_ = false, velocities_ = false, forces_ = false;
};

class AmberTrajectoryWriter final : public FrameWriter {
 public:
  AmberTrajectoryWriter(const std::string& path, const TrajectoryFrame& first, const FrameWriterOptions& options)
      : path_(path), atoms_(first.x.size()), periodic_(first.box.periodic()), times_(first.time) {
    check(nc_create(path.c_str(), NC_CLOBBER | NC_64BIT_OFFSET, &file_));
    const int frame = dimension("frame", NC_UNLIMITED), spatial = dimension("spatial", 3), atom = dimension("atom", atoms_);
    const int names = variable("spatial", NC_CHAR, {spatial});
    if (times_) time_ = variable("time", NC_FLOAT, {frame}, "picosecond");
    x_ = variable("coordinates", NC_FLOAT, {frame, atom, spatial}, "angstrom");
    if (options.velocities) {
      v_ = variable("velocities", NC_FLOAT, {frame, atom, spatial}, "angstrom/picosecond");
      check(nc_put_att_double(file_, v_, "scale_factor", NC_FLOAT, 1, &amber_velocity));
    }
    if (options.forces) f_ = variable("forces", NC_FLOAT, {frame, atom, spatial}, "kilocalorie/mole/angstrom");
    int cell_names = -1, angle_names = -1;
    if (periodic_) {
      const int cell = dimension("cell_spatial", 3), angular = dimension("cell_angular", 3), label = dimension("label", 5);
      cell_names = variable("cell_spatial", NC_CHAR, {cell});
      angle_names = variable("cell_angular", NC_CHAR, {angular, label});
      lengths_ = variable("cell_lengths", NC_DOUBLE, {frame, cell}, "angstrom");
      angles_ = variable("cell_angles", NC_DOUBLE, {frame, angular}, "degree");
    }
    for (const auto& [name, text] : {std::pair<const char*, std::string>{"title", options.title},
                                     {"application", "uplift"},
                                     {"program", "uplift"},
                                     {"programVersion", version},
                                     {"Conventions", "AMBER"},
                                     {"ConventionVersion", "1.0"}})
      attribute(NC_GLOBAL, name, text);
    check(nc_enddef(file_));
    check(nc_put_var_text(file_, names, "xyz"));
    if (periodic_) check(nc_put_var_text(file_, cell_names, "abc"));
    if (periodic_) check(nc_put_var_text(file_, angle_names, "alphabeta gamma"));
  }
  ~AmberTrajectoryWriter() override {
    if (file_ >= 0) nc_close(file_);
  }

  void write(const TrajectoryFrame& frame) override {
    if (frame.box.periodic() != periodic_)
      throw InputError(
          path_ + ": some frames have a box and some have none, which an Amber trajectory cannot hold; convert them apart");
    const std::size_t row[] = {written_, 0}, three[] = {1, 3};
    if (times_) {
      const auto t = static_cast<float>(frame.time.value_or(0));
      check(nc_put_var1_float(file_, time_, row, &t));
    }
    put(x_, frame.x, 1 / angstrom);
    if (v_ >= 0) put(v_, frame.v, 1 / constants::nm_ps_per_amber_velocity);
    if (f_ >= 0) put(f_, frame.f, 1 / kcal_per_angstrom);
    if (periodic_) {
      Vec3d l{}, a{};
      box_parameters(frame.box, l, a);
      const double lengths[] = {l.x / angstrom, l.y / angstrom, l.z / angstrom};
      const double angles[] = {a.x * 180 / constants::pi, a.y * 180 / constants::pi, a.z * 180 / constants::pi};
      check(nc_put_vara_double(file_, lengths_, row, three, lengths));
      check(nc_put_vara_double(file_, angles_, row, three, angles));
    }
    ++written_;
  }
  void close() override {
    check(nc_close(file_));
    file_ = -1;
  }

 private:
  void check(int status) const {
    if (status != NC_NOERR) fail_to_write(path_, status, std::string("NetCDF: ") + nc_strerror(status));
  }
  int dimension(const char* name, std::size_t length) const {
    int id = -1;
    check(nc_def_dim(file_, name, length, &id));
    return id;
  }
  void attribute(int variable, const char* name, const std::string& text) const {
    check(nc_put_att_text(file_, variable, name, text.size(), text.c_str()));
  }
  int variable(const char* name, nc_type type, const std::vector<int>& dimensions, const char* units = nullptr) const {
    int id = -1;
    check(nc_def_var(file_, name, type, static_cast<int>(dimensions.size()), dimensions.data(), &id));
    if (units) attribute(id, "units", units);
    return id;
  }
  void put(int variable, const std::vector<Vec3d>& values, double unit) {
    buffer_.clear();
    for (const Vec3d& r : values)
      for (const double value : {r.x, r.y, r.z}) buffer_.push_back(static_cast<float>(value * unit));
    const std::size_t start[] = {written_, 0, 0}, extent[] = {1, atoms_, 3};
    check(nc_put_vara_float(file_, variable, start, extent, buffer_.data()));
  }

  std::string path_;
  std::size_t atoms_, written_ = 0;
  bool periodic_, times_;
  int file_ = -1, time_ = -1, x_ = -1, v_ = -1, f_ = -1, lengths_ = -1, angles_ = -1;
  std::vector<float> buffer_;
};

}  // namespace

std::unique_ptr<FrameReader> open_amber_netcdf(const std::string& path) {
  return std::make_unique<AmberTrajectoryReader>(path);
}
std::unique_ptr<FrameWriter> create_amber_netcdf(const std::string& path, const TrajectoryFrame& first,
                                                 const FrameWriterOptions& options) {
  return std::make_unique<AmberTrajectoryWriter>(path, first, options);
}

}  // namespace uplift
