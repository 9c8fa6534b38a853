#include "uplift/io/trajectory.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>

#include "uplift/core/assert.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr double flush_interval = 0.2;            // [s]
constexpr std::uint64_t chunk_bytes = 32768;      // small frames share a chunk of about this size; a frame is never split
constexpr std::uint64_t table_rows = 1024;        // rows per chunk of step, time and box
constexpr std::uint64_t least_compressed = 4096;  // [bytes] a frame; below it compression gains nothing
constexpr int deflate_level = 1;
constexpr std::array<const char*, 4> observable_names = {"dihedral_energy", "total_energy", "boost_dihedral", "boost_total"};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Full-precision coordinates hardly compress (their low bits are noise), rounded ones do. A compressed chunk changes its size
// and place when it is rewritten, so it must be complete when it is first written: one frame a chunk.
h5::Growth storage(std::uint64_t atoms, bool rounded) {
  const std::uint64_t bytes = std::max<std::uint64_t>(1, atoms * 3 * sizeof(float));
  if (rounded && bytes >= least_compressed) return {1, deflate_level};
  return {std::max<std::uint64_t>(1, chunk_bytes / bytes), 0};
}

std::vector<int> stored_atoms(const TrajectoryOptions& options, int size) {
  if (!options.atoms.empty()) return options.atoms;
  std::vector<int> all(static_cast<std::size_t>(size));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void write_h5md_header(h5::File& file, const Provenance& provenance) {
  constexpr std::array<int, 2> h5md{1, 1}, units{1, 0};
  h5::Group root = file.group("h5md");
  root.set("version", std::span<const int>(h5md));
  h5::Group author = file.group("h5md/author"), creator = file.group("h5md/creator"), module = file.group("h5md/modules/units");
  author.set("name", provenance.author);
  creator.set("name", "uplift");
  creator.set("version", provenance.version);
  module.set("version", std::span<const int>(units));
  module.set("system", "SI");
}

}  // namespace

void write_provenance(h5::Group& root, const Provenance& provenance) {
  h5::Group parameters = root.group("parameters");
  parameters.write_text("title", provenance.title);
  parameters.write_text("version", provenance.version);
  parameters.write_text("input", provenance.input);
}

TrajectoryWriter TrajectoryWriter::create(const std::string& path, const System& system, const Box& box,
                                          const TrajectoryOptions& options, const Provenance& provenance) {
  const std::vector<int> atoms = stored_atoms(options, system.size());
  UPLIFT_EXPECT(std::is_sorted(atoms.begin(), atoms.end()) &&
                (atoms.empty() || (atoms.front() >= 0 && atoms.back() < system.size())));
  TrajectoryWriter writer = start(path, atoms.size(), box, options, provenance);
  write_trajectory_topology(writer.file_, system, atoms);
  writer.open_datasets();
  writer.file_.flush();
  return writer;
}

TrajectoryWriter TrajectoryWriter::create(const std::string& path, int atoms, const Box& box, const TrajectoryOptions& options,
                                          const Provenance& provenance) {
  UPLIFT_EXPECT(options.atoms.empty());
  TrajectoryWriter writer = start(path, static_cast<std::uint64_t>(atoms), box, options, provenance);
  writer.open_datasets();
  writer.file_.flush();
  return writer;
}

TrajectoryWriter TrajectoryWriter::start(const std::string& path, std::uint64_t n, const Box& box,
                                         const TrajectoryOptions& options, const Provenance& provenance) {
  TrajectoryWriter writer;
  writer.options_ = options;
  writer.periodic_ = box.periodic();
  writer.file_ = h5::File::create(path);
  h5::File& file = writer.file_;
  write_h5md_header(file, provenance);
  write_provenance(file, provenance);

  h5::Group particles = file.group("particles/trajectory");
  const auto element = [&](const std::string& name, const std::string& unit, const h5::Growth& growth) {
    particles.extendible<float>(name + "/value", {n, 3}, growth).set("unit", unit);
    if (name == "position") return;
    particles.link("position/step", name + "/step");  // one stride: one pair of step and time for everything
    particles.link("position/time", name + "/time");
  };
  particles.extendible<std::int64_t>("position/step", {}, {table_rows, 0});
  particles.extendible<double>("position/time", {}, {table_rows, 0}).set("unit", "ps");
  element("position", "nm", storage(n, options.position_precision.has_value()));
  if (options.velocities) element("velocity", "nm ps-1", storage(n, false));
  if (options.forces) element("force", "kJ mol-1 nm-1", storage(n, false));

  for (const char* name : observable_names) {
    if (!options.bias) break;
    const std::string observable = std::string("observables/") + name;
    file.extendible<double>(observable + "/value", {}, {table_rows, 0}).set("unit", "kJ mol-1");
    file.link("particles/trajectory/position/step", observable + "/step");
    file.link("particles/trajectory/position/time", observable + "/time");
  }

  h5::Group cell = particles.group("box");
  cell.set("dimension", 3);
  const std::vector<std::string> boundary(3, box.periodic() ? "periodic" : "none");
  cell.set("boundary", std::span<const std::string>(boundary));
  if (box.periodic()) {
    particles.extendible<double>("box/edges/value", {3, 3}, {table_rows, 0}).set("unit", "nm");
    particles.link("position/step", "box/edges/step");
    particles.link("position/time", "box/edges/time");
  }
  return writer;
}

TrajectoryWriter TrajectoryWriter::append(const std::string& path, const System& system, const Box& box,
                                          const TrajectoryOptions& options) {
  TrajectoryWriter writer;
  writer.options_ = options;
  writer.periodic_ = box.periodic();
  writer.file_ = h5::File::append(path);
  const std::uint64_t atoms = stored_atoms(options, system.size()).size();
  const auto fits = [&](const std::string& name, bool wanted) {
    const std::string value = "particles/trajectory/" + name + "/value";
    if (writer.file_.contains(value) != wanted)
      throw InputError(path + (wanted ? ": has no " : ": also holds ") + name +
                       " (a continued run must write the same quantities); "
                       "keep the output block of the run that started it, or choose another directory");
    const h5::Shape expected{0, atoms, 3};
    if (!wanted || name == "box/edges") return;
    const h5::Shape found = writer.file_.dataset(value).shape();
    if (found.size() != 3 || found[1] != expected[1] || found[2] != expected[2])
      throw InputError(path + ": holds " + std::to_string(found.size() == 3 ? found[1] : 0) +
                       " atoms a frame, this run writes " + std::to_string(atoms) +
                       "; it belongs to another run: choose another directory");
  };
  fits("position", true);
  fits("velocity", options.velocities);
  fits("force", options.forces);
  fits("box/edges", box.periodic());
  if (writer.file_.contains("observables") != options.bias)
    throw InputError(path +
                     (options.bias ? ": has no boost energies (no stage of the run that began it had a bias); "
                                   : ": has boost energies, and no stage of this run has a bias; ") +
                     "keep the stages of the run that started it, or choose another directory");
  writer.open_datasets();
  return writer;
}

void TrajectoryWriter::open_datasets() {
  const h5::Group particles = file_.open_group("particles/trajectory");
  position_ = particles.dataset("position/value");
  step_ = particles.dataset("position/step");
  time_ = particles.dataset("position/time");
  if (options_.velocities) velocity_ = particles.dataset("velocity/value");
  if (options_.forces) force_ = particles.dataset("force/value");
  if (periodic_) edges_ = particles.dataset("box/edges/value");
  for (std::size_t k = 0; options_.bias && k < observables_.size(); ++k)
    observables_[k] = file_.dataset(std::string("observables/") + observable_names[k] + "/value");
  buffer_.resize(static_cast<std::size_t>(position_.shape()[1] * 3));
  if (options_.position_precision) {
    UPLIFT_EXPECT(*options_.position_precision > 0);
    grid_ = std::exp2(std::floor(std::log2(*options_.position_precision)));
  }
  // A job killed between two writes leaves datasets of different lengths: only frames that are whole in all of them count.
  frames_ = position_.rows();
  for (const h5::Dataset* dataset : datasets()) frames_ = std::min(frames_, dataset->rows());
  for (h5::Dataset* dataset : datasets())
    if (dataset->rows() > frames_) dataset->trim(frames_);
  last_step_.reset();
  if (frames_ > 0) last_step_ = step_.read<std::int64_t>(frames_ - 1, 1)[0];
}

std::vector<h5::Dataset*> TrajectoryWriter::datasets() {
  std::vector<h5::Dataset*> all;
  for (h5::Dataset* one : {&position_, &step_, &time_, &velocity_, &force_, &edges_, &observables_[0], &observables_[1],
                           &observables_[2], &observables_[3]})
    if (*one) all.push_back(one);
  return all;
}

// A power of two keeps the rounded value exact in float, and leaves its low bits zero for the compressor to find.
void TrajectoryWriter::pack(std::span<const Vec3d> from, bool round) {
  const double grid = round ? grid_ : 0;
  const auto put = [&](std::size_t to, const Vec3d& r) {
    const Vec3d s = grid > 0 ? Vec3d{std::nearbyint(r.x / grid) * grid, std::nearbyint(r.y / grid) * grid,
                                     std::nearbyint(r.z / grid) * grid}
                             : r;
    buffer_[to] = static_cast<float>(s.x);
    buffer_[to + 1] = static_cast<float>(s.y);
    buffer_[to + 2] = static_cast<float>(s.z);
  };
  if (options_.atoms.empty()) {
    UPLIFT_EXPECT(from.size() * 3 == buffer_.size());
    for (std::size_t i = 0; i < from.size(); ++i) put(3 * i, from[i]);
  } else {
    for (std::size_t i = 0; i < options_.atoms.size(); ++i) put(3 * i, from[static_cast<std::size_t>(options_.atoms[i])]);
  }
}

void TrajectoryWriter::write(const FrameView& frame) {
  UPLIFT_EXPECT(!last_step_ || frame.step > *last_step_);  // H5MD: steps increase
  UPLIFT_EXPECT(frame.box.periodic() == periodic_);
  pack(frame.x, true);
  position_.append(std::span<const float>(buffer_));
  if (options_.velocities) {
    pack(frame.v, false);
    velocity_.append(std::span<const float>(buffer_));
  }
  if (options_.forces) {
    pack(frame.f, false);
    force_.append(std::span<const float>(buffer_));
  }
  if (periodic_) {
    const Box& b = frame.box;
    const std::array<double, 9> rows{b.a.x, b.a.y, b.a.z, b.b.x, b.b.y, b.b.z, b.c.x, b.c.y, b.c.z};
    edges_.append(std::span<const double>(rows));
  }
  const std::array<double, 4> observed{frame.bias.dihedral, frame.bias.total, frame.bias.boost_dihedral,
                                       frame.bias.boost_total};
  for (std::size_t k = 0; options_.bias && k < observed.size(); ++k)
    observables_[k].append(std::span<const double>(&observed[k], 1));
  time_.append(std::span<const double>(&frame.time, 1));
  step_.append(std::span<const std::int64_t>(&frame.step, 1));
  last_step_ = frame.step;
  ++frames_;
  if (now() - flushed_at_ >= flush_interval) flush();
}

void TrajectoryWriter::trim_after(std::int64_t step) {
  const std::vector<std::int64_t> steps = step_.read<std::int64_t>();
  const auto keep = static_cast<std::uint64_t>(std::upper_bound(steps.begin(), steps.end(), step) - steps.begin());
  for (h5::Dataset* dataset : datasets()) dataset->trim(keep);
  frames_ = keep;
  last_step_.reset();
  if (keep > 0) last_step_ = steps[static_cast<std::size_t>(keep - 1)];
  flush();
}

void TrajectoryWriter::flush() {
  file_.flush();
  flushed_at_ = now();
}

void TrajectoryWriter::sync() {
  file_.sync();
  flushed_at_ = now();
}

}  // namespace uplift
