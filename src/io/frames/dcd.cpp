// DCD of CHARMM, X-PLOR, NAMD and OpenMM: Fortran records. Positions are angstrom in float32; the header has one first step,
// one number of steps between frames and one time step (in AKMA units), so frames are equally spaced in time.
//
// The cell is six doubles before each frame: a, gamma, b, beta, alpha, c. Angles are cosines (NAMD, OpenMM, VMD; what is
// written here) or degrees (X-PLOR, older CHARMM). CHARMM from version 22 on has the symmetric shape matrix xx, xy, yy, xz, yz,
// zz there instead. The three are told apart by their values: cosines are at most 1, angles of a
// cell are 20 to 160 degrees, and elements xy, xz and yz that are all of one or the other are very unlikely.
#include "dcd_header.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "files.hpp"
#include "formats.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/units.hpp"

namespace uplift {
namespace {

constexpr double angstrom = constants::nm_per_angstrom;
constexpr double largest = 1e8;  // [A]

/// Symmetric shape matrix to a along x: positions turn with the cell.
struct Turn {
  Box cell;
  std::array<Vec3d, 3> rows{Vec3d{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  bool turns = false;
  Vec3d operator()(const Vec3d& x) const { return {dot(rows[0], x), dot(rows[1], x), dot(rows[2], x)}; }
};

Turn turn_of(const Vec3d& a, const Vec3d& b, const Vec3d& c) {
  Turn t;
  t.turns = true;
  const auto unit = [](const Vec3d& v) { return (1 / std::sqrt(dot(v, v))) * v; };
  t.rows[0] = unit(a);
  t.rows[2] = unit(cross(a, b));
  t.rows[1] = cross(t.rows[2], t.rows[0]);
  const Vec3d ta = t(a), tb = t(b), tc = t(c);
  t.cell = cell_of({ta.x, 0, 0}, {tb.x, tb.y, 0}, tc);
  return t;
}

Turn cell_of_record(const std::array<double, 6>& u) {
  for (const double value : u)
    if (!(std::abs(value) < largest)) throw InputError("its cell is no numbers within bounds");
  const double gamma = u[1], beta = u[3], alpha = u[4];
  Turn t;
  const auto within = [](double x, double low, double high) { return x >= low && x <= high; };
  const Vec3d lengths{u[0] * angstrom, u[2] * angstrom, u[5] * angstrom};
  if (within(alpha, -1, 1) && within(beta, -1, 1) && within(gamma, -1, 1)) {
    const auto degrees = [](double cosine) { return cosine == 0 ? 90.0 : std::acos(cosine) * 180 / constants::pi; };
    t.cell = cell_of_parameters(lengths, {degrees(alpha), degrees(beta), degrees(gamma)});
  } else if (within(alpha, 20, 160) && within(beta, 20, 160) && within(gamma, 20, 160)) {
    t.cell = cell_of_parameters(lengths, {alpha, beta, gamma});
  } else {
    t = turn_of(angstrom * Vec3d{u[0], u[1], u[3]}, angstrom * Vec3d{u[1], u[2], u[4]}, angstrom * Vec3d{u[3], u[4], u[5]});
  }
  return t;
}

class DcdReader final : public FrameReader {
 public:
  explicit DcdReader(const std::string& path) : file_(path), header_(read_dcd_header(file_)) {
    frames_ = header_.frames_in(file_.size(), notes_, path);
    values_.resize(static_cast<std::size_t>(header_.atoms));
  }
  std::string format() const override {
    return std::string("DCD trajectory (") + (header_.charmm ? "CHARMM, NAMD" : "X-PLOR") +
           (header_.has_cell ? ")" : ", no cell)");
  }
  std::string quantities() const override { return "position [angstrom]"; }
  int atoms() const override { return header_.atoms; }
  std::uint64_t frames() const override { return frames_; }
  std::optional<double> time(std::uint64_t frame) override {
    if (!(header_.time_step > 0) || header_.steps_between <= 0) return std::nullopt;
    return static_cast<double>(*step(frame)) * header_.time_step;
  }

  void read(std::uint64_t frame, TrajectoryFrame& out) override {
    std::uint64_t at = header_.offset_of(frame);
    out.step = step(frame);
    out.time = time(frame);
    out.v.clear();
    out.f.clear();
    Turn turn;
    try {
      if (header_.has_cell) turn = cell_of_record(cell(at));
      out.box = turn.cell;
    } catch (const InputError& e) {
      file_.fail(frame_name(frame) + ": " + e.what());
    }
    const bool part = frame > 0 && header_.fixed > 0;
    if (part && fixed_.empty()) {
      TrajectoryFrame first;
      read(0, first);
      fixed_ = first.x;
      at = header_.offset_of(frame) + (header_.has_cell ? header_.record(48) : 0);
    }
    out.x.resize(values_.size());
    if (part) out.x = fixed_;
    const std::size_t count = part ? header_.free.size() : values_.size();
    for (double Vec3d::*component : {&Vec3d::x, &Vec3d::y, &Vec3d::z}) {
      record(at, values_.data(), count, frame);
      for (std::size_t k = 0; k < count; ++k) {
        const double value = static_cast<double>(values_[k]) * angstrom;
        if (!(std::abs(value) < largest))
          file_.fail(frame_name(frame) + ": a position of atom " + std::to_string(k + 1) + " is no number within bounds");
        out.x[part ? header_.free[k] : k].*component = value;
      }
    }
    if (turn.turns)
      for (Vec3d& x : out.x) x = turn(x);
  }

 private:
  std::optional<std::int64_t> step(std::uint64_t frame) const {
    if (header_.steps_between <= 0) return std::nullopt;
    return header_.first_step + static_cast<std::int64_t>(frame) * header_.steps_between;
  }
  std::array<double, 6> cell(std::uint64_t& at) const {
    std::array<double, 6> u{};
    if (header_.marker(file_, at) != 48) file_.fail("has no cell where one should be (it is damaged)");
    file_.read(at + header_.marker_bytes, u.data(), 48);
    if (header_.swap)
      for (double& value : u) value = swapped(value);
    at += header_.record(48);
    return u;
  }
  void record(std::uint64_t& at, float* to, std::size_t count, std::uint64_t frame) const {
    const std::uint64_t bytes = 4 * static_cast<std::uint64_t>(count);
    if (header_.marker(file_, at) != bytes) file_.fail(frame_name(frame) + " is damaged (its records have a wrong length)");
    file_.read(at + header_.marker_bytes, to, bytes);
    if (header_.swap)
      for (std::size_t k = 0; k < count; ++k) to[k] = swapped(to[k]);
    at += header_.record(bytes);
  }

  RandomFile file_;
  DcdHeader header_;
  std::uint64_t frames_ = 0;
  std::vector<float> values_;
  std::vector<Vec3d> fixed_;  // positions of the first frame, when atoms are fixed
};

class DcdWriter final : public FrameWriter {
 public:
  DcdWriter(const std::string& path, const TrajectoryFrame& first, const FrameWriterOptions& options)
      : path_(path),
        file_(path),
        times_(!options.drop_times && first.time),
        periodic_(first.box.periodic()),
        atoms_(first.x.size()) {
    file_.write(dcd_header_bytes({.atoms = static_cast<int>(atoms_), .has_cell = periodic_, .title = options.title}));
    values_.resize(atoms_);
  }

  void write(const TrajectoryFrame& frame) override {
    if (frame.box.periodic() != periodic_)
      throw InputError(path_ + ": some frames have a box and some have none, which a DCD cannot hold; convert them apart");
    if (times_) keep_time(frame);
    if (periodic_) put_cell(frame.box);
    for (double Vec3d::*component : {&Vec3d::x, &Vec3d::y, &Vec3d::z}) {
      for (std::size_t i = 0; i < atoms_; ++i) values_[i] = static_cast<float>(frame.x[i].*component / angstrom);
      record(values_.data(), 4 * atoms_);
    }
    ++written_;
  }

  void close() override {
    const DcdTiming when = times_ ? timing(written_) : DcdTiming{};
    for (const auto& [offset, value] : when.header_words(written_)) file_.replace(offset, &value, 4);
    file_.close();
  }

 private:
  /// A DCD says only when its first frame was and how far apart frames are.
  void keep_time(const TrajectoryFrame& frame) {
    const DcdMoment now{frame.step, frame.time.value_or(0)};
    if (written_ == 0) first_ = now;
    if (written_ == 1) spacing_ = now.time - first_.time;
    const double expected = first_.time + spacing_ * static_cast<double>(written_);
    // Times that other formats keep as float32 are as far off as that.
    const double tolerance = 1e-3 * std::abs(spacing_) + 2e-7 * std::abs(expected);
    if (!frame.time || (written_ > 0 && (!(spacing_ > 0) || std::abs(now.time - expected) > tolerance)))
      throw InputError(path_ + ": frames are not equally spaced in time (frame " + std::to_string(written_) + " is at " +
                       format_number(now.time) + " ps where " + format_number(expected) +
                       " ps would be), and a DCD can say only when it begins and how far its frames are apart; "
                       "choose equally spaced ones with --begin, --end and --stride, write .xtc or .nc, or let go of times "
                       "with --drop-times");
    last_ = now;
    if (written_ == 1) timing(2);  // what cannot be said must not come out after hours of writing
  }
  DcdTiming timing(std::uint64_t frames) const {
    try {
      return dcd_timing(first_, last_, frames);
    } catch (const InputError& e) {
      throw InputError(path_ + ": " + e.what());
    }
  }
  void put_cell(const Box& box) {
    const auto norm = [](const Vec3d& v) { return std::sqrt(dot(v, v)); };
    const double a = norm(box.a), b = norm(box.b), c = norm(box.c);
    const std::array<double, 6> u{
        a / angstrom, dot(box.a, box.b) / (a * b), b / angstrom, dot(box.a, box.c) / (a * c), dot(box.b, box.c) / (b * c),
        c / angstrom};
    record(u.data(), sizeof u);
  }
  void record(const void* bytes, std::size_t count) {
    const auto marker = static_cast<std::int32_t>(count);
    file_.write(&marker, 4);
    file_.write(bytes, count);
    file_.write(&marker, 4);
  }

  std::string path_;
  OutputFile file_;
  bool times_, periodic_;
  std::size_t atoms_;
  std::vector<float> values_;
  DcdMoment first_, last_;
  double spacing_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace

std::unique_ptr<FrameReader> open_dcd(const std::string& path) { return std::make_unique<DcdReader>(path); }
std::unique_ptr<FrameWriter> create_dcd(const std::string& path, const TrajectoryFrame& first,
                                        const FrameWriterOptions& options) {
  if (4 * first.x.size() > 0x7fffffffu) throw InputError(path + ": a DCD holds at most 536870911 atoms");
  return std::make_unique<DcdWriter>(path, first, options);
}

}  // namespace uplift
