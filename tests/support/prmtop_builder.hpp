#pragma once
// Writes small prmtops and restarts for tests, from a description in Amber's units (kcal/mol, Angstrom, degrees, e, Da). The
// writer shares no code with the reader. Every section can be replaced or taken out, to make bad files.
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace uplift::test {

class PrmtopBuilder {
 public:
  struct Atom {
    std::string name, type;
    int element;
    double charge;  ///< [e]
    double mass;    ///< [Da]
    int lj_type;    ///< from 0
    double radius = 1.5, screen = 0.8;
  };
  struct Dihedral {
    int i, j, k, l;
    double barrier;  ///< [kcal/mol]
    int periodicity;
    double phase;  ///< [degrees]
    double scee = 1.2, scnb = 2.0;
    bool no_14 = false, improper = false;
  };

  std::string title = "made for a test";
  bool chamber = false;
  bool write_atomic_numbers = true, write_scales = true, write_gb = true;
  int ifbox = 0;
  std::array<double, 4> box_dimensions{90, 0, 0, 0};  ///< beta [degrees], lengths [A]

  /// Appends a residue; returns the index of its first atom.
  int add_residue(const std::string& name, const std::vector<Atom>& atoms);
  void add_bond(int i, int j, double k, double r0);                  ///< [kcal/mol/A^2], [A]
  void add_angle(int i, int j, int k, double force, double theta0);  ///< [kcal/mol/rad^2], [degrees]
  void add_dihedral(const Dihedral& d) { dihedrals_.push_back(d); }
  void add_exclusion(int i, int j);
  /// A [kcal A^12/mol], B [kcal A^6/mol] of two LJ types; pairs not set are zero.
  void set_lj(int type_a, int type_b, double a, double b);
  void add_urey_bradley(int i, int k, double force, double r0);
  void add_improper(int i, int j, int k, int l, double force, double psi);  ///< psi as written into the file
  void add_cmap(const std::array<int, 5>& atoms, int map) { cmaps_.push_back({atoms, map}); }
  int add_cmap_grid(int resolution, const std::vector<double>& energy);  ///< [kcal/mol], phi slow; returns its number from 0

  int size() const { return static_cast<int>(atoms_.size()); }
  /// Replaces a section (or adds one): `body` is everything after its %FLAG line.
  void replace(const std::string& flag, const std::string& body) { replaced_[flag] = body; }
  void remove(const std::string& flag) { removed_.insert(flag); }
  /// POINTERS entry `index` (from 0) is written as `value`.
  void override_pointer(int index, int value) { pointer_overrides_[index] = value; }

  std::string text() const;

  /// Waters appended with Amber's parameters; names WAT / O H1 H2 (EPW | EP1 EP2).
  void add_tip3p(int waters);
  void add_tip4pew(int waters);
  void add_tip5p(int waters);

 private:
  struct Bond {
    int i, j, type;
  };
  struct Angle {
    int i, j, k, type;
  };
  struct Improper {
    int i, j, k, l, type;
  };
  struct Cmap {
    std::array<int, 5> atoms;
    int map;
  };
  struct Grid {
    int resolution;
    std::vector<double> energy;
  };
  void add_water(const std::vector<Atom>& atoms, double r_site);
  bool has_hydrogen(std::initializer_list<int> atoms) const;
  std::vector<int> pointers(int exclusions) const;
  void write_section(std::string& out, const std::string& flag, const std::string& body) const;
  void write_bonded(std::string& out) const;
  void write_charmm(std::string& out) const;

  std::vector<Atom> atoms_;
  std::vector<std::string> residue_names_;
  std::vector<int> residue_first_;
  std::vector<Bond> bonds_, urey_bradleys_;
  std::vector<std::array<double, 2>> bond_types_, angle_types_, urey_types_, improper_types_;
  std::vector<Angle> angles_;
  std::vector<Dihedral> dihedrals_;
  std::vector<Improper> impropers_;
  std::vector<Cmap> cmaps_;
  std::vector<Grid> grids_;
  std::set<std::pair<int, int>> exclusions_;
  std::map<std::pair<int, int>, std::array<double, 2>> lj_;
  std::map<std::string, std::string> replaced_;
  std::set<std::string> removed_;
  std::map<int, int> pointer_overrides_;
};

/// Lines of numbers in Fortran columns.
std::string columns(const std::vector<int>& values, int per_line, int width);
std::string columns(const std::vector<double>& values, int per_line, int width, int decimals, bool exponent);

/// A capped three-residue-like chain of nine heavy atoms and hydrogens in vacuum: every kind of Amber term, CMAP excepted.
PrmtopBuilder small_molecule();
/// A CHAMBER prmtop with Urey-Bradley, harmonic impropers, CMAP, its own 1-4 table and NBFIX.
PrmtopBuilder chamber_molecule();

/// ASCII restart; coordinates and velocities in the file's units (A; A per Amber time unit), three a atom.
std::string inpcrd_text(const std::vector<double>& x, const std::vector<double>& v = {}, const std::vector<double>& box = {},
                        const std::string& head_extra = "");
/// Coordinates [A] of the waters of add_tip3p/4pew/5p on a grid 3.1 A wide; virtual sites on the oxygen.
std::vector<double> water_coordinates(int waters, int sites);

/// Writes bytes to a fresh file in gtest's temporary folder and returns its path; the file goes when the program ends.
std::string write_temporary(const std::string& name, const std::string& bytes);
/// gzip-compressed bytes.
std::string gzip(const std::string& bytes);

}  // namespace uplift::test
