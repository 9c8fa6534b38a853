// XTC: GROMACS's compressed trajectory. Big-endian XDR; a frame is magic number, atoms, step, time [ps, float], box [nm, 9
// floats, rows are vectors], and the positions: precision [1/nm], their extent and bits (xtc_codec), or plain floats for up to
// nine atoms. Magic number 2023 has a length of the bits in 64 bits.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "files.hpp"
#include "formats.hpp"
#include "uplift/core/error.hpp"
#include "xtc_codec.hpp"

namespace uplift {
namespace {

constexpr std::int32_t magic = 1995, large_magic = 2023;
constexpr std::int32_t most_plain = 9;                   // atoms that are not compressed
constexpr std::int32_t most_atoms_of_magic = 298261617;  // more need the other number
constexpr std::uint64_t header_bytes = 56, plain_bytes = 12, extent_bytes = 32;
constexpr double largest = 1 << 30;

std::int32_t integer(const std::uint8_t* p) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(p[0]) << 24 | static_cast<std::uint32_t>(p[1]) << 16 |
                                   static_cast<std::uint32_t>(p[2]) << 8 | p[3]);
}
float real(const std::uint8_t* p) { return std::bit_cast<float>(integer(p)); }

struct Place {
  std::uint64_t offset;
  float time;
};

class XtcReader final : public FrameReader {
 public:
  explicit XtcReader(const std::string& path) : file_(path) { index(); }

  std::string format() const override { return "XTC trajectory"; }
  std::string quantities() const override { return "position [nm]"; }
  int atoms() const override { return atoms_; }
  std::uint64_t frames() const override { return places_.size(); }
  std::optional<double> time(std::uint64_t frame) override { return static_cast<double>(places_.at(frame).time); }

  void read(std::uint64_t frame, TrajectoryFrame& out) override {
    const std::uint64_t begin = places_.at(frame).offset;
    const std::vector<std::uint8_t> head = file_.read(begin, header_bytes);
    const auto box = [&](std::size_t k) {
      const std::uint8_t* p = &head[16 + 12 * k];
      return Vec3d{static_cast<double>(real(p)), static_cast<double>(real(p + 4)), static_cast<double>(real(p + 8))};
    };
    out.step = integer(&head[8]);
    out.time = static_cast<double>(real(&head[12]));
    out.v.clear();
    out.f.clear();
    out.x.resize(static_cast<std::size_t>(atoms_));
    try {
      out.box = cell_of(box(0), box(1), box(2));
      if (atoms_ <= most_plain)
        plain(begin, out.x);
      else
        compressed(begin, integer(head.data()) == large_magic, out.x);
    } catch (const std::runtime_error& e) {
      throw InputError(file_.path() + ": " + frame_name(frame) + ": " + e.what() +
                       "; choose frames before the damage with --end, or give a complete file");
    }
  }

 private:
  /// Walks from frame to frame by their lengths alone.
  void index() {
    std::uint64_t at = 0;
    while (at < file_.size()) {
      if (file_.size() - at < header_bytes + plain_bytes) return cut(at);
      const std::vector<std::uint8_t> head = file_.read(at, header_bytes);
      const std::int32_t number = integer(head.data()), count = integer(&head[4]);
      if (number != magic && number != large_magic)
        file_.fail(at == 0 ? "is not an XTC file"
                           : frame_name(places_.size()) + " does not begin as one of an XTC file does (it is damaged)");
      if (count <= 0 || integer(&head[52]) != count) file_.fail(frame_name(places_.size()) + " is damaged");
      if (at == 0) atoms_ = count;
      if (count != atoms_)
        file_.fail(frame_name(places_.size()) + " has " + std::to_string(count) + " atoms, the first " +
                   std::to_string(atoms_));
      const std::uint64_t length = header_bytes + positions_length(at, count, number == large_magic);
      if (length > file_.size() - at) return cut(at);
      places_.push_back({at, real(&head[12])});
      at += length;
    }
    if (places_.empty()) file_.fail("is empty");
  }
  void cut(std::uint64_t at) {
    if (places_.empty()) file_.fail("ends inside its first frame (it is truncated)");
    notes_.push_back(file_.path() + ": its last " + std::to_string(file_.size() - at) +
                     " bytes are no whole frame and are left out");
  }
  std::uint64_t positions_length(std::uint64_t at, std::int32_t count, bool large) const {
    if (count <= most_plain) return plain_bytes * static_cast<std::uint64_t>(count);
    const std::uint64_t head = extent_bytes + (large ? 8 : 4);
    if (file_.size() - at - header_bytes < head) return std::numeric_limits<std::uint64_t>::max() / 2;
    const std::uint64_t bits = bits_length(at, large);
    // Every atom takes two bits at the least: a false number of atoms would only ask for memory.
    if (bits > file_.size() || static_cast<std::uint64_t>(count) > 4 * bits)
      file_.fail(frame_name(places_.size()) + " is damaged");
    return head + (bits + 3) / 4 * 4;
  }
  std::uint64_t bits_length(std::uint64_t at, bool large) const {
    const std::vector<std::uint8_t> word = file_.read(at + header_bytes + extent_bytes, large ? 8 : 4);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : word) value = value << 8 | byte;
    return value;
  }

  void plain(std::uint64_t begin, std::vector<Vec3d>& x) const {
    const std::vector<std::uint8_t> raw = file_.read(begin + header_bytes, 12 * x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::uint8_t* p = &raw[12 * i];
      x[i] = {static_cast<double>(real(p)), static_cast<double>(real(p + 4)), static_cast<double>(real(p + 8))};
      if (!(std::abs(x[i].x) < largest && std::abs(x[i].y) < largest && std::abs(x[i].z) < largest))
        throw std::runtime_error("a position is no number");
    }
  }
  void compressed(std::uint64_t begin, bool large, std::vector<Vec3d>& x) {
    const std::vector<std::uint8_t> head = file_.read(begin + header_bytes, extent_bytes);
    const double precision = static_cast<double>(real(head.data()));
    if (!(precision > 0 && precision < 1e12)) throw std::runtime_error("the precision of its positions is damaged");
    xtc::Packed packed;
    packed.low = {integer(&head[4]), integer(&head[8]), integer(&head[12])};
    packed.high = {integer(&head[16]), integer(&head[20]), integer(&head[24])};
    packed.small = integer(&head[28]);
    packed.bits = file_.read(begin + header_bytes + extent_bytes + (large ? 8 : 4), bits_length(begin, large));
    grid_.resize(x.size());
    xtc::unpack(packed, grid_);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = {grid_[i].x / precision, grid_[i].y / precision, grid_[i].z / precision};
  }

  RandomFile file_;
  int atoms_ = 0;
  std::vector<Place> places_;
  std::vector<xtc::Grid> grid_;
};

class XtcWriter final : public FrameWriter {
 public:
  XtcWriter(const std::string& path, const FrameWriterOptions& options)
      : path_(path), file_(path), precision_(static_cast<float>(1 / options.xtc_precision)) {}

  void write(const TrajectoryFrame& frame) override {
    bytes_.clear();
    if (frame.x.size() > static_cast<std::size_t>(most_atoms_of_magic))
      throw InputError(path_ + ": XTC holds up to " + std::to_string(most_atoms_of_magic) +
                       " atoms; choose fewer with --atoms, or another format");
    const auto atoms = static_cast<std::int32_t>(frame.x.size());
    put(magic);
    put(atoms);
    put(step_of(frame));
    put(static_cast<float>(frame.time.value_or(static_cast<double>(written_))));
    for (const Vec3d& edge : {frame.box.a, frame.box.b, frame.box.c}) put(edge);
    put(atoms);
    if (atoms <= most_plain)
      for (const Vec3d& x : frame.x) put(x);
    else
      put_compressed(frame.x);
    file_.write(bytes_.data(), bytes_.size());
    ++written_;
  }
  void close() override { file_.close(); }

 private:
  std::int32_t step_of(const TrajectoryFrame& frame) {
    const std::int64_t step = frame.step.value_or(static_cast<std::int64_t>(written_));
    if (step > std::numeric_limits<std::int32_t>::max() && notes_.empty())
      notes_.push_back(path_ + ": XTC holds steps up to 2147483647; from step " + std::to_string(step) +
                       " on they wrap around, as those of GROMACS do (times are right)");
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(step)));
  }
  void put(std::int32_t value) {
    const auto u = static_cast<std::uint32_t>(value);
    for (int shift = 24; shift >= 0; shift -= 8) bytes_.push_back(static_cast<std::uint8_t>(u >> shift));
  }
  void put(float value) { put(std::bit_cast<std::int32_t>(value)); }
  void put(const Vec3d& r) {
    for (const double value : {r.x, r.y, r.z}) put(static_cast<float>(value));
  }
  void put_compressed(const std::vector<Vec3d>& x) {
    grid_.clear();
    const double precision = static_cast<double>(precision_);
    for (const Vec3d& r : x) {
      const Vec3d s = precision * r;
      if (!(std::abs(s.x) < largest && std::abs(s.y) < largest && std::abs(s.z) < largest))
        throw InputError(path_ + ": atom " + std::to_string(grid_.size() + 1) +
                         " is too far out for XTC at this precision (its whole numbers have 31 bits); "
                         "put molecules back into the box with --centre, or give a larger --precision");
      grid_.push_back({static_cast<std::int32_t>(std::lround(s.x)), static_cast<std::int32_t>(std::lround(s.y)),
                       static_cast<std::int32_t>(std::lround(s.z))});
    }
    const xtc::Packed packed = xtc::pack(grid_);
    put(precision_);
    for (const xtc::Grid& corner : {packed.low, packed.high})
      for (const std::int32_t value : {corner.x, corner.y, corner.z}) put(value);
    put(packed.small);
    put(static_cast<std::int32_t>(packed.bits.size()));
    bytes_.insert(bytes_.end(), packed.bits.begin(), packed.bits.end());
    while (bytes_.size() % 4) bytes_.push_back(0);
  }

  std::string path_;
  OutputFile file_;
  float precision_;
  std::uint64_t written_ = 0;
  std::vector<std::uint8_t> bytes_;
  std::vector<xtc::Grid> grid_;
};

}  // namespace

std::unique_ptr<FrameReader> open_xtc(const std::string& path) { return std::make_unique<XtcReader>(path); }
std::unique_ptr<FrameWriter> create_xtc(const std::string& path, const FrameWriterOptions& options) {
  return std::make_unique<XtcWriter>(path, options);
}

}  // namespace uplift
