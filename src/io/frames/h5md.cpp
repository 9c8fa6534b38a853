// H5MD by any writer, as far as the standard (nongnu.org/h5md, version 1.1) goes: units by the attributes of the units module,
// steps and times as lists or as increments, boxes that are constant or on the grid of the positions.
#include <algorithm>
#include <cmath>

#include "formats.hpp"
#include "h5md_topology.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/version.hpp"
#include "uplift/io/trajectory.hpp"
#include "uplift/io/units.hpp"

namespace uplift {
namespace {

constexpr double largest = 1e8;
constexpr std::uint64_t most_atoms = 0x7fffffff;
constexpr std::array<const char*, 4> observables = {"dihedral_energy", "total_energy", "boost_dihedral", "boost_total"};

/// "nm ps-1", as the units module writes it, in our units.
double unit_in(const std::string& text, const Dimension& dimension) {
  std::string ours;
  for (std::size_t k = 0; k < text.size(); ++k) {
    const bool power = std::string_view("+-0123456789").find(text[k]) != std::string_view::npos;
    if (power && k > 0 && text[k - 1] != ' ' && text[k - 1] != '^' &&
        std::string_view("+-0123456789").find(text[k - 1]) == std::string_view::npos)
      ours += '^';
    if (text[k] != '+') ours += text[k];
  }
  return parse_quantity("1 " + ours, dimension);
}

/// Steps or times of an element: a list, a constant increment with an offset, or nothing.
struct Counter {
  h5::Dataset list;
  double increment = 0, offset = 0;
  bool there = false;

  double operator()(std::uint64_t frame) const {
    return list ? list.read<double>(frame, 1)[0] : offset + increment * static_cast<double>(frame);
  }
  std::uint64_t limit(std::uint64_t frames) const { return list ? std::min(frames, list.rows()) : frames; }
};

Counter counter_of(const h5::Group& element, const char* name) {
  Counter c;
  if (!element.contains(name)) return c;
  c.there = true;
  const h5::Dataset dataset = element.dataset(name);
  if (dataset.shape().size() == 1 && !(dataset.shape()[0] == 1 && dataset.has("offset"))) {
    c.list = element.dataset(name);
  } else {
    c.increment = dataset.number();
    if (dataset.has("offset")) c.offset = dataset.number("offset");
  }
  return c;
}

class H5mdReader final : public FrameReader {
 public:
  H5mdReader(const std::string& path, const FrameReaderOptions& options) : path_(path), options_(options) {
    guarded([&] { open(); });
  }
  std::string format() const override { return "H5MD trajectory"; }
  std::string quantities() const override {
    const auto named = [](const char* name, const Element& e) {
      return e.values ? std::string(name) + " [" + e.unit_name + "]" : "";
    };
    return named("position", position_) + named(", velocity", velocity_) + named(", force", force_);
  }
  int atoms() const override { return static_cast<int>(atoms_); }
  std::uint64_t frames() const override { return frames_; }
  bool has_velocities() const override { return static_cast<bool>(velocity_.values); }
  bool has_forces() const override { return static_cast<bool>(force_.values); }
  bool has_bias() const override { return static_cast<bool>(bias_[0]); }
  std::optional<double> time(std::uint64_t frame) override {
    if (!time_.there) return std::nullopt;
    double t = 0;
    guarded([&] { t = time_(frame) * time_unit_; });
    if (!std::isfinite(t)) fail(frame_name(frame) + ": its time is no number");
    return t;
  }
  void read(std::uint64_t frame, TrajectoryFrame& out) override {
    guarded([&] { read_guarded(frame, out); });
  }
  std::optional<System> system() override {
    std::optional<System> found;
    guarded([&] { found = read_h5md_system(file_, static_cast<int>(atoms_)); });
    return found;
  }

 private:
  /// Values of one quantity a frame.
  struct Element {
    h5::Dataset values;
    double unit = 1;
    std::string unit_name;
    Counter step;  // of its own, when it is on another grid than the positions
    bool apart = false;
  };

  [[noreturn]] void fail(const std::string& what) const { throw InputError(path_ + ": " + what); }
  /// HDF5's errors while reading are about the file that the user gave.
  template <class F>
  void guarded(F&& f) const {
    try {
      f();
    } catch (const std::bad_alloc&) {
      fail("what it holds does not fit into this machine's memory (it is damaged, or a larger machine is needed)");
    } catch (const SimulationError& e) {
      const std::string what = e.what();
      throw InputError(what.rfind(path_, 0) == 0 ? what : path_ + ": " + what);
    }
  }

  void open() {
    file_ = h5::File::read(path_);
    if (!file_.contains("particles")) fail("is an HDF5 file, but no H5MD file with particles; give a trajectory");
    const h5::Group particles = file_.open_group("particles");
    const std::vector<std::string> names = particles.names();
    std::string listed;
    for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;
    std::string group = options_.group;
    if (group.empty() && names.size() == 1) group = names[0];
    if (group.empty() || std::find(names.begin(), names.end(), group) == names.end())
      fail(names.empty() ? "has no particles group"
                         : "has the particle groups " + listed + "; choose one of them with --group");
    group_ = particles.open_group(group);
    if (!group_.contains("position/value"))
      fail(group_.contains("position") ? "its positions do not depend on time: it is no trajectory"
                                       : "particles/" + group + " has no positions");
    position_ = element("position", dimension::length, options_.length_unit, "--length-unit nm or angstrom");
    const h5::Shape shape = position_.values.shape();
    if (shape.size() != 3 || shape[2] != 3 || shape[1] == 0 || shape[1] > most_atoms)
      fail("its positions are not [frames][atoms][3]; only three dimensions are read");
    atoms_ = shape[1];
    frames_ = shape[0];
    count_time();
    if (group_.contains("velocity/value")) velocity_ = element("velocity", Dimension{{1, -1}}, "", "");
    if (group_.contains("force/value")) force_ = element("force", dimension::force, "", "");
    open_box();
    // What a killed job or one that is running leaves: only what is whole counts.
    for (const Element* e : {&velocity_, &force_, &edges_})
      if (e->values && !e->apart) frames_ = std::min(frames_, e->values.rows());
    for (std::size_t k = 0; k < observables.size(); ++k) {
      const std::string name = std::string("observables/") + observables[k] + "/value";
      if (!file_.contains(name) || file_.dataset(name).shape().size() != 1 || file_.dataset(name).rows() < frames_) break;
      bias_[k] = file_.dataset(name);
    }
    if (!bias_[3]) bias_ = {};
  }

  void count_time() {
    const h5::Group position = group_.open_group("position");
    step_ = counter_of(position, "step");
    time_ = counter_of(position, "time");
    frames_ = time_.limit(step_.limit(frames_));
    if (!time_.there) return;
    const h5::Dataset time = position.dataset("time");
    const std::string unit = time.has("unit") ? time.text("unit") : options_.time_unit;
    if (unit.empty()) fail("its times have no unit; say which with --time-unit ps (or fs, ns)");
    time_unit_ = unit_of("time", unit, dimension::time);
  }

  double unit_of(const std::string& what, const std::string& unit, const Dimension& dimension) const {
    try {
      return unit_in(unit, dimension);
    } catch (const std::invalid_argument& e) {
      fail("the unit '" + unit + "' of its " + what + " is not known: " + e.what());
    }
  }

  Element element(const std::string& name, const Dimension& dimension, const std::string& otherwise, const std::string& cure) {
    Element e;
    h5::Dataset values = group_.dataset(name + "/value");
    const std::string unit = values.has("unit") ? values.text("unit") : otherwise;
    if (unit.empty() && cure.empty()) {
      notes_.push_back(path_ + ": its " + name + " values have no unit and are left out");
      return e;
    }
    if (unit.empty()) fail("its " + name + " values have no unit; say which with " + cure);
    if (name != "position") {
      const h5::Shape shape = values.shape();
      if (shape.size() != 3 || shape[1] != atoms_ || shape[2] != 3) fail("its " + name + " values are not [frames][atoms][3]");
      if (!same_grid(name)) {
        notes_.push_back(path_ + ": its " + name + " values are at other steps than the positions and are left out");
        return e;
      }
    }
    e.unit = unit_of(name, unit, dimension);
    e.unit_name = unit;
    e.values = std::move(values);
    return e;
  }
  /// Hard links, as the standard recommends, or the same numbers.
  bool same_grid(const std::string& name) const {
    const std::string own = name + "/step", of_positions = "position/step";
    if (!group_.contains(own) || !group_.contains(of_positions)) return true;
    const h5::Dataset a = group_.dataset(own), b = group_.dataset(of_positions);
    if (a.address() == b.address()) return true;
    const Counter c = counter_of(group_.open_group(name), "step");
    if (!c.list != !step_.list) return false;
    if (!c.list) return c.increment == step_.increment && c.offset == step_.offset;
    return c.list.read<std::int64_t>() == step_.list.read<std::int64_t>();
  }

  void open_box() {
    if (!group_.contains("box")) return;
    const h5::Group box = group_.open_group("box");
    if (!box.contains("edges")) return;
    const bool moves = box.is_group("edges");
    h5::Dataset edges = box.dataset(moves ? "edges/value" : "edges");
    const h5::Shape shape = edges.shape();
    const h5::Shape row(shape.begin() + (moves && !shape.empty() ? 1 : 0), shape.end());
    if (row != h5::Shape{3} && row != h5::Shape{3, 3}) fail("its box edges are neither three lengths nor three vectors");
    const double unit = edges.has("unit") ? unit_of("box", edges.text("unit"), dimension::length) : position_.unit;
    edges_.unit = unit;
    full_ = row.size() == 2;
    if (!moves) {
      const std::vector<double> values = full_ ? edges.read<double>() : edges.read<double>(0, 3);
      constant_ = cell(values, unit);
      return;
    }
    if (!same_grid("box/edges")) {
      edges_.step = counter_of(box.open_group("edges"), "step");
      edges_.apart = true;
      if (!edges_.step.list || !step_.there)
        fail("its box is on another grid than its positions, and its steps do not say which belong together");
    }
    edges_.values = std::move(edges);
  }
  Box cell(const std::vector<double>& e, double unit) const {
    for (const double value : e)
      if (!(std::abs(value) < largest)) fail("an edge of its box is no number within bounds");
    if (!full_) return cell_of({e[0] * unit, 0, 0}, {0, e[1] * unit, 0}, {0, 0, e[2] * unit});
    return cell_of({e[0] * unit, e[1] * unit, e[2] * unit}, {e[3] * unit, e[4] * unit, e[5] * unit},
                   {e[6] * unit, e[7] * unit, e[8] * unit});
  }
  std::int64_t step_number(std::uint64_t frame) const {
    const double step = step_(frame);
    if (!(std::abs(step) < 0x1p63)) fail(frame_name(frame) + ": its step is no number that it can be");
    return static_cast<std::int64_t>(std::llround(step));
  }
  std::uint64_t row_of_box(std::uint64_t frame) const {
    if (!edges_.apart) return frame;
    const std::int64_t step = step_number(frame);
    const std::vector<std::int64_t> steps = edges_.step.list.read<std::int64_t>();
    const auto found = std::find(steps.begin(), steps.end(), step);
    if (found == steps.end()) fail(frame_name(frame) + ": there is no box for its step " + std::to_string(step));
    return static_cast<std::uint64_t>(found - steps.begin());
  }

  void read_guarded(std::uint64_t frame, TrajectoryFrame& out) {
    if (frame >= frames_) fail("has no frame " + std::to_string(frame));
    out.step.reset();
    if (step_.there) out.step = step_.list ? step_.list.read<std::int64_t>(frame, 1)[0] : step_number(frame);
    out.time = time(frame);
    out.box = Box{};
    if (edges_.values) out.box = cell(edges_.values.read<double>(row_of_box(frame), 1), edges_.unit);
    if (constant_) out.box = *constant_;
    vectors(position_, frame, "position", out.x);
    out.v.clear();
    out.f.clear();
    if (velocity_.values) vectors(velocity_, frame, "velocity", out.v);
    if (force_.values) vectors(force_, frame, "force", out.f);
    out.bias.reset();
    if (!bias_[0]) return;
    std::array<double, 4> b{};
    for (std::size_t k = 0; k < b.size(); ++k) b[k] = bias_[k].read<double>(frame, 1)[0];
    out.bias = BiasEnergies{};
    out.bias->dihedral = b[0], out.bias->total = b[1], out.bias->boost_dihedral = b[2], out.bias->boost_total = b[3];
  }
  void vectors(const Element& e, std::uint64_t frame, const char* what, std::vector<Vec3d>& out) const {
    const std::vector<double> values = e.values.read<double>(frame, 1);
    out.resize(atoms_);
    for (std::size_t i = 0; i < atoms_; ++i) {
      out[i] = {values[3 * i] * e.unit, values[3 * i + 1] * e.unit, values[3 * i + 2] * e.unit};
      if (!(std::abs(out[i].x) < largest && std::abs(out[i].y) < largest && std::abs(out[i].z) < largest))
        fail(frame_name(frame) + ": the " + what + " of atom " + std::to_string(i + 1) + " is no number within bounds");
    }
  }

  std::string path_;
  FrameReaderOptions options_;
  h5::File file_;
  h5::Group group_;
  Element position_, velocity_, force_, edges_;
  std::array<h5::Dataset, 4> bias_;
  std::optional<Box> constant_;
  Counter step_, time_;
  double time_unit_ = 1;
  bool full_ = false;
  std::uint64_t atoms_ = 0, frames_ = 0;
};

class H5mdWriter final : public FrameWriter {
 public:
  H5mdWriter(const std::string& path, const TrajectoryFrame& first, const FrameWriterOptions& options)
      : path_(path), options_(options), writer_(create(path, first, options)), periodic_(first.box.periodic()) {}

  void write(const TrajectoryFrame& frame) override {
    if (frame.box.periodic() != periodic_)
      throw InputError(path_ +
                       ": some frames have a box and some have none, which an H5MD file cannot hold; convert them apart");
    const std::int64_t step = frame.step.value_or(writer_->last_step() ? *writer_->last_step() + 1 : 0);
    if (writer_->last_step() && step <= *writer_->last_step())
      throw InputError(path_ + ": steps of an H5MD file increase, and step " + std::to_string(step) + " comes after step " +
                       std::to_string(*writer_->last_step()) + "; give the inputs in order, or --consecutive to count on");
    FrameView view;
    view.step = step;
    view.time = frame.time.value_or(static_cast<double>(writer_->frames()));
    view.box = frame.box;
    view.x = spread(frame.x, x_);
    if (options_.velocities) view.v = spread(frame.v, v_);
    if (options_.forces) view.f = spread(frame.f, f_);
    if (options_.bias) view.bias = frame.bias.value_or(BiasEnergies{});
    writer_->write(view);
  }
  void close() override {
    writer_->sync();
    writer_.reset();
  }

 private:
  static TrajectoryWriter create(const std::string& path, const TrajectoryFrame& first, const FrameWriterOptions& options) {
    TrajectoryOptions how;
    how.velocities = options.velocities;
    how.forces = options.forces;
    how.bias = options.bias;
    const Provenance provenance{options.title, version, options.provenance};
    if (!options.system) return TrajectoryWriter::create(path, static_cast<int>(first.x.size()), first.box, how, provenance);
    how.atoms = options.atoms;
    return TrajectoryWriter::create(path, *options.system, first.box, how, provenance);
  }
  /// Chosen atoms to their places among all: the writer picks them out again, and remembers which they were.
  std::span<const Vec3d> spread(const std::vector<Vec3d>& chosen, std::vector<Vec3d>& all) const {
    if (options_.atoms.empty() || !options_.system) return chosen;
    all.resize(static_cast<std::size_t>(options_.system->size()));
    for (std::size_t k = 0; k < options_.atoms.size(); ++k) all[static_cast<std::size_t>(options_.atoms[k])] = chosen[k];
    return all;
  }

  std::string path_;
  FrameWriterOptions options_;
  std::optional<TrajectoryWriter> writer_;
  bool periodic_;
  std::vector<Vec3d> x_, v_, f_;
};

}  // namespace

std::unique_ptr<FrameReader> open_h5md(const std::string& path, const FrameReaderOptions& options) {
  return std::make_unique<H5mdReader>(path, options);
}
std::unique_ptr<FrameWriter> create_h5md(const std::string& path, const TrajectoryFrame& first,
                                         const FrameWriterOptions& options) {
  return std::make_unique<H5mdWriter>(path, first, options);
}

}  // namespace uplift
