// Multi-model PDB: MODEL ... ENDMDL, each after its own CRYST1; time and step in TITLE ("t= 2.000 step= 1000"), as GROMACS
// writes and reads them. Positions have 1e-3 A, cells 1e-3 A and 0.01 degrees.
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>

#include "files.hpp"
#include "formats.hpp"
#include "pdb_records.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/pdb.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/units.hpp"

namespace uplift {
namespace {

constexpr double angstrom = constants::nm_per_angstrom;

class PdbReader final : public FrameReader {
 public:
  explicit PdbReader(const std::string& path) : file_(path) {
    index();
    TrajectoryFrame first;
    PdbText text(frame_text(0), file_.path());
    atoms_ = static_cast<int>(text.positions().size());
    if (atoms_ == 0) throw InputError(path + ": holds no ATOM or HETATM record before its first ENDMDL; give a PDB file");
    cell_ = text.cell();
    // Times are in every title or in none.
    times_ = text.time().has_value();
  }

  std::string format() const override { return frames() > 1 ? "PDB of several models" : "PDB"; }
  std::string quantities() const override { return "position [angstrom]"; }
  int atoms() const override { return atoms_; }
  std::uint64_t frames() const override { return places_.size(); }
  std::optional<double> time(std::uint64_t frame) override {
    if (!times_) return std::nullopt;
    return PdbText(frame_text(frame), file_.path(), PdbText::Part::head).time();
  }
  void read(std::uint64_t frame, TrajectoryFrame& out) override {
    PdbText text(frame_text(frame), file_.path(), PdbText::Part::positions, places_.at(frame).line);
    out.step = text.step();
    out.time = text.time();
    out.box = text.cell() ? *text.cell() : cell_.value_or(Box{});
    out.x = std::move(text.positions());
    out.v.clear();
    out.f.clear();
    if (out.x.size() != static_cast<std::size_t>(atoms_))
      file_.fail(frame_name(frame) + " has " + std::to_string(out.x.size()) + " atoms, the first " + std::to_string(atoms_));
  }
  std::optional<System> system() override { return read_pdb_system(frame_text(0), bonds_text(), file_.path()); }

 private:
  struct Place {
    std::uint64_t begin, end;
    int line;
  };
  /// One pass over the lines: a frame goes from the end of the one before it to its ENDMDL, or to END in a file without models.
  void index() {
    std::ifstream in(file_.path(), std::ios::binary);
    std::uint64_t at = 0, begin = 0;
    int line_number = 0, begin_line = 1;
    bool atoms = false;
    for (std::string line; std::getline(in, line);) {
      ++line_number;
      if (line.find('\0') != std::string::npos)
        throw InputError(file_.path() + ":" + std::to_string(line_number) + ": not a text file; give a PDB file");
      const std::uint64_t next = at + line.size() + 1;
      const std::string_view record = trim(std::string_view(line).substr(0, 6));
      if (record == "ATOM" || record == "HETATM") atoms = true;
      if (record == "CONECT" && bonds_ == 0) bonds_ = at;
      if (atoms && (record == "ENDMDL" || record == "END" || record == "CONECT")) {
        places_.push_back({begin, at, begin_line});
        atoms = false;
      }
      if (record == "ENDMDL") begin = next, begin_line = line_number + 1;
      at = next;
    }
    if (atoms) places_.push_back({begin, std::min(at, file_.size()), begin_line});
    if (places_.empty()) throw InputError(file_.path() + ": holds no ATOM or HETATM record; give a PDB file");
  }
  std::string text(std::uint64_t begin, std::uint64_t end) const {
    const std::vector<std::uint8_t> raw = file_.read(begin, static_cast<std::size_t>(end - begin));
    return {raw.begin(), raw.end()};
  }
  std::string frame_text(std::uint64_t frame) const { return text(places_.at(frame).begin, places_.at(frame).end); }
  std::string bonds_text() const { return bonds_ ? text(bonds_, file_.size()) : std::string(); }

  RandomFile file_;
  std::vector<Place> places_;
  std::uint64_t bonds_ = 0;  // where CONECT records begin
  int atoms_ = 0;
  bool times_ = false;
  std::optional<Box> cell_;
};

class PdbWriter final : public FrameWriter {
 public:
  PdbWriter(const std::string& path, const FrameWriterOptions& options)
      : path_(path), file_(path), system_(*options.system), atoms_(options.atoms) {
    file_.write(fmt::format("REMARK   1 {:.60}\n", options.title.substr(0, options.title.find('\n'))));
    if (atoms_.empty())
      for (int i = 0; i < system_.size(); ++i) atoms_.push_back(i);
    all_.resize(static_cast<std::size_t>(system_.size()));
  }
  void write(const TrajectoryFrame& frame) override {
    std::string text;
    if (frame.time) {
      text += "TITLE     " + title() + "t= " + format_number(*frame.time);
      if (frame.step) text += fmt::format(" step= {}", *frame.step);
      text += '\n';
    }
    if (frame.box.periodic()) text += pdb_cell(frame.box);
    text += fmt::format("MODEL     {:4d}\n", ++written_);
    for (std::size_t k = 0; k < atoms_.size(); ++k) all_[static_cast<std::size_t>(atoms_[k])] = frame.x[k];
    try {
      text += pdb_atoms(system_, all_, atoms_);
    } catch (const SimulationError& e) {
      throw InputError(path_ + ": " + e.what());
    }
    file_.write(text + "ENDMDL\n");
  }
  void close() override {
    file_.write(pdb_bonds(system_, atoms_) + "END\n");
    file_.close();
  }

 private:
  /// GROMACS looks for the time behind a blank, of a title that begins with another word.
  std::string title() const {
    const std::string title = system_.topology.title.substr(0, std::min<std::size_t>(30, system_.topology.title.find('\n')));
    return (title.empty() ? "frame" : title) + " ";
  }
  std::string path_;
  OutputFile file_;
  const System& system_;
  std::vector<int> atoms_;
  std::vector<Vec3d> all_;
  std::uint64_t written_ = 0;
};

}  // namespace

std::unique_ptr<FrameReader> open_pdb(const std::string& path) { return std::make_unique<PdbReader>(path); }
std::unique_ptr<FrameWriter> create_pdb(const std::string& path, const TrajectoryFrame&, const FrameWriterOptions& options) {
  if (!options.system)
    throw InputError(path + ": a PDB file names atoms and residues, and the input has no names; give --topology");
  return std::make_unique<PdbWriter>(path, options);
}

}  // namespace uplift
