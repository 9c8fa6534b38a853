// Trajectories of any format into one of any format, frame by frame.
#include <fmt/format.h>

#include <iostream>
#include <limits>

#include "cautions.hpp"
#include "commands.hpp"
#include "convert.hpp"
#include "convert_system.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/frames.hpp"
#include "uplift/io/replace_file.hpp"
#include "uplift/io/units.hpp"
#include "uplift/model/imaging.hpp"
#include "uplift/model/selection.hpp"

namespace uplift::app {
namespace {

double quantity(const char* option, const std::string& text, const Dimension& dimension, double otherwise) {
  if (text.empty()) return otherwise;
  try {
    return parse_quantity(text, dimension);
  } catch (const std::exception& e) {
    throw InputError(std::string(option) + " " + text + ": " + e.what());
  }
}

void say(const std::vector<std::string>& notes) {
  for (const std::string& note : notes) std::cerr << "note: " << note << '\n';
}

/// Gets its name when it is whole.
class Output {
 public:
  explicit Output(const ConvertOptions& options) : format_(trajectory_format(options.output)), file_(options.output) {}
  TrajectoryFormat format() const { return format_; }
  bool begun() const { return static_cast<bool>(writer_); }
  void write(const TrajectoryFrame& frame, const FrameWriterOptions& how) {
    file_.naming([&] {
      if (!writer_) writer_ = create_trajectory(file_.name(), format_, frame, how);
      writer_->write(frame);
    });
  }
  void finish() {
    file_.naming([&] { writer_->close(); });
    std::vector<std::string> notes = writer_->notes();
    for (std::string& note : notes) note = file_.renamed(note);
    say(notes);
    writer_.reset();
    file_.finish();
  }

 private:
  TrajectoryFormat format_;
  UnfinishedFile file_;
  std::unique_ptr<FrameWriter> writer_;
};

class Conversion {
 public:
  explicit Conversion(const ConvertOptions& options)
      : options_(options),
        output_(options),
        begin_(quantity("--begin", options.begin, dimension::time, -std::numeric_limits<double>::infinity())),
        end_(quantity("--end", options.end, dimension::time, std::numeric_limits<double>::infinity())) {
    begin_ -= time_slack(begin_);
    end_ += time_slack(end_);
    if (options.last && (options.stride != 1 || !options.begin.empty() || !options.end.empty()))
      throw InputError("--last: one frame is chosen already; leave out --stride, --begin and --end");
    open_inputs();
    choose_system();
    choose_contents();
  }

  int run() {
    for (std::size_t k = 0; k < inputs_.size(); ++k) input(k);
    if (written_ == 0) throw InputError(nothing());
    output_.finish();
    std::cout << summary();
    return finished;
  }

 private:
  void open_inputs() {
    FrameReaderOptions how{options_.group, options_.length_unit, options_.time_unit};
    for (const std::string& path : options_.inputs) {
      inputs_.push_back(open_trajectory(path, how));
      if (inputs_.back()->atoms() != inputs_[0]->atoms())
        throw InputError(path + ": has " + std::to_string(inputs_.back()->atoms()) + " atoms, " + options_.inputs[0] + " has " +
                         std::to_string(inputs_[0]->atoms()) + "; only trajectories of the same atoms can follow each other");
      say(inputs_.back()->notes());
    }
  }

  void choose_system() {
    const int atoms = inputs_[0]->atoms();
    system_ = options_.topology.empty() ? inputs_[0]->system() : read_any_system(options_.topology, options_);
    if (system_ && system_->size() != atoms)
      throw InputError(
          options_.topology + ": has " + std::to_string(system_->size()) + " atoms, " + options_.inputs[0] + " has " +
          std::to_string(atoms) +
          " (atoms are taken in order); give the topology that the trajectory was made with, or one of the part that it holds");
    const auto needs = [&](const char* option) {
      if (!system_)
        throw InputError(std::string(option) + " needs to know the atoms, and " + options_.inputs[0] +
                         " does not name them; give --topology");
    };
    if (!options_.atoms.empty()) {
      needs("--atoms");
      chosen_ = selected("--atoms", options_.atoms);
    }
    if (!options_.centre.empty()) {
      needs("--centre");
      centre_ = selected("--centre", options_.centre);
    }
    imaging_ = options_.whole || options_.unwrap || !centre_.empty();
    if (!imaging_) return;
    needs(options_.whole ? "--whole" : "--unwrap");
    if (system_->topology.bonds.empty() && atoms > 1)
      std::cerr << "note: no bonds are known, so every atom is a molecule of its own; give a --topology that has them\n";
    tree_.emplace(*system_);
    unwrapper_.emplace(*tree_);
  }
  std::vector<int> selected(const char* option, const std::string& selection) const {
    std::vector<int> atoms = select_atoms(system_->topology, selection);
    if (atoms.empty())
      throw InputError(std::string(option) + ": '" + selection +
                       "' selects no atom; look at the names with `uplift info FILE --atoms all`");
    for (const std::string& doubt : doubts_of_selection(option, selection, system_->topology))
      std::cerr << "warning: " << doubt << '\n';
    return atoms;
  }

  void choose_contents() {
    const auto all = [&](bool (FrameReader::*has)() const) {
      for (const auto& input : inputs_)
        if (!(input.get()->*has)()) return false;
      return true;
    };
    const bool velocities = all(&FrameReader::has_velocities), forces = all(&FrameReader::has_forces);
    const TrajectoryFormat format = output_.format();
    const bool restart = format == TrajectoryFormat::amber_restart || format == TrajectoryFormat::amber_netcdf_restart;
    const bool room = format == TrajectoryFormat::h5md || format == TrajectoryFormat::amber_netcdf;
    how_.velocities = velocities && (room || restart);
    how_.forces = forces && room;
    how_.bias = all(&FrameReader::has_bias) && output_.format() == TrajectoryFormat::h5md;
    const std::string left_out = std::string(velocities > how_.velocities ? "velocities" : "") +
                                 (velocities > how_.velocities && forces > how_.forces ? " and " : "") +
                                 (forces > how_.forces ? "forces" : "");
    if (!left_out.empty())
      std::cerr << "note: " << left_out << " are left out: " << options_.output << " has no room for them\n";
    how_.system = system_ ? &*system_ : nullptr;
    how_.atoms = chosen_;
    how_.xtc_precision = quantity("--precision", options_.precision, dimension::length, 1e-3);
    if (!(how_.xtc_precision > 0)) throw InputError("--precision " + options_.precision + ": must be greater than zero");
    how_.drop_times = options_.drop_times;
    if (system_) how_.title = system_->topology.title;
    how_.provenance = "# uplift convert";
    for (const std::string& path : options_.inputs) how_.provenance += " " + path;
    how_.provenance += " " + options_.output + "\n";
  }

  void input(std::size_t k) {
    FrameReader& reader = *inputs_[k];
    const std::uint64_t frames = reader.frames();
    if (options_.consecutive && k > 0) follow_on(*inputs_[k - 1], reader);
    std::uint64_t repeated = 0;
    for (std::uint64_t n = 0; n < frames; ++n) {
      std::optional<double> time = reader.time(n);
      if (time) *time += shift_;
      if (!time && (!options_.begin.empty() || !options_.end.empty()))
        throw InputError(options_.inputs[k] +
                         ": its frames have no times, so that --begin and --end mean nothing; choose frames with --stride");
      if (time && (*time < begin_ || *time > end_)) continue;
      // A continued run writes its first frame anew: where inputs overlap, the earlier one is taken.
      if (k > 0 && time && last_time_ && *time <= *last_time_ + time_slack(*last_time_)) {
        ++repeated;
        continue;
      }
      frame(reader, n);
    }
    if (repeated > 0)
      std::cerr << "note: " << options_.inputs[k] << ": " << repeated
                << " frames are not later than the inputs before it and are left out\n";
    if (frames > 0 && repeated == frames)
      throw InputError(
          options_.inputs[k] + ": all of its frames are at or before " + format_number(*last_time_) +
          " ps, where the inputs before it end; give inputs in order, or --consecutive to let its times follow on");
    last_time_ = latest_;
  }
  /// Times and steps of this input are counted on from the end of the one before it, whatever was taken of that.
  void follow_on(FrameReader& before, FrameReader& reader) {
    if (before.frames() == 0 || reader.frames() == 0) return;
    TrajectoryFrame previous, last, first;
    before.read(before.frames() - 1, last);
    if (before.frames() > 1) {
      before.read(before.frames() - 2, previous);
      if (last.time && previous.time) spacing_ = *last.time - *previous.time;
      if (last.step && previous.step) spacing_steps_ = std::max<std::int64_t>(1, *last.step - *previous.step);
    }
    reader.read(0, first);
    // Of single frames nothing says how far they are apart.
    if (spacing_ <= 0 && reader.frames() > 1 && first.time) spacing_ = reader.time(1).value_or(*first.time) - *first.time;
    if (spacing_ <= 0) spacing_ = 1;
    if (first.time && last.time) shift_ += *last.time + spacing_ - *first.time;
    if (first.step && last.step) shift_step_ += *last.step + spacing_steps_ - *first.step;
  }

  void frame(FrameReader& reader, std::uint64_t n) {
    const bool wanted = options_.last ? &reader == inputs_.back().get() && n + 1 == reader.frames()
                                      : seen_ % static_cast<std::uint64_t>(options_.stride) == 0;
    ++seen_;
    if (!wanted && !options_.unwrap) {  // molecules are followed through all frames
      if (const std::optional<double> time = reader.time(n)) latest_ = *time + shift_;
      return;
    }
    reader.read(n, frame_);
    if (frame_.time) *frame_.time += shift_;
    if (frame_.step) *frame_.step += shift_step_;
    if (frame_.time) latest_ = frame_.time;
    if (imaging_) image();
    if (!wanted) return;
    if (!chosen_.empty()) pick();
    periodic_ = frame_.box.periodic();
    if (written_ == 0) first_time_ = frame_.time;
    output_.write(frame_, how_);
    ++written_;
  }

  void image() {
    const Box box = frame_.box.periodic() ? reduce_box(frame_.box) : Box{};
    tree_->make_whole(box, frame_.x);
    // From there on molecules are followed: one that leaves the others must not jump back to them.
    if (options_.unwrap && !centre_.empty() && seen_ == 1) bring_together(*tree_, centre_, box, frame_.x);
    if (options_.unwrap) (*unwrapper_)(box, frame_.x);
    if (!centre_.empty()) centre_on(*tree_, centre_, box, !options_.unwrap, frame_.x);
  }
  void pick() {
    for (std::vector<Vec3d>* values : {&frame_.x, &frame_.v, &frame_.f}) {
      if (values->empty()) continue;
      for (std::size_t i = 0; i < chosen_.size(); ++i) (*values)[i] = (*values)[static_cast<std::size_t>(chosen_[i])];
      values->resize(chosen_.size());
    }
  }

  std::string nothing() const {
    std::string all;
    for (const std::string& path : options_.inputs) all += (all.empty() ? "" : ", ") + path;
    return all + ": no frame " +
           (options_.begin.empty() && options_.end.empty() ? "is there" : "is between --begin and --end") +
           "; look at the times with `uplift info`";
  }
  std::string summary() const {
    const int atoms = chosen_.empty() ? inputs_[0]->atoms() : static_cast<int>(chosen_.size());
    std::string text = fmt::format("{}: {} frame{}, {} atoms", options_.output, written_, written_ == 1 ? "" : "s", atoms);
    if (first_time_ && frame_.time && !options_.drop_times)
      text += fmt::format(", {:g} to {:g} ps", *first_time_, *frame_.time);
    if (how_.velocities) text += ", velocities";
    if (how_.forces) text += ", forces";
    return text + (periodic_ ? "" : ", no box") + "\n";
  }

  const ConvertOptions& options_;
  Output output_;
  double begin_, end_;
  std::vector<std::unique_ptr<FrameReader>> inputs_;
  std::optional<System> system_;
  std::vector<int> chosen_, centre_;
  std::optional<MoleculeTree> tree_;
  std::optional<Unwrapper> unwrapper_;
  FrameWriterOptions how_;
  bool imaging_ = false, periodic_ = false;
  TrajectoryFrame frame_;
  std::optional<double> last_time_, latest_,
      first_time_;  // at the end of the inputs before; of the last frame; of the first one written
  double shift_ = 0, spacing_ = 0;
  std::int64_t shift_step_ = 0, spacing_steps_ = 1;
  std::uint64_t seen_ = 0, written_ = 0;
};

}  // namespace

int convert_trajectory(const ConvertOptions& options) { return Conversion(options).run(); }

}  // namespace uplift::app
