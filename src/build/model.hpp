#pragma once
// The molecule while it is being built.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "uplift/build/builder.hpp"
#include "uplift/core/vec3.hpp"
#include "uplift/model/residue_library.hpp"

namespace uplift::build {

struct ModelAtom {
  std::string name;
  int element = 0;
  Vec3d x{};  ///< [nm]
};
struct ModelResidue {
  std::string name, chain;
  int number = 0;
  std::vector<ModelAtom> atoms;
  const LibraryResidue* library = nullptr;  ///< of an amino acid or cap; else the residue stays as it is
  bool chain_start = false, chain_end = false;
  bool d_form = false;
  int disulfide = -1;  ///< the residue whose SG is bonded to this one's
  bool had_hydrogens = false;
  bool bonds_known = true;
  bool built_water = false;    ///< put there by add_water; ions may take its place
  std::string insertion = {};  ///< as in Residue
  // Bonds of the file to residues that the library does not know; N and C also to each other round a ring.
  bool bonded_start = false, bonded_end = false;  ///< of N of a chain_start, of C of a chain_end
  bool bonded_sulfur = false;                     ///< of SG

  ModelAtom* find(const std::string& name);
  const ModelAtom* find(const std::string& name) const;
  bool is_amino_acid() const { return library && library->kind == ResidueKind::amino_acid; }
  bool free_start() const { return chain_start && !bonded_start; }
  bool free_end() const { return chain_end && !bonded_end; }
};
/// An atom that a bond of the file leads to: by its name in residues of the library, whose atoms are put into another order.
struct BondEnd {
  int residue = 0, atom = 0;
  std::string name = {};
};
struct Model {
  std::string title;
  std::vector<ModelResidue> residues;
  std::vector<std::array<BondEnd, 2>> given_bonds;  ///< those that names of residues and their order do not tell
  std::optional<Box> box;
  std::vector<std::string> notes;

  std::size_t atoms() const;
  /// Where the atom lies that a given bond joins to this one, if it is no metal.
  std::optional<Vec3d> given_partner(int residue, const std::string& atom) const;
};

/// Point d with |cd| = length, angle b-c-d and torsion a-b-c-d: the natural extension of a chain.
Vec3d place(const Vec3d& a, const Vec3d& b, const Vec3d& c, double length, double angle, double torsion);
double distance(const Vec3d& a, const Vec3d& b);
Vec3d unit(const Vec3d& v);

/// Steps of build_system, in their order.
Model model_of_sequence(const BuildOptions& options);
Model model_of_structure(const BuildOptions& options);
/// Missing heavy atoms of side chains, carbonyl oxygens and chain ends; caps where they are wanted.
void complete_heavy_atoms(Model& model, const BuildOptions& options);
/// Which form each residue takes: protonation by pH, tautomers of histidine, disulfides.
void choose_states(Model& model, const BuildOptions& options);
void add_hydrogens(Model& model);
/// A note where heavy atoms that are not bonded lie in each other.
void note_clashes(Model& model);
/// Turns the model into a structure with bonds.
Structure to_structure(const Model& model);

Box choose_box(const Model& model, const BuildOptions& options);
/// Throws InputError where the solute lies in its own images; a note where it is near them.
void check_images(Model& model, const Box& box);
/// Fills the box with water, in place; returns how many.
int add_water(Model& model, const Box& box, bool four_sites);
/// Puts ions in the place of water, for `charge` [e] of the rest and the salt asked for. Returns cations and anions.
std::array<int, 2> add_ions(Model& model, const Box& box, int charge, const BuildOptions& options);

/// "HIS A 57"
std::string describe(const ModelResidue& residue);

}  // namespace uplift::build
