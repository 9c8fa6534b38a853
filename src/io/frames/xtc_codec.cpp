#include "xtc_codec.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "uplift/core/assert.hpp"

namespace uplift::xtc {
namespace {

// Ranges of differences by index: powers of the cube root of two, so that three of range [k] fit into k bits. Those of the
// format, with its deviations from that rule (37, 57, 69).
constexpr std::array<std::uint32_t, 73> ranges = {
    0,       0,       0,       0,       0,       0,        0,        0,       0,       8,       10,      12,      16,
    20,      25,      32,      40,      50,      64,       80,       101,     128,     161,     203,     256,     322,
    406,     512,     645,     812,     1024,    1290,     1625,     2048,    2580,    3250,    4096,    5060,    6501,
    8192,    10321,   13003,   16384,   20642,   26007,    32768,    41285,   52015,   65536,   82570,   104031,  131072,
    165140,  208063,  262144,  330280,  416127,  524287,   660561,   832255,  1048576, 1321122, 1664510, 2097152, 2642245,
    3329021, 4194304, 5284491, 6658042, 8388607, 10568983, 13316085, 16777216};
constexpr int first_range = 9, last_range = static_cast<int>(ranges.size()) - 1;
constexpr int most_small = 8;  // differences that may follow one position

using Wide = unsigned __int128;
using Sizes = std::array<std::uint32_t, 3>;

/// The most significant bit of a value goes first.
class BitWriter {
 public:
  void put(int count, std::uint32_t value) {
    for (int left = count; left > 0;) {
      if (free_ == 0) {
        bytes_.push_back(0);
        free_ = 8;
      }
      const int n = std::min(left, free_);
      const std::uint32_t part = (value >> (left - n)) & ((1u << n) - 1);
      bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | part << (free_ - n));
      free_ -= n;
      left -= n;
    }
  }
  /// Three numbers below `sizes` as one of mixed radix, its least significant byte first.
  void put(int count, const Sizes& sizes, const Sizes& values) {
    Wide number = values[0];
    for (std::size_t k = 1; k < 3; ++k) number = number * sizes[k] + values[k];
    for (; count > 8; count -= 8, number >>= 8) put(8, static_cast<std::uint32_t>(number & 0xff));
    put(count, static_cast<std::uint32_t>(number));
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
  int free_ = 0;  // bits of the last byte
};

class BitReader {
 public:
  explicit BitReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint32_t get(int count) {
    if (static_cast<std::uint64_t>(count) > 8 * bytes_.size() - at_)
      throw std::runtime_error("its compressed positions end too early");
    std::uint64_t value = 0;
    for (int left = count; left > 0;) {
      const int free = 8 - static_cast<int>(at_ % 8), n = std::min(left, free);
      value = value << n | ((bytes_[at_ / 8] >> (free - n)) & ((1u << n) - 1));
      at_ += static_cast<std::size_t>(n);
      left -= n;
    }
    return static_cast<std::uint32_t>(value);
  }
  Sizes get(int count, const Sizes& sizes) {
    if (count <= 64) return digits(number<std::uint64_t>(count), sizes);
    return digits(number<Wide>(count), sizes);
  }

 private:
  template <class N>
  N number(int count) {
    N value = 0;
    for (int shift = 0; count > 0; shift += 8, count -= 8) value |= static_cast<N>(get(std::min(8, count))) << shift;
    return value;
  }
  template <class N>
  static Sizes digits(N value, const Sizes& sizes) {
    Sizes digit{};
    for (std::size_t k = 2; k > 0; --k) {
      digit[k] = static_cast<std::uint32_t>(value % sizes[k]);
      value /= sizes[k];
    }
    if (value >= sizes[0]) throw std::runtime_error("its compressed positions are damaged");
    digit[0] = static_cast<std::uint32_t>(value);
    return digit;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;  // bit
};

std::uint32_t extent(std::int32_t low, std::int32_t high) {
  return static_cast<std::uint32_t>(static_cast<std::int64_t>(high) - low + 1);  // 2^32 becomes 0, which unpack() refuses
}

/// How a position that is no difference is stored: three components as one number, or apart when one of them has more than 24
/// bits.
struct Whole {
  Sizes size;
  bool apart;
  int bits;

  explicit Whole(const Packed& p) : size{extent(p.low.x, p.high.x), extent(p.low.y, p.high.y), extent(p.low.z, p.high.z)} {
    apart = std::any_of(size.begin(), size.end(), [](std::uint32_t s) { return s > 0xffffff; });
    Wide product = 1;
    for (const std::uint32_t s : size) product *= s;
    bits = 0;
    for (; !apart && product > 0; product >>= 1) ++bits;
  }
  void put(BitWriter& out, const Sizes& value) const {
    if (!apart) return out.put(bits, size, value);
    for (std::size_t k = 0; k < 3; ++k) out.put(std::bit_width(size[k]), value[k]);
  }
  Sizes get(BitReader& in) const {
    if (!apart) return in.get(bits, size);
    Sizes value{};
    for (std::size_t k = 0; k < 3; ++k) {
      value[k] = in.get(std::bit_width(size[k]));
      if (value[k] >= size[k]) throw std::runtime_error("its compressed positions are damaged");
    }
    return value;
  }
};

std::int64_t reach(const Grid& a, const Grid& b) {
  const auto d = [](std::int32_t p, std::int32_t q) { return std::abs(static_cast<std::int64_t>(p) - q); };
  return std::max({d(a.x, b.x), d(a.y, b.y), d(a.z, b.z)});
}
std::int64_t half(int range) { return ranges[static_cast<std::size_t>(range)] / 2; }

/// Most neighbours shall be within the first range; it follows the data from there.
int starting_range(std::span<const Grid> x) {
  std::vector<std::int64_t> sample;
  const std::size_t stride = std::max<std::size_t>(1, x.size() / 1000);
  for (std::size_t i = 0; i + 1 < x.size(); i += stride) sample.push_back(reach(x[i], x[i + 1]));
  if (sample.empty()) return first_range;
  const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 2);
  std::nth_element(sample.begin(), middle, sample.end());
  int range = first_range;
  while (range < last_range && half(range) <= *middle) ++range;
  return range;
}

/// Differences that follow position i within `range`, the first of them backwards: atom i is stored as a difference to atom
/// i + 1, since the middle atom of three (the oxygen of a water) is near both others.
int run_from(std::span<const Grid> x, std::size_t i, int range) {
  if (i + 1 >= x.size() || reach(x[i], x[i + 1]) >= half(range)) return 0;
  int run = 1;
  for (std::size_t before = i, j = i + 2; run < most_small && j < x.size() && reach(x[j], x[before]) < half(range);
       before = j++)
    ++run;
  return run;
}

/// The largest difference in a run.
std::int64_t run_reach(std::span<const Grid> x, std::size_t i, int run) {
  std::int64_t most = reach(x[i], x[i + 1]);
  for (std::size_t before = i, j = i + 2; j < i + 1 + static_cast<std::size_t>(run); before = j++)
    most = std::max(most, reach(x[j], x[before]));
  return most;
}

}  // namespace

Packed pack(std::span<const Grid> x) {
  UPLIFT_EXPECT(!x.empty());
  Packed packed;
  packed.low = packed.high = x[0];
  for (const Grid& p : x) {
    packed.low = {std::min(packed.low.x, p.x), std::min(packed.low.y, p.y), std::min(packed.low.z, p.z)};
    packed.high = {std::max(packed.high.x, p.x), std::max(packed.high.y, p.y), std::max(packed.high.z, p.z)};
  }
  const Whole whole(packed);
  int range = packed.small = starting_range(x), run_before = -1;
  BitWriter out;
  for (std::size_t i = 0; i < x.size();) {
    const int run = run_from(x, i, range);
    const std::size_t next = i + 1 + static_cast<std::size_t>(run);
    // The range of the group after this one: wider when its first pair does not fit, narrower when both groups would.
    int change = 0;
    if (next + 1 < x.size()) {
      const std::int64_t coming = reach(x[next], x[next + 1]);
      if (coming >= half(range) && coming < 2 * half(range) && range < last_range)
        change = 1;
      else if (range > first_range && run > 0 && coming < half(range - 1) && run_reach(x, i, run) < half(range - 1))
        change = -1;
    }
    const Grid& first = x[run > 0 ? i + 1 : i];
    const auto above = [](std::int32_t value, std::int32_t low) {
      return static_cast<std::uint32_t>(static_cast<std::int64_t>(value) - low);
    };
    whole.put(out, {above(first.x, packed.low.x), above(first.y, packed.low.y), above(first.z, packed.low.z)});
    if (run != run_before || change != 0) {
      out.put(1, 1);
      out.put(5, static_cast<std::uint32_t>(3 * run + change + 1));
    } else {
      out.put(1, 0);
    }
    run_before = run;
    const std::uint32_t size = ranges[static_cast<std::size_t>(range)];
    const auto difference = [&](const Grid& p, const Grid& q) {
      const auto d = [&](std::int32_t a, std::int32_t b) { return static_cast<std::uint32_t>(a - b + half(range)); };
      out.put(range, {size, size, size}, {d(p.x, q.x), d(p.y, q.y), d(p.z, q.z)});
    };
    if (run > 0) difference(x[i], x[i + 1]);
    for (std::size_t j = i + 2, before = i; j < next; before = j++) difference(x[j], x[before]);
    range += change;
    i = next;
  }
  packed.bits = out.take();
  return packed;
}

void unpack(const Packed& packed, std::span<Grid> x) {
  if (packed.low.x > packed.high.x || packed.low.y > packed.high.y || packed.low.z > packed.high.z)
    throw std::runtime_error("the extent of its positions is damaged");
  const Whole whole(packed);
  if (std::find(whole.size.begin(), whole.size.end(), 0u) != whole.size.end())
    throw std::runtime_error("the extent of its positions is damaged");
  BitReader in(packed.bits);
  int range = packed.small, run = 0;
  for (std::size_t i = 0; i < x.size();) {
    if (range < first_range || range > last_range) throw std::runtime_error("its compressed positions are damaged");
    const Sizes value = whole.get(in);
    const auto add = [](std::int32_t a, std::int64_t b) {
      return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
    };
    Grid before{add(packed.low.x, value[0]), add(packed.low.y, value[1]), add(packed.low.z, value[2])};
    int change = 0;
    if (in.get(1)) {
      const int code = static_cast<int>(in.get(5));
      run = code / 3;
      change = code % 3 - 1;
    }
    if (static_cast<std::size_t>(run) >= x.size() - i) throw std::runtime_error("its compressed positions are damaged");
    if (run == 0) x[i++] = before;
    const std::uint32_t size = ranges[static_cast<std::size_t>(range)];
    for (int k = 0; k < run; ++k) {
      const Sizes d = in.get(range, {size, size, size});
      const Grid here{add(before.x, d[0] - half(range)), add(before.y, d[1] - half(range)), add(before.z, d[2] - half(range))};
      x[i++] = here;
      if (k == 0) x[i++] = before;  // stored the other way round: see run_from
      before = here;
    }
    range += change;
  }
}

}  // namespace uplift::xtc
