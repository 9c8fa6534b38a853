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

  ModelAtom* find(const std::string& name);
  const ModelAtom* find(const std::string& name) const;
  bool is_amino_acid() const { return library && library->kind == ResidueKind::amino_acid; }
};
struct Model {
  std::string title;
  std::vector<ModelResidue> residues;
  std::vector<std::array<std::array<int, 2>, 2>>
      given_bonds;  ///< (residue, atom) pairs of residues that are not in the library
  std::optional<Box> box;
  std::vector<std::string> notes;

  std::size_t atoms() const;
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
