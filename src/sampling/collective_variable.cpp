#include "uplift/sampling/collective_variable.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "backbone.hpp"
#include "reference_structure.hpp"
#include "uplift/core/at.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/model/selection.hpp"

namespace uplift {
namespace {

constexpr double degrees = constants::degrees_per_radian;

double norm(const Vec3d& a) { return std::sqrt(dot(a, a)); }

/// Of atoms, as a function of the vectors between neighbours. Nearest images are taken, but within a molecule, which is stored
/// in one piece and may be longer than half of the box.
template <int atoms>
class Geometric final : public CollectiveVariable {
 public:
  using Formula = double (*)(const std::array<Vec3d, atoms - 1>&);
  Geometric(std::array<int, atoms> which, Formula formula, const StoredSystem& system) : which_(which), formula_(formula) {
    const std::vector<int>& molecule = system.molecule;
    for (std::size_t k = 0; k + 1 < which.size(); ++k)
      as_stored_[k] = !molecule.empty() && molecule[at(which[k])] == molecule[at(which[k + 1])];
  }
  double value(std::span<const Vec3d> x, const Box& box, std::size_t) const override {
    std::array<Vec3d, atoms - 1> b;
    for (std::size_t k = 0; k + 1 < which_.size(); ++k) {
      b[k] = x[at(which_[k + 1])] - x[at(which_[k])];
      if (!as_stored_[k]) b[k] = shortest_image(box, b[k]);
    }
    return formula_(b);
  }

 private:
  std::array<int, atoms> which_;
  std::array<bool, atoms - 1> as_stored_{};
  Formula formula_;
};

double distance(const std::array<Vec3d, 1>& b) { return norm(b[0]); }
double angle(const std::array<Vec3d, 2>& b) { return degrees * std::atan2(norm(cross(b[0], b[1])), -dot(b[0], b[1])); }
double dihedral(const std::array<Vec3d, 3>& b) {
  const Vec3d m = cross(b[0], b[1]), n = cross(b[1], b[2]);
  return degrees * std::atan2(dot(cross(m, n), b[1]) / norm(b[1]), dot(m, n));
}

class Gyration final : public CollectiveVariable {
 public:
  Gyration(std::vector<int> which, const StoredSystem& system) : which_(std::move(which)) {
    for (int i : which_) mass_.push_back(system.masses[at(i)]);
  }
  double value(std::span<const Vec3d> x, const Box&, std::size_t) const override {
    Vec3d centre{0, 0, 0};
    double total = 0, sum = 0;
    for (std::size_t k = 0; k < which_.size(); ++k) {
      centre += mass_[k] * x[at(which_[k])];
      total += mass_[k];
    }
    centre = (1 / total) * centre;
    for (std::size_t k = 0; k < which_.size(); ++k) {
      const Vec3d d = x[at(which_[k])] - centre;
      sum += mass_[k] * dot(d, d);
    }
    return std::sqrt(sum / total);
  }

 private:
  std::vector<int> which_;
  std::vector<double> mass_;
};

class Rmsd final : public CollectiveVariable {
 public:
  Rmsd(std::vector<int> which, const std::vector<Vec3d>& reference) : which_(std::move(which)) {
    reference_.resize(3, static_cast<Eigen::Index>(which_.size()));
    for (std::size_t k = 0; k < which_.size(); ++k) {
      const Vec3d& r = reference[k];
      reference_.col(static_cast<Eigen::Index>(k)) << r.x, r.y, r.z;
    }
    centre(reference_);
  }
  double value(std::span<const Vec3d> x, const Box&, std::size_t) const override {
    Eigen::Matrix3Xd moved(3, reference_.cols());
    for (std::size_t k = 0; k < which_.size(); ++k) {
      const Vec3d& r = x[at(which_[k])];
      moved.col(static_cast<Eigen::Index>(k)) << r.x, r.y, r.z;
    }
    centre(moved);
    const Eigen::Matrix3d covariance = moved * reference_.transpose();
    // Singular values of the covariance; the smallest counts against where only a mirror image would fit better.
    const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(covariance.transpose() * covariance, Eigen::EigenvaluesOnly);
    const Eigen::Vector3d s = solver.eigenvalues().cwiseMax(0).cwiseSqrt();
    const double squares =
        moved.squaredNorm() + reference_.squaredNorm() - 2 * (s[2] + s[1] + (covariance.determinant() < 0 ? -s[0] : s[0]));
    return std::sqrt(std::max(0.0, squares) / static_cast<double>(which_.size()));
  }

 private:
  static void centre(Eigen::Matrix3Xd& points) { points.colwise() -= points.rowwise().mean().eval(); }
  std::vector<int> which_;
  Eigen::Matrix3Xd reference_;
};

class Column final : public CollectiveVariable {
 public:
  explicit Column(std::vector<double> values) : values_(std::move(values)) {}
  double value(std::span<const Vec3d>, const Box&, std::size_t frame) const override { return values_[frame]; }

 private:
  std::vector<double> values_;
};

/// "dihedral(4,6,8,14)" taken apart.
struct Call {
  std::string text, word;
  std::vector<std::string> arguments;

  [[noreturn]] void fail(const std::string& what) const { throw InputError("variable '" + text + "': " + what); }
  void expect(std::size_t least, std::size_t most, const char* usage) const {
    if (arguments.size() < least || arguments.size() > most) fail(std::string("write it as ") + usage);
  }
  int number(std::size_t k) const {
    int n = 0;
    if (!parse_int(arguments[k], n)) fail("'" + arguments[k] + "' is no whole number");
    return n;
  }
};

Call take_apart(const std::string& text, std::string& name) {
  Call call;
  call.text = text;
  const std::size_t open = text.find('('), equals = text.find('=');
  const bool named = equals != std::string::npos && (open == std::string::npos || equals < open);
  const std::string definition(trim(std::string_view(text).substr(named ? equals + 1 : 0)));
  const std::size_t begin = definition.find('(');
  if (begin == std::string::npos || definition.back() != ')')
    call.fail(
        "is no collective variable; use dihedral(i,j,k,l), angle(i,j,k), distance(i,j), phi(RESIDUE), psi(RESIDUE), "
        "rmsd(SELECTION), gyration(SELECTION) or column(FILE,N)");
  name = named ? std::string(trim(std::string_view(text).substr(0, equals))) : definition;
  call.word = std::string(trim(definition.substr(0, begin)));
  const std::string inside = definition.substr(begin + 1, definition.size() - begin - 2);
  std::string part;
  int depth = 0;
  for (char c : inside) {
    depth += (c == '(') - (c == ')');
    if (c == ',' && depth == 0) {
      call.arguments.emplace_back(trim(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!trim(part).empty()) call.arguments.emplace_back(trim(part));
  return call;
}

template <int n>
std::array<int, n> atoms_of(const Call& call, const StoredSystem& system, const char* usage) {
  call.expect(n, n, usage);
  std::array<int, n> atoms{};
  for (std::size_t k = 0; k < n; ++k) {
    atoms[k] = call.number(k);
    if (atoms[k] < 0 || atoms[k] >= system.topology.size())
      call.fail("atom " + std::to_string(atoms[k]) + " is not in the trajectory, whose atoms are 0 to " +
                std::to_string(system.topology.size() - 1));
    for (std::size_t other = 0; other < k; ++other)
      if (atoms[other] == atoms[k]) call.fail("atom " + std::to_string(atoms[k]) + " is named twice");
  }
  return atoms;
}

std::array<int, 4> backbone(const Call& call, const StoredSystem& system) {
  call.expect(1, 1, (call.word + "(RESIDUE), with the number of a residue, or " + call.word + "(CHAIN:RESIDUE)").c_str());
  return backbone_dihedral(system.topology, call.word, call.arguments[0], [&](const std::string& what) { call.fail(what); });
}

std::vector<int> selected(const Call& call, const StoredSystem& system) {
  std::vector<int> which = select_atoms(system.topology, call.arguments.at(0));
  if (which.empty()) call.fail("'" + call.arguments[0] + "' selects no atom");
  return which;
}

std::string found_file(const Call& call, const StoredSystem& system, const std::string& name) {
  namespace fs = std::filesystem;
  const std::string of_run = (fs::path(system.directory) / name).string(), beside = (fs::path(system.beside) / name).string();
  for (const std::string& file : {of_run, beside, name})
    if (fs::exists(file)) return file;
  call.fail("there is no file " + name + ", neither in " + system.directory +
            (system.beside.empty() ? "" : ", nor in " + system.beside) + " nor here");
}

std::vector<double> read_column(const Call& call, const std::string& file, int column) {
  const std::string text = read_file(file);
  LineReader lines(text);
  std::vector<double> values;
  while (!lines.done()) {
    const std::string_view line = trim(lines.next());
    if (line.empty() || line[0] == '#' || line[0] == '@') continue;
    std::size_t begin = 0;
    for (int k = 0; k <= column; ++k) {
      begin = line.find_first_not_of(" \t,", begin);
      if (begin == std::string_view::npos)
        call.fail(file + ":" + std::to_string(lines.line()) + ": has no column " + std::to_string(column) +
                  " (columns count from 0)");
      if (k < column) begin = std::min(line.find_first_of(" \t,", begin), line.size());
    }
    const std::string_view word = line.substr(begin, line.find_first_of(" \t,", begin) - begin);
    double value = 0;
    if (!parse_real(word, value))
      call.fail(file + ":" + std::to_string(lines.line()) + ": " + in_quotes(word) + " is no number");
    values.push_back(value);
  }
  return values;
}

/// A row a frame of the whole trajectory.
std::vector<double> column_of(const Call& call, const StoredSystem& system) {
  namespace fs = std::filesystem;
  const std::string file = found_file(call, system, call.arguments[0]);
  if (!system.alone && fs::weakly_canonical(fs::path(file).parent_path()) != fs::weakly_canonical(system.directory))
    call.fail(file + ": cannot be of every one of several runs; put a file of this name into each run's directory (" +
              system.directory + " has none)");
  std::vector<double> values = read_column(call, file, call.number(1));
  if (values.size() != system.frames)
    call.fail(file + ": has " + std::to_string(values.size()) + " rows, and the trajectory in " + system.directory + " has " +
              std::to_string(system.frames) + " frames, those of all stages; it needs a row a frame");
  return values;
}

}  // namespace

StoredSystem part_to_be_stored(const System& system, const std::vector<int>& atoms, const std::vector<Vec3d>& x) {
  StoredSystem s;
  std::vector<int> place(static_cast<std::size_t>(system.size()), -1);
  int before = -1;
  for (int i : atoms) {
    place[at(i)] = s.topology.size();
    Atom atom = system.topology.atoms[at(i)];
    if (atom.residue != before) {
      Residue residue = system.topology.residues[at(before = atom.residue)];
      residue.first_atom = s.topology.size();
      residue.atom_count = 0;
      s.topology.residues.push_back(residue);
    }
    atom.residue = static_cast<int>(s.topology.residues.size()) - 1;
    ++s.topology.residues.back().atom_count;
    s.topology.atoms.push_back(atom);
    s.masses.push_back(atom.mass);
    s.molecule.push_back(system.molecules.molecule_of[at(i)]);
    s.first.push_back(x[at(i)]);
  }
  for (const Bond& b : system.topology.bonds)
    if (place[at(b.i)] >= 0 && place[at(b.j)] >= 0) s.topology.bonds.push_back({place[at(b.i)], place[at(b.j)]});
  return s;
}

std::unique_ptr<CollectiveVariable> make_collective_variable(const std::string& text, const StoredSystem& system) {
  std::string name;
  const Call call = take_apart(text, name);
  std::unique_ptr<CollectiveVariable> cv;
  const auto as = [&](auto made, const char* unit, bool periodic) {
    cv = std::move(made);
    cv->unit = unit;
    cv->periodic = periodic;
  };
  if (call.word == "dihedral") {
    as(std::make_unique<Geometric<4>>(atoms_of<4>(call, system, "dihedral(i,j,k,l)"), dihedral, system), "deg", true);
  } else if (call.word == "phi" || call.word == "psi") {
    as(std::make_unique<Geometric<4>>(backbone(call, system), dihedral, system), "deg", true);
  } else if (call.word == "angle") {
    as(std::make_unique<Geometric<3>>(atoms_of<3>(call, system, "angle(i,j,k)"), angle, system), "deg", false);
  } else if (call.word == "distance") {
    as(std::make_unique<Geometric<2>>(atoms_of<2>(call, system, "distance(i,j)"), distance, system), "nm", false);
  } else if (call.word == "gyration") {
    call.expect(1, 1, "gyration(SELECTION)");
    as(std::make_unique<Gyration>(selected(call, system), system), "nm", false);
  } else if (call.word == "rmsd") {
    call.expect(1, 2, "rmsd(SELECTION) or rmsd(SELECTION, FILE.pdb)");
    const std::vector<int> which = selected(call, system);
    std::vector<Vec3d> reference;
    if (call.arguments.size() == 2)
      reference = reference_positions(found_file(call, system, call.arguments[1]), which, system.topology,
                                      [&](const std::string& what) { call.fail(what); });
    else
      for (int i : which) reference.push_back(system.first[at(i)]);
    as(std::make_unique<Rmsd>(which, reference), "nm", false);
  } else if (call.word == "column") {
    call.expect(2, 2, "column(FILE, N)");
    if (call.number(1) < 0) call.fail("columns count from 0");
    std::vector<double> values = column_of(call, system);
    as(std::make_unique<Column>(std::move(values)), "", false);
  } else {
    call.fail("'" + call.word +
              "' is no kind of collective variable; use dihedral, angle, distance, phi, psi, rmsd, gyration or column");
  }
  cv->name = name;
  const std::size_t equals = text.find('=');
  cv->definition = std::string(trim(equals != std::string::npos && equals < text.find('(') ? text.substr(equals + 1) : text));
  return cv;
}

}  // namespace uplift
