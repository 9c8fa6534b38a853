#pragma once
// The definitions of XML force-field files, and the steps from them to the parameters of a system.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "uplift/io/forcefield_xml.hpp"

namespace uplift::xml {

/// One parsed file; knows where its elements stand.
class File {
 public:
  explicit File(const std::string& path);
  const std::string& path() const { return path_; }
  pugi::xml_node root() const { return root_; }
  /// "FILE:LINE"
  std::string place(const pugi::xml_node& node) const;
  [[noreturn]] void fail(const pugi::xml_node& node, const std::string& message) const;
  /// Attributes; each fails when it is missing or is not what it must be.
  std::string text(const pugi::xml_node& node, const char* name) const;
  double number(const pugi::xml_node& node, const char* name) const;
  int integer(const pugi::xml_node& node, const char* name) const;

 private:
  std::string path_, text_;
  pugi::xml_document document_;
  pugi::xml_node root_;
};

struct AtomType {
  std::string name;
  int atom_class = 0;
  int element = 0;
  double mass = 0;
};

/// Which atom types a definition means.
struct TypeSpec {
  enum class Kind { any, type, atom_class, unknown };
  Kind kind = Kind::unknown;
  int id = 0;
};

struct TemplateAtom {
  std::string name;
  int type = 0;
  std::map<std::string, double> parameters;  ///< charge and the like, given with the residue
  int external_bonds = 0;
};
struct TemplateSite {
  enum class Form { average2, average3, out_of_plane, local_coordinates };
  Form form = Form::average2;
  int site = 0;
  std::vector<int> atoms;
  std::array<double, 3> weights{};   ///< of the first three forms
  std::vector<double> origin, x, y;  ///< weights of the local frame
  std::array<double, 3> position{};  ///< in it [nm]
  int exclude_with = 0;
  std::string place;
  bool operator==(const TemplateSite& o) const {
    return form == o.form && site == o.site && atoms == o.atoms && weights == o.weights && origin == o.origin && x == o.x &&
           y == o.y && position == o.position && exclude_with == o.exclude_with;
  }
};
struct Template {
  std::string name, place;
  int override_level = 0;
  std::vector<TemplateAtom> atoms;
  std::vector<std::array<int, 2>> bonds;
  std::vector<TemplateSite> sites;
  int atom_named(const std::string& name) const;  ///< -1: none
};

struct PatchAtom {
  int residue = 0;
  std::string name;
};
struct Patch {
  std::string name, place;
  int residues = 1;
  std::vector<std::vector<TemplateAtom>> added, changed;  ///< by residue
  std::vector<PatchAtom> removed, added_external, removed_external;
  std::vector<std::array<PatchAtom, 2>> added_bonds, removed_bonds;
  std::set<std::string> names;  ///< of all atoms that it alters
};

enum class Ordering { standard, charmm, amber, smirnoff };

struct BondRule {
  std::array<TypeSpec, 2> types;
  double length, k;
};
struct AngleRule {  ///< also Urey-Bradley: length in place of the angle
  std::array<TypeSpec, 3> types;
  double angle, k;
};
struct TorsionTerm {
  int periodicity;
  double phase, k;
};
struct TorsionRule {
  std::array<TypeSpec, 4> types;
  std::vector<TorsionTerm> terms;
  Ordering ordering = Ordering::standard;
  bool wildcard = false;
};
struct HarmonicRule {
  std::array<TypeSpec, 4> types;
  double theta0, force_constant;
  Ordering ordering = Ordering::charmm;
  bool wildcard = false;
};
struct CmapRule {
  std::array<TypeSpec, 5> types;
  int map;
  bool wildcard;
};
struct LjParameters {
  double sigma, epsilon;  ///< [nm, kJ/mol]
  bool operator<(const LjParameters& o) const { return sigma < o.sigma || (sigma == o.sigma && epsilon < o.epsilon); }
};
struct NonbondedRule {
  std::optional<double> charge, sigma, epsilon;  ///< those not given come from the residue
  std::string place;
};
struct LennardJonesRule {
  LjParameters lj;
  LjParameters lj14;
};
struct NbfixRule {
  std::array<TypeSpec, 2> types;
  LjParameters lj;
  std::string place;
};
struct RadiusRule {                      ///< of GBRadii; the last that fits an atom counts
  int element = -1, bonded_to = -1;      ///< -1: any
  std::string residue, atom;             ///< empty: any
  bool end_of_chain = false;             ///< only in residues that have an OXT
  std::optional<double> radius, screen;  ///< [nm]
};

struct Definitions {
  std::vector<std::unique_ptr<File>> files;
  std::vector<AtomType> types;
  std::unordered_map<std::string, int> type_of, class_of;
  std::vector<Template> templates;
  std::map<std::string, std::size_t> template_of;
  std::vector<Patch> patches;
  std::map<std::string, std::set<std::pair<std::string, int>>> allowed;  ///< residue: patches and which of their residues it is

  std::vector<BondRule> bonds;
  std::vector<AngleRule> angles, urey_bradleys;
  std::vector<TorsionRule> propers, impropers;
  std::vector<TorsionRule> rb_propers, rb_impropers;  ///< as periodic terms
  std::vector<HarmonicRule> harmonic_propers, harmonic_impropers;
  std::vector<CmapGrid> maps;
  std::vector<CmapRule> cmaps;
  std::optional<double> coulomb14, lj14;   ///< of NonbondedForce
  std::map<int, NonbondedRule> nonbonded;  ///< by type
  std::optional<double> lennard_jones14;   ///< of LennardJonesForce; empty: there is none
  std::map<int, LennardJonesRule> lennard_jones;
  std::vector<NbfixRule> nbfixes;
  std::map<int, GbAtom> gb;  ///< of GBSAOBCForce, by type
  std::vector<RadiusRule> radii;

  bool matches(const TypeSpec& spec, int type) const {
    switch (spec.kind) {
      case TypeSpec::Kind::any:
        return true;
      case TypeSpec::Kind::type:
        return spec.id == type;
      case TypeSpec::Kind::atom_class:
        return spec.id == types[static_cast<std::size_t>(type)].atom_class;
      default:
        return false;
    }
  }
};

/// Reads the files and all that they include.
Definitions read_definitions(const std::vector<std::string>& files);
/// Parts of it: atom types and residues, patches, and one force element.
void read_types(const File& file, Definitions& out);
void read_residues(const File& file, Definitions& out);
void read_patches(const File& file, Definitions& out);
void read_force(const File& file, const pugi::xml_node& node, Definitions& out);
void read_nonbonded_force(const File& file, const pugi::xml_node& node, Definitions& out);
/// Specs of an element's type1/class1 to typeN/classN; of type/class for `count` 1.
std::vector<TypeSpec> read_specs(const File& file, const pugi::xml_node& node, int count, const Definitions& definitions);

/// A template after patches, for one residue: which template atom each of the residue's atoms is.
struct Assignment {
  std::shared_ptr<const Template> of;
  std::vector<int> atom;  ///< [atoms of the residue] index into of->atoms
};

/// The structure with what the force field says of its atoms.
struct Assigned {
  const Definitions& definitions;
  Topology topology;
  std::vector<std::vector<int>> bonded;   ///< [atoms] sorted neighbours
  std::vector<Assignment> assignments;    ///< [residues]
  std::vector<int> type;                  ///< [atoms]
  std::vector<const TemplateAtom*> atom;  ///< [atoms]
  std::vector<int> template_index;        ///< [atoms]
  std::vector<std::string> notes;

  /// The atom of the system that is this one of the residue's template.
  int in_system(std::size_t residue, int template_atom) const;
};

/// Whether template `t` may be meant by a residue called `name`: its own, of a variant (HID, HIE, HIP of HIS), of an end of a
/// chain (NALA, CALA).
bool is_related(const Template& t, const std::string& name);

/// Takes out the bonds between a metal and other residues for which the force field has no place.
void drop_coordination(const Definitions& definitions, Topology& topology, std::vector<std::string>& notes);
/// Matches every residue; throws InputError that says what a residue lacks.
Assigned assign_templates(const Structure& structure, const Definitions& definitions);
/// The template atom of each of a residue's atoms, by elements and bonds; empty when there is no match.
std::vector<int> match_residue(const Topology& topology, const std::vector<std::vector<int>>& bonded, int residue,
                               const Template& candidate, const Definitions& definitions);
/// One residue's share of a patch applied to a template; empty when it does not fit.
std::optional<Template> apply_patch(const Patch& patch, int residue, const Template& to);
/// Why no template fits, and what to do.
std::string explain_mismatch(const Structure& structure, const Topology& topology, int residue, const Definitions& definitions,
                             const std::vector<std::vector<int>>& bonded);

void assign_bonded(const Assigned& assigned, ForceField& out, std::vector<std::string>& notes, const std::string& path);
void assign_torsions(const Assigned& assigned, const std::vector<std::array<int, 3>>& angles, ForceField& out);
void assign_virtual_sites(const Assigned& assigned, ForceField& out);
void assign_nonbonded(const Assigned& assigned, ForceField& out);
void assign_radii(const Assigned& assigned, ForceField& out);

/// All angles i-j-k of the bonds, i < k, sorted; all propers of them, each once, sorted.
std::vector<std::array<int, 3>> find_angles(const Assigned& assigned);
std::vector<std::array<int, 4>> find_propers(const Assigned& assigned, const std::vector<std::array<int, 3>>& angles);

}  // namespace uplift::xml
