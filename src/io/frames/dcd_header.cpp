#include "dcd_header.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/units.hpp"

namespace uplift {
namespace {

constexpr std::size_t control_words = 20;
constexpr std::uint64_t control_bytes = 4 + 4 * control_words;

/// Time steps are a few digits long. What hides that is float32, and that most programs know the unit to seven digits only
/// (0.04888821 ps): a number of at most six digits that is as near as these two allow is what was meant.
double shortest(float akma) {
  constexpr double off = 1.3e-7;  // half a unit in the last place of a float, and 6e-8 of the unit
  const double exact = static_cast<double>(akma) * constants::ps_per_akma_time;
  for (int digits = 1; digits <= 6; ++digits) {
    std::array<char, 32> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), exact, std::chars_format::scientific, digits - 1);
    double rounded = 0;
    std::from_chars(text.data(), end, rounded);
    if (error == std::errc() && std::abs(rounded - exact) <= off * exact) return rounded;
  }
  return exact;
}

/// Records one after the other.
class Walk {
 public:
  Walk(const RandomFile& file, DcdHeader& header) : file_(file), header_(header) {}
  std::vector<std::uint8_t> record(const char* what) {
    const std::uint64_t bytes = header_.marker(file_, at_);
    if (bytes > 1u << 31) file_.fail(std::string("is damaged: its ") + what + " have an impossible length");
    std::vector<std::uint8_t> data = file_.read(at_ + header_.marker_bytes, bytes);
    if (header_.marker(file_, at_ + header_.marker_bytes + bytes) != bytes)
      file_.fail(std::string("is damaged: its ") + what + " do not end where they should");
    at_ += header_.record(bytes);
    return data;
  }
  std::uint64_t at() const { return at_; }
  std::int32_t integer(const std::vector<std::uint8_t>& data, std::size_t offset) const {
    std::int32_t value = 0;
    std::memcpy(&value, &data[offset], 4);
    return header_.swap ? swapped(value) : value;
  }

 private:
  const RandomFile& file_;
  DcdHeader& header_;
  std::uint64_t at_ = 0;
};

/// Byte order and width of markers, from the length of the first record.
void recognise(const RandomFile& file, DcdHeader& h) {
  std::array<char, 12> head{};
  file.read(0, head.data(), head.size());
  std::uint32_t four = 0;
  std::uint64_t eight = 0;
  std::memcpy(&four, head.data(), 4);
  std::memcpy(&eight, head.data(), 8);
  const auto is_control = [&](std::size_t at) {
    return std::memcmp(&head[at], "CORD", 4) == 0 || std::memcmp(&head[at], "VELD", 4) == 0;
  };
  if (is_control(4) && (four == control_bytes || swapped(four) == control_bytes)) {
    h.swap = four != control_bytes;
  } else if (is_control(8) && (eight == control_bytes || swapped(eight) == control_bytes)) {
    h.swap = eight != control_bytes;
    h.marker_bytes = 8;
  } else {
    file.fail("is not a DCD file");
  }
  if (std::memcmp(&head[h.marker_bytes], "VELD", 4) == 0) file.fail("holds velocities (VELD), not positions");
}

void read_control(const RandomFile& file, const Walk& walk, const std::vector<std::uint8_t>& control, DcdHeader& h) {
  const auto word = [&](std::size_t k) { return walk.integer(control, 4 + 4 * k); };
  h.declared = static_cast<std::uint64_t>(std::max(0, word(0)));
  h.first_step = word(1);
  h.steps_between = word(2);
  h.fixed = word(8);
  h.charmm = word(19) != 0;
  h.has_cell = h.charmm && word(10) != 0;
  h.four_dimensions = h.charmm && word(11) != 0;
  if (h.charmm) {
    const float step = std::bit_cast<float>(word(9));
    h.time_step = std::isfinite(step) && step > 0 ? shortest(step) : 0;
  } else {
    double step = 0;
    std::memcpy(&step, &control[4 + 4 * 9], 8);
    if (h.swap) step = swapped(step);
    h.time_step = std::isfinite(step) && step > 0 ? step * constants::ps_per_akma_time : 0;
  }
  if (h.fixed < 0) file.fail("is damaged: it has a negative number of fixed atoms");
}

}  // namespace

std::uint64_t DcdHeader::marker(const RandomFile& file, std::uint64_t at) const {
  if (marker_bytes == 4) {
    std::uint32_t value = 0;
    file.read(at, &value, 4);
    return swap ? swapped(value) : value;
  }
  std::uint64_t value = 0;
  file.read(at, &value, 8);
  return swap ? swapped(value) : value;
}

std::uint64_t DcdHeader::frame_bytes(bool first) const {
  const std::uint64_t held = first || fixed == 0 ? static_cast<std::uint64_t>(atoms) : free.size();
  return (has_cell ? record(48) : 0) + (four_dimensions ? 4 : 3) * record(4 * held);
}

std::uint64_t DcdHeader::frames_in(std::uint64_t size, std::vector<std::string>& notes, const std::string& path) const {
  const std::uint64_t room = size - begin;
  if (room < frame_bytes(true)) {
    if (room > 0) notes.push_back(path + ": ends inside its first frame");
    return 0;
  }
  const std::uint64_t frames = 1 + (room - frame_bytes(true)) / frame_bytes(false);
  const std::uint64_t rest = size - offset_of(frames);
  if (rest > 0) notes.push_back(path + ": its last " + std::to_string(rest) + " bytes are no whole frame and are left out");
  if (declared > 0 && declared != frames)
    notes.push_back(path + ": its header promises " + std::to_string(declared) + " frames and there are " +
                    std::to_string(frames));
  return frames;
}

DcdHeader read_dcd_header(const RandomFile& file) {
  DcdHeader h;
  recognise(file, h);
  Walk walk(file, h);
  const std::vector<std::uint8_t> control = walk.record("control words");
  read_control(file, walk, control, h);
  const std::vector<std::uint8_t> title = walk.record("titles");
  if (title.size() >= 84) h.title = std::string(reinterpret_cast<const char*>(&title[4]), 80);
  const std::vector<std::uint8_t> count = walk.record("numbers of atoms");
  if (count.size() != 4) file.fail("is damaged: it does not say how many atoms it has");
  h.atoms = walk.integer(count, 0);
  if (h.atoms <= 0 || h.fixed >= h.atoms || static_cast<std::uint64_t>(h.atoms) > file.size())
    file.fail("is damaged: it has an impossible number of atoms");
  if (h.fixed > 0) {
    const std::vector<std::uint8_t> list = walk.record("free atoms");
    if (list.size() != 4 * static_cast<std::size_t>(h.atoms - h.fixed))
      file.fail("is damaged: its list of free atoms has a wrong length");
    for (std::size_t k = 0; k < list.size(); k += 4) {
      const std::int32_t atom = walk.integer(list, k);
      if (atom < 1 || atom > h.atoms) file.fail("is damaged: its list of free atoms names atom " + std::to_string(atom));
      h.free.push_back(static_cast<std::size_t>(atom - 1));
    }
  }
  h.begin = walk.at();
  return h;
}

std::string dcd_header_bytes(const DcdHeader& h) {
  std::string out;
  const auto word = [&](std::int32_t value) { out.append(reinterpret_cast<const char*>(&value), 4); };
  const auto record = [&](const std::string& bytes) {
    word(static_cast<std::int32_t>(bytes.size()));
    out += bytes;
    word(static_cast<std::int32_t>(bytes.size()));
  };
  std::array<std::int32_t, control_words> control{};
  control[10] = h.has_cell;
  control[19] = 24;
  record("CORD" + std::string(reinterpret_cast<const char*>(control.data()), 4 * control_words));
  std::string title = "REMARKS " + h.title.substr(0, h.title.find('\n'));
  title.resize(80, ' ');
  std::string units = "REMARKS written by uplift; angstrom, cell as lengths and cosines";
  units.resize(80, ' ');
  record(std::string("\2\0\0\0", 4) + title + units);
  std::string atoms(4, '\0');
  std::memcpy(atoms.data(), &h.atoms, 4);
  record(atoms);
  return out;
}

std::vector<std::pair<std::uint64_t, std::int32_t>> DcdTiming::header_words(std::uint64_t frames) const {
  const auto at = [](std::uint64_t k) { return 8 + 4 * k; };
  const auto count = static_cast<std::int32_t>(std::min<std::uint64_t>(frames, std::numeric_limits<std::int32_t>::max()));
  const std::int64_t steps = static_cast<std::int64_t>(steps_between) * count;
  return {{at(0), count},
          {at(1), first_step},
          {at(2), steps_between},
          {at(3), static_cast<std::int32_t>(std::min<std::int64_t>(steps, std::numeric_limits<std::int32_t>::max()))},
          {at(9), std::bit_cast<std::int32_t>(time_step)}};
}

DcdTiming dcd_timing(const DcdMoment& first, const DcdMoment& last, std::uint64_t frames) {
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-6 * std::max(1.0, std::abs(b)); };
  const auto akma = [](double ps) { return static_cast<float>(ps / constants::ps_per_akma_time); };
  DcdTiming t;
  if (frames < 2) {
    // One frame: a step of the length of its time, or of one picosecond at time zero.
    const bool counted = first.step && *first.step > 0 && static_cast<double>(*first.step) < most;
    t.first_step = first.time == 0 ? 0 : counted ? static_cast<std::int32_t>(*first.step) : 1;
    t.time_step = akma(first.time == 0 ? 1.0 : first.time / t.first_step);
    return t;
  }
  const double intervals = static_cast<double>(frames - 1), spacing = (last.time - first.time) / intervals;
  if (first.step && last.step && *last.step > *first.step &&
      (*last.step - *first.step) % static_cast<std::int64_t>(frames - 1) == 0) {
    const auto between = (*last.step - *first.step) / static_cast<std::int64_t>(frames - 1);
    const double step = spacing / static_cast<double>(between);
    if (static_cast<double>(*last.step) < most && *first.step >= 0 &&
        near(first.time / step, static_cast<double>(*first.step))) {
      t.first_step = static_cast<std::int32_t>(*first.step);
      t.steps_between = static_cast<std::int32_t>(between);
      t.time_step = akma(step);
      return t;
    }
  }
  const double start = first.time / spacing;
  if (!(std::abs(start) < most) || std::abs(start - std::nearbyint(start)) > 1e-3)
    throw InputError(
        "a DCD can begin only at a multiple of the time between its frames, and the first frame is at " +
        format_number(first.time) + " ps with " + format_number(spacing) +
        " ps between frames; choose another first frame with --begin, write .xtc or .nc, or let go of times with --drop-times");
  t.first_step = static_cast<std::int32_t>(std::nearbyint(start));
  t.time_step = akma(spacing);
  return t;
}

}  // namespace uplift
