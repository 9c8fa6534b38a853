#include "uplift/io/checkpoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "crc.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

using nlohmann::json;

constexpr char magic[] = "UPLIFTCP";
constexpr std::size_t magic_size = 8;
constexpr std::uint32_t format = 2;
constexpr std::size_t header_size = magic_size + 2 * sizeof(std::uint32_t) + sizeof(std::uint64_t);

/// Goes through a payload before it is read, and stops where it is nested deeper than any: the library has no limit but the
/// stack.
struct Nesting {
  static constexpr int most = 32;
  int depth = 0;
  bool enter() { return ++depth <= most; }
  bool leave() {
    --depth;
    return true;
  }
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(json::number_integer_t) { return true; }
  bool number_unsigned(json::number_unsigned_t) { return true; }
  bool number_float(json::number_float_t, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(json::binary_t&) { return true; }
  bool key(std::string&) { return true; }
  bool start_object(std::size_t) { return enter(); }
  bool start_array(std::size_t) { return enter(); }
  bool end_object() { return leave(); }
  bool end_array() { return leave(); }
  /// Stops: to go on would be to try what is left of an array that says it has 2^60 numbers. Reading will say what it is.
  bool parse_error(std::size_t, const std::string&, const std::exception&) { return false; }
};

template <class T>
json packed(const T* values, std::size_t count) {
  json::binary_t::container_type bytes(count * sizeof(T));
  if (count > 0) std::memcpy(bytes.data(), values, bytes.size());
  return json::binary(std::move(bytes));
}
template <class T>
std::vector<T> unpacked(const json& j) {
  const auto& bytes = j.get_binary();
  if (bytes.size() % sizeof(T) != 0) throw std::runtime_error("an array has a broken length");
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

static_assert(sizeof(Vec3d) == 3 * sizeof(double));
json packed(const std::vector<Vec3d>& a) { return packed(a.data(), a.size()); }
json packed(const Box& box) { return packed(&box, 1); }
// A double as its bits: no text, no rounding, not-a-number included.
json packed(double value) { return packed(&value, 1); }
double number(const json& j) { return unpacked<double>(j).at(0); }
Box box_of(const json& j) { return unpacked<Box>(j).at(0); }
// Structs of numbers as they are in memory.
static_assert(sizeof(BiasStatistics) == 20 * sizeof(double));
json packed(const BiasStatistics& s) { return packed(&s, 1); }
json packed(const std::map<std::string, BiasStatistics>& all) {
  json by_name = json::object();
  for (const auto& [name, statistics] : all) by_name[name] = packed(statistics);
  return by_name;
}
json packed(const std::optional<Bias>& bias) {
  if (!bias) return nullptr;
  const auto boost = [](const BoostParameters& p) {
    return json{{"on", p.on}, {"threshold", packed(p.threshold)}, {"shape", packed(p.shape)}};
  };
  return {{"method", static_cast<int>(bias->method)},
          {"convention", static_cast<int>(bias->convention)},
          {"dihedral", boost(bias->dihedral)},
          {"total", boost(bias->total)}};
}
std::optional<Bias> bias_of(const json& j) {
  if (j.is_null()) return {};
  const auto boost = [](const json& p) {
    return BoostParameters{p.at("on"), number(p.at("threshold")), number(p.at("shape"))};
  };
  return Bias{static_cast<BiasMethod>(j.at("method").get<int>()), static_cast<BiasConvention>(j.at("convention").get<int>()),
              boost(j.at("dihedral")), boost(j.at("total"))};
}

json packed(const std::optional<DescentMemory>& d) {
  if (!d) return nullptr;
  json step = json::array(), change = json::array();
  for (const std::vector<float>& s : d->step) step.push_back(packed(s.data(), s.size()));
  for (const std::vector<float>& y : d->change) change.push_back(packed(y.data(), y.size()));
  return {{"steps", d->steps},
          {"first_step", packed(d->first_step)},
          {"energy", packed(d->energy)},
          {"largest", packed(d->largest)},
          {"worst", packed(d->worst)},
          {"squared", packed(d->squared)},
          {"force", packed(d->force)},
          {"slots", d->slots},
          {"step", step},
          {"change", change},
          {"products", packed(d->products.data(), d->products.size())}};
}
std::optional<DescentMemory> descent_of(const json& j, std::size_t atoms) {
  if (j.is_null()) return {};
  DescentMemory d;
  d.steps = j.at("steps");
  d.first_step = number(j.at("first_step"));
  d.energy = number(j.at("energy"));
  d.largest = number(j.at("largest"));
  d.worst = number(j.at("worst"));
  d.squared = number(j.at("squared"));
  d.force = unpacked<Vec3d>(j.at("force"));
  d.slots = j.at("slots").get<std::vector<int>>();
  for (const json& s : j.at("step")) d.step.push_back(unpacked<float>(s));
  for (const json& y : j.at("change")) d.change.push_back(unpacked<float>(y));
  d.products = unpacked<double>(j.at("products"));
  const auto whole = [&](const std::vector<float>& vector) { return vector.size() == 3 * atoms; };
  if (d.force.size() != atoms || d.step.size() != d.slots.size() || d.change.size() != d.slots.size() ||
      !std::all_of(d.step.begin(), d.step.end(), whole) || !std::all_of(d.change.begin(), d.change.end(), whole))
    throw std::runtime_error("vectors of the minimisation differ in number");
  const std::set<int> slots(d.slots.begin(), d.slots.end());
  if (d.products.size() != DescentMemory::vectors * DescentMemory::vectors || slots.size() != d.slots.size() ||
      slots.size() >= DescentMemory::most_slots ||
      (!slots.empty() && (*slots.begin() < 0 || *slots.rbegin() >= DescentMemory::most_slots)))
    throw std::runtime_error("what the minimisation remembers is not of this version");
  return d;
}

json packed(const std::vector<PastStage>& past) {
  json all = json::array();
  for (const PastStage& p : past) all.push_back({{"name", p.name}, {"settings", p.settings}, {"time", packed(p.time)}});
  return all;
}
json packed(const std::optional<std::int64_t>& step) { return step ? json(*step) : json(); }
std::optional<std::int64_t> step_of(const json& j) { return j.is_null() ? std::nullopt : std::optional(j.get<std::int64_t>()); }

json packed(const Origin& o) {
  json j = {{"parameters", o.parameters}, {"positions", o.positions}, {"box", nullptr}};
  if (o.box) j["box"] = packed(*o.box);
  return j;
}
Origin origin_in(const json& j) {
  Origin o;
  o.parameters = j.at("parameters").get<std::map<std::string, std::uint32_t>>();
  o.positions = j.at("positions");
  if (!j.at("box").is_null()) o.box = box_of(j["box"]);
  return o;
}

std::vector<std::uint8_t> payload(const Checkpoint& c) {
  const State& s = c.state;
  json j = {{"version", c.version},
            {"input", c.input},
            {"settings", c.settings},
            {"stage", c.stage},
            {"stage_name", c.stage_name},
            {"begun", c.begun},
            {"stage_step", c.stage_step},
            {"stage_time", packed(c.stage_time)},
            {"stage_box", packed(c.stage_box)},
            {"has_velocities", c.has_velocities},
            {"system", c.system},
            {"past", packed(c.past)},
            {"descent", packed(c.descent)},
            {"last_frame", packed(c.last_frame)},
            {"last_row", packed(c.last_row)},
            {"x", packed(s.x)},
            {"v", packed(s.v)},
            {"box", packed(s.box)},
            {"step", s.step},
            {"time", packed(s.time)},
            {"heat", packed(s.heat)},
            {"collected", packed(c.collected)},
            {"statistics", packed(s.statistics)},
            {"bias", packed(s.bias)},
            {"chain", packed(s.chain.data(), s.chain.size())},
            {"barostat", packed(s.barostat.data(), s.barostat.size())},
            {"list_x", packed(s.list.x)},
            {"list_box", packed(s.list.box)}};
  if (c.origin) j["origin"] = packed(*c.origin);
  return json::to_cbor(j);
}

Checkpoint from_payload(const json& j) {
  Checkpoint c;
  c.version = j.at("version");
  c.input = j.at("input");
  c.settings = j.at("settings");
  c.stage = j.at("stage");
  c.stage_name = j.at("stage_name");
  c.begun = j.at("begun");
  c.stage_step = j.at("stage_step");
  c.stage_time = number(j.at("stage_time"));
  c.stage_box = box_of(j.at("stage_box"));
  c.has_velocities = j.at("has_velocities");
  c.system = j.at("system");
  if (j.contains("past")) {  // earlier versions had none of these
    for (const json& p : j["past"]) c.past.push_back({p.at("name"), p.at("settings"), number(p.at("time"))});
    c.last_frame = step_of(j.at("last_frame"));
    c.last_row = step_of(j.at("last_row"));
  }
  if (j.contains("origin")) c.origin = origin_in(j["origin"]);
  State& s = c.state;
  s.x = unpacked<Vec3d>(j.at("x"));
  s.v = unpacked<Vec3d>(j.at("v"));
  s.box = box_of(j.at("box"));
  s.step = j.at("step");
  s.time = number(j.at("time"));
  s.heat = number(j.at("heat"));
  for (const auto& [name, statistics] : j.at("collected").items())
    c.collected[name] = unpacked<BiasStatistics>(statistics).at(0);
  s.statistics = unpacked<BiasStatistics>(j.at("statistics")).at(0);
  s.bias = bias_of(j.at("bias"));
  s.chain = unpacked<double>(j.at("chain"));
  s.barostat = unpacked<double>(j.at("barostat"));
  s.list.x = unpacked<Vec3d>(j.at("list_x"));
  s.list.box = j.contains("list_box") ? box_of(j["list_box"]) : s.box;  // earlier versions listed pairs anew in each box
  if (j.contains("descent")) c.descent = descent_of(j["descent"], s.x.size());
  if (s.v.size() != s.x.size()) throw std::runtime_error("positions and velocities differ in number");
  return c;
}

/// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw SimulationError(path + ": the checkpoint cannot be " + what + " (" + std::strerror(errno) + "); " +
                        cure_of_writing(errno));
}

void write_whole(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) fail(path, "made");
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int problem = errno;
      ::unlink(path.c_str());  // half of one helps nobody, least of all a full disk
      errno = problem;
      fail(path, "written");
    }
    done += static_cast<std::size_t>(n);
  }
  if (::fsync(file.get()) != 0) fail(path, "written");
}

void sync_directory(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const Descriptor directory(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());  // some file systems refuse this; the rename is done all the same
}

}  // namespace

std::uint32_t system_fingerprint(const System& system) {
  std::uint32_t sum = 0;
  for (const Atom& a : system.topology.atoms) sum = crc(a.name.data(), a.name.size() + 1, sum);
  for (const Residue& r : system.topology.residues) sum = crc(r.name.data(), r.name.size() + 1, sum);
  const auto& q = system.force_field.charges;
  sum = crc(q.data(), q.size() * sizeof(double), sum);
  return crc(system.masses.data(), system.masses.size() * sizeof(double), sum);
}

std::string previous_checkpoint(const std::string& path) {
  std::filesystem::path name(path);
  return name.replace_extension(".prev" + name.extension().string()).string();
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const std::vector<std::uint8_t> body = payload(checkpoint);
  std::vector<std::uint8_t> bytes;
  bytes.reserve(header_size + body.size());
  const auto put = [&](const void* from, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(from);
    bytes.insert(bytes.end(), first, first + size);
  };
  const std::uint32_t sum = crc(body.data(), body.size());
  const std::uint64_t size = body.size();
  put(magic, magic_size);
  put(&format, sizeof format);
  put(&sum, sizeof sum);
  put(&size, sizeof size);
  put(body.data(), body.size());

  const std::string fresh = path + ".tmp", previous = previous_checkpoint(path), second = previous + ".tmp";
  write_whole(fresh, bytes);
  // The former one gets a second name first, so that `path` is never missing. Without hard links it is renamed, and is missing
  // for an instant in which `previous` is there.
  ::unlink(second.c_str());
  if (::access(path.c_str(), F_OK) == 0) {
    const bool linked = ::link(path.c_str(), second.c_str()) == 0;
    if (::rename(linked ? second.c_str() : path.c_str(), previous.c_str()) != 0) fail(previous, "renamed");
    ::unlink(second.c_str());  // rename() of two names of one file leaves both
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) fail(path, "renamed");
  sync_directory(path);
}

Checkpoint read_checkpoint(const std::string& path) {
  const std::string bytes = read_file(path);
  const auto damaged = [&](const std::string& why) {
    const std::string previous = previous_checkpoint(path);
    std::error_code error;
    return DamagedCheckpoint(path + ": " + why +
                             (std::filesystem::exists(previous, error)
                                  ? "; use the one before it (" + previous + "), or begin again"
                                  : "; there is none before it, so begin again"));
  };
  if (bytes.size() < magic_size || bytes.compare(0, magic_size, magic) != 0)
    throw DamagedCheckpoint(path + ": not a checkpoint of uplift");
  if (bytes.size() < header_size) throw damaged("the checkpoint is cut short");
  std::uint32_t version, sum;
  std::uint64_t size;
  std::memcpy(&version, bytes.data() + magic_size, sizeof version);
  std::memcpy(&sum, bytes.data() + magic_size + sizeof version, sizeof sum);
  std::memcpy(&size, bytes.data() + magic_size + sizeof version + sizeof sum, sizeof size);
  if (version != format)
    throw InputError(path + ": a checkpoint of format " + std::to_string(version) + ", and this version reads format " +
                     std::to_string(format) + "; continue with the version of uplift that wrote it");
  if (size != bytes.size() - header_size) throw damaged("the checkpoint is cut short or has something behind it");
  if (crc(bytes.data() + header_size, size) != sum) throw damaged("the checkpoint is damaged (its checksum does not fit)");
  Nesting nesting;
  json::sax_parse(bytes.begin() + header_size, bytes.end(), &nesting, json::input_format_t::cbor);
  if (nesting.depth > Nesting::most) throw damaged("the checkpoint cannot be understood (it is nested too deep)");
  try {
    return from_payload(json::from_cbor(bytes.begin() + header_size, bytes.end()));
  } catch (const std::exception& e) {
    throw damaged(std::string("the checkpoint cannot be understood (") + e.what() + ")");
  }
}

}  // namespace uplift
