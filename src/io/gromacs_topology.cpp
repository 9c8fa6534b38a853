// The sections of a GROMACS topology in their order, and the system that [ molecules ] makes of them.
#include "uplift/io/gromacs.hpp"

#include <algorithm>
#include <cctype>
#include <new>

#include "gromacs_parts.hpp"
#include "uplift/core/error.hpp"

namespace uplift::gromacs {
namespace {

constexpr int most_bonds_apart = 10;

std::string small_letters(std::string_view text) {
  std::string all(text);
  std::transform(all.begin(), all.end(), all.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return all;
}

const char* refusal(const std::string& section) {
  if (section == "polarization" || section == "water_polarization" || section == "thole_polarization")
    return "asks for a polarisable force field, which the engine does not have; use one with fixed charges";
  if (section == "distance_restraints" || section == "orientation_restraints" || section == "angle_restraints" ||
      section == "angle_restraints_z" || section == "dihedral_restraints")
    return "asks for restraints that the engine does not have (it has position restraints); leave the section out, or its "
           "define";
  if (section == "intermolecular_interactions")
    return "asks for interactions between molecules, which this reader does not have; make the molecules one molecule type";
  return nullptr;
}

/// Parameters of the implicit solvent that GROMACS had until 2019. Radii for ours are not to be had from them.
bool is_ignored(const std::string& section) { return section.starts_with("implicit_"); }

class TopologyReader {
 public:
  TopologyReader(const std::string& path, const GromacsOptions& options)
      : path_(path), most_atoms_(options.most_atoms), source_(path, options.define, options.include), reader_(types_) {}

  TopologyFile read() {
    std::string text;
    while (source_.next(text)) {
      if (text.front() == '[')
        open_section(text);
      else if (!(section_.empty() && text.front() == '*'))  // titles of files that come from CHARMM
        use(Line{source_, section_, split(text)}, text);
    }
    if (systems_ == 0) incomplete("[ system ]");
    if (!molecules_given_) incomplete("[ molecules ]");
    if (out_.topology.size() == 0) throw InputError(path_ + ": [ molecules ] makes no atoms; a system needs at least one");
    make_table();
    out_.kind = "GROMACS topology";
    out_.warnings = source_.idle_defines();
    return std::move(out_);
  }

 private:
  [[noreturn]] void incomplete(const std::string& what) const {
    throw InputError(path_ + ": there is no section " + what +
                     " (a topology has [ system ] and [ molecules ] at its end; this may be an .itp file, or truncated); give "
                     "the .top file");
  }

  void open_section(const std::string& text) {
    const std::size_t end = text.find(']');
    if (end == std::string::npos) source_.fail("a section begins without the closing bracket; write [ name ]");
    section_ = small_letters(trim(std::string_view(text).substr(1, end - 1)));
    std::replace(section_.begin(), section_.end(), '-', '_');
    if (section_.empty()) source_.fail("a section without a name; write [ name ]");
    if (!known())
      source_.fail("[ " + printable(section_) + " ] is no section that this reader knows; check the spelling, or leave it out");
    if (section_ == "system") finish_molecule();
    if (section_ == "moleculetype") begin_molecule();
  }

  bool known() const {
    static const std::vector<std::string> names = {"defaults",
                                                   "atomtypes",
                                                   "bondtypes",
                                                   "constrainttypes",
                                                   "pairtypes",
                                                   "angletypes",
                                                   "dihedraltypes",
                                                   "nonbond_params",
                                                   "cmaptypes",
                                                   "moleculetype",
                                                   "atoms",
                                                   "bonds",
                                                   "constraints",
                                                   "settles",
                                                   "pairs",
                                                   "pairs_nb",
                                                   "angles",
                                                   "dihedrals",
                                                   "cmap",
                                                   "exclusions",
                                                   "position_restraints",
                                                   "virtual_sites1",
                                                   "virtual_sites2",
                                                   "virtual_sites3",
                                                   "virtual_sites4",
                                                   "virtual_sitesn",
                                                   "dummies2",
                                                   "dummies3",
                                                   "dummies4",
                                                   "dummiesn",
                                                   "system",
                                                   "molecules"};
    return std::find(names.begin(), names.end(), section_) != names.end() || is_ignored(section_) || refusal(section_);
  }

  void use(const Line& line, const std::string& text) {
    if (section_.empty())
      source_.fail("text before the first section: " + in_quotes(text) + "; remove it, or make it a comment with ;");
    if (is_ignored(section_)) return;
    if (const char* why = refusal(section_)) line.fail(why);
    if (section_ == "system") {
      out_.topology.title = out_.topology.title.empty() ? text : out_.topology.title;
      ++systems_;
    } else if (section_ == "molecules") {
      add_molecules(line);
    } else if (section_ == "moleculetype") {
      name_molecule(line);
    } else if (use_type(line)) {
      if (begun_) line.fail("stands after a [ moleculetype ]; parameters by type come before the molecules, move it");
    } else {
      if (!in_molecule_) line.fail("stands outside of a molecule; put it below the [ moleculetype ] that it belongs to");
      if (molecules_.back().name.empty()) line.fail("[ moleculetype ] before it is empty; give it a name and nrexcl");
      reader_.read(line, molecules_.back());
    }
  }

  bool use_type(const Line& line) {
    if (section_ == "defaults")
      types_.read_defaults(line);
    else if (section_ == "atomtypes")
      types_.read_atom_type(line);
    else if (section_ == "pairtypes")
      types_.read_pair_type(line);
    else if (section_ == "nonbond_params")
      types_.read_nonbonded(line);
    else if (section_ == "bondtypes" || section_ == "constrainttypes")
      types_.read_bonded(line, 2);
    else if (section_ == "angletypes")
      types_.read_bonded(line, 3);
    else if (section_ == "dihedraltypes")
      types_.read_dihedral_type(line);
    else if (section_ == "cmaptypes")
      types_.read_cmap_type(line);
    else
      return false;
    return true;
  }

  void begin_molecule() {
    finish_molecule();
    if (!types_.defaults().given)
      source_.fail("[ moleculetype ] before [ defaults ] (the force field); include the force field first");
    begun_ = in_molecule_ = true;
    molecules_.emplace_back();
  }
  void name_molecule(const Line& line) {
    Molecule& m = molecules_.back();
    line.need(2, "name and nrexcl");
    if (!m.name.empty()) line.fail("one section holds one molecule; begin another [ moleculetype ]");
    const std::string name(line.words[0]);
    for (const Molecule& other : molecules_)
      if (other.name == name)
        line.fail("the molecule " + in_quotes(name) + " is defined a second time; give it another name, or include it once");
    m.name = name;
    m.bonds_apart = line.integer(1, "nrexcl");
    if (m.bonds_apart < 0 || m.bonds_apart > most_bonds_apart)
      line.fail("nrexcl is " + std::to_string(m.bonds_apart) + " and can be 0 to " + std::to_string(most_bonds_apart) +
                "; correct it");
  }

  /// The molecule in hand is complete.
  void finish_molecule() {
    if (!in_molecule_) return;
    reader_.finish(molecules_.back());
    in_molecule_ = false;
  }

  void add_molecules(const Line& line) {
    molecules_given_ = true;
    line.need(2, "name and number of molecules");
    const int count = line.integer(1, "number of molecules");
    const Molecule& m = find(line);
    if (count < 0) line.fail("the number of molecules is negative; correct it");
    if (static_cast<double>(count) * m.topology.size() + out_.topology.size() > most_atoms_)
      line.fail(std::to_string(count) + " molecules of " + std::to_string(m.topology.size()) + " atoms make more atoms than " +
                std::to_string(most_atoms_) + "; correct the number");
    append(m, count, out_);
  }

  const Molecule& find(const Line& line) const {
    for (const Molecule& m : molecules_)
      if (m.name == line.words[0]) return m;
    const Molecule* found = nullptr;
    for (const Molecule& m : molecules_)
      if (small_letters(m.name) == small_letters(line.words[0])) {
        if (found)
          line.fail(in_quotes(line.words[0]) +
                    " fits several molecule types if capitals do not count; write the name as it is defined");
        found = &m;
      }
    if (!found) line.fail("there is no molecule type " + in_quotes(line.words[0]) + "; include the file that defines it");
    return *found;
  }

  /// Numbers of atom types become numbers of the types in use, with a table of their pairs.
  void make_table() {
    ForceField& ff = out_.force_field;
    std::vector<int> number(static_cast<std::size_t>(types_.atom_types()), -1), used;
    for (int& type : ff.lj_type) {
      int& n = number[static_cast<std::size_t>(type)];
      if (n < 0) {
        n = static_cast<int>(used.size());
        used.push_back(type);
      }
      type = n;
    }
    ff.lj_types = static_cast<int>(used.size());
    for (int a : used)
      for (int b : used) {
        const LennardJones lj = types_.lennard_jones(a, b);
        ff.lj_c6.push_back(lj.c6);
        ff.lj_c12.push_back(lj.c12);
      }
    ff.cmap_grids = types_.cmap_grids();
    std::sort(ff.exclusions.begin(), ff.exclusions.end());
  }

  std::string path_;
  int most_atoms_;
  Preprocessor source_;
  ForceFieldTypes types_;
  MoleculeReader reader_;
  std::vector<Molecule> molecules_;
  TopologyFile out_;
  std::string section_;
  bool begun_ = false, in_molecule_ = false, molecules_given_ = false;
  int systems_ = 0;
};

}  // namespace
}  // namespace uplift::gromacs

namespace uplift {

TopologyFile read_gromacs_topology(const std::string& path, const GromacsOptions& options) try {
  return gromacs::TopologyReader(path, options).read();
} catch (const std::bad_alloc&) {
  throw InputError(path + ": the system it describes does not fit into this machine's memory");
}

}  // namespace uplift
