// Files of one frame: coordinates of any kind to read, Amber's restarts to write.
#include "formats.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber_writer.hpp"
#include "uplift/io/coordinates.hpp"

namespace uplift {
namespace {

class CoordinateReader final : public FrameReader {
 public:
  explicit CoordinateReader(const std::string& path) : coordinates_(read_coordinates(path)) {}
  std::string format() const override { return coordinates_.kind; }
  std::string quantities() const override {
    return coordinates_.v.empty() ? "position [nm]" : "position [nm], velocity [nm/ps]";
  }
  int atoms() const override { return static_cast<int>(coordinates_.x.size()); }
  std::uint64_t frames() const override { return 1; }
  bool has_velocities() const override { return !coordinates_.v.empty(); }
  std::optional<double> time(std::uint64_t) override { return coordinates_.time; }
  void read(std::uint64_t, TrajectoryFrame& out) override {
    out.step.reset();
    out.time = coordinates_.time;
    out.x = coordinates_.x;
    out.v = coordinates_.v;
    out.f.clear();
    out.box = coordinates_.box.value_or(Box{});
  }

 private:
  Coordinates coordinates_;
};

class AmberRestartWriter final : public FrameWriter {
 public:
  AmberRestartWriter(std::string path, AmberRestart form, std::string title, bool velocities)
      : path_(std::move(path)), form_(form), title_(std::move(title)), velocities_(velocities) {}

  void write(const TrajectoryFrame& frame) override {
    if (written_)
      throw InputError(path_ +
                       ": a restart file holds one frame, and several were chosen; choose one with --last, or with --begin and "
                       "--end");
    Coordinates c;
    c.x = frame.x;
    if (velocities_) c.v = frame.v;
    c.time = frame.time.value_or(0);
    if (frame.box.periodic()) c.box = frame.box;
    write_amber_coordinates(path_, form_, title_, c);
    written_ = true;
  }
  void close() override {}

 private:
  std::string path_;
  AmberRestart form_;
  std::string title_;
  bool velocities_, written_ = false;
};

}  // namespace

std::unique_ptr<FrameReader> open_coordinates(const std::string& path) { return std::make_unique<CoordinateReader>(path); }

std::unique_ptr<FrameWriter> create_amber_restart(const std::string& path, TrajectoryFormat format,
                                                  const FrameWriterOptions& options) {
  const bool netcdf = format == TrajectoryFormat::amber_netcdf_restart;
  return std::make_unique<AmberRestartWriter>(path, netcdf ? AmberRestart::netcdf : AmberRestart::ascii, options.title,
                                              options.velocities);
}

}  // namespace uplift
