// `uplift build`: a sequence or a structure to a system that `uplift run` takes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "commands.hpp"
#include "uplift/build/builder.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/amber_writer.hpp"
#include "uplift/io/check_output.hpp"
#include "uplift/io/pdb.hpp"
#include "uplift/io/replace_file.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/io/units.hpp"
#include "uplift/model/settings.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;
constexpr int largest_pdb = 99999;

double quantity_of(const std::string& option, const std::string& text, const Dimension& dimension) {
  try {
    return parse_quantity(text, dimension);
  } catch (const std::invalid_argument& e) {
    throw InputError(option + ": " + e.what());
  }
}

BuildOptions options_of(const BuildArguments& a) {
  BuildOptions o;
  o.sequence = a.sequence;
  o.structure = a.structure;
  if (o.sequence.empty() == o.structure.empty())
    throw InputError(
        "uplift build needs a structure file or --sequence, one of them; as in uplift build protein.pdb, uplift build "
        "--sequence GYDPETGTWG");
  o.conformation = a.conformation == "helix" ? Conformation::helix : Conformation::extended;
  o.caps = a.caps;
  o.ph = a.ph;
  for (const std::string& state : a.states) {
    const std::size_t equals = state.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == state.size())
      throw InputError("--state " + state + ": is not RESIDUE=FORM, as in 57=HID or A:57=HID");
    o.states[state.substr(0, equals)] = state.substr(equals + 1);
  }
  o.remove = a.remove;
  o.water = a.water != "none";
  o.shape = a.shape == "cubic"         ? BoxShape::cubic
            : a.shape == "rectangular" ? BoxShape::rectangular
            : a.shape == "octahedron"  ? BoxShape::octahedron
                                       : BoxShape::dodecahedron;
  o.padding = quantity_of("--padding", a.padding, dimension::length);
  if (o.padding < 0 || o.padding > 100) throw InputError("--padding: must be between 0 and 100 nm");
  if (!a.edge.empty()) o.edge = quantity_of("--edge", a.edge, dimension::length);
  if (o.edge && *o.edge > 200) throw InputError("--edge: more than 200 nm is no box that could be filled");
  if (!a.salt.empty()) o.salt = quantity_of("--salt", a.salt, dimension::concentration);
  if (o.salt < 0 || o.salt > 10) throw InputError("--salt: must be between 0 and 10 mol/L");
  o.positive = a.positive;
  o.negative = a.negative;
  o.seed = a.seed;
  return o;
}

/// Serial numbers of five figures, chains of one letter; longer names would be cut and, for chains, run into others.
bool fits_a_pdb(const Topology& t) {
  return t.size() <= largest_pdb &&
         std::all_of(t.residues.begin(), t.residues.end(),
                     [](const Residue& r) { return r.chain.size() <= 1 && r.name.size() <= 4; }) &&
         std::all_of(t.atoms.begin(), t.atoms.end(), [](const Atom& a) { return a.name.size() <= 4; });
}

/// What is written, by name. The structure is a .pdb or a .cif: which is known when its atoms are counted.
struct Outputs {
  std::string stem, input, prmtop, inpcrd;

  explicit Outputs(const BuildArguments& a) : stem(a.output), input(a.output + ".yaml"), prmtop(a.prmtop) {
    if (!prmtop.empty()) inpcrd = fs::path(prmtop).replace_extension(".inpcrd").string();
  }
  std::string structure(bool pdb) const { return stem + (pdb ? ".pdb" : ".cif"); }
};

/// Before an hour of placing water, not after it.
void check_outputs(const Outputs& out, const BuildArguments& a, const BuildOptions& options) {
  if (same_file(out.prmtop, out.inpcrd))
    throw InputError("--prmtop " + a.prmtop + ": that is where its coordinates go; call it .prmtop");
  std::vector<std::string> inputs = options.forcefield;
  inputs.push_back(a.structure);
  for (const std::string& name : {out.structure(true), out.structure(false), out.input})
    check_output(name, inputs, "choose another stem with -o, as in -o system");
  for (const std::string& name : {out.structure(true), out.input}) check_new_output(name, inputs, a.force);
  if (a.prmtop.empty()) return;
  for (const std::string& name : {out.structure(true), out.structure(false), out.input})
    if (same_file(name, out.prmtop) || same_file(name, out.inpcrd))
      throw InputError("--prmtop " + a.prmtop + ": " + name + " is written already; give it another name");
  for (const std::string& name : {out.prmtop, out.inpcrd}) check_new_output(name, inputs, a.force);
}

/// The prmtop, and coordinates beside it, for other programs.
void write_amber(const Outputs& out, const std::string& title, const BuiltSystem& built) {
  Topology topology = built.parameters.topology;
  topology.title = title;
  const auto write = [&](const std::string& to) {
    return write_prmtop(to, topology, built.parameters.force_field, built.structure.box);
  };
  for (const std::string& note : replace_file(out.prmtop, write)) std::cout << note << '\n';
  Coordinates coordinates;
  coordinates.x = built.structure.x;
  coordinates.box = built.structure.box;
  place_virtual_sites(built.parameters.force_field, coordinates.x);
  replace_file(out.inpcrd,
               [&](const std::string& to) { write_amber_coordinates(to, AmberRestart::ascii, title, coordinates); });
  std::cout << out.prmtop << ", " << out.inpcrd << ": for other programs\n";
}

/// A path of a force field as the input file shall have it: names stay, files become relative to the input.
std::string for_input(const std::string& name, const std::string& found, const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(name, error)) return name;
  const fs::path relative = fs::proximate(found, folder.empty() ? fs::path(".") : folder, error);
  return error ? found : relative.string();
}

}  // namespace

int build_command(const BuildArguments& a) {
  BuildOptions options = options_of(a);
  std::vector<std::string> names = a.forcefield;
  if (options.water) names.push_back(a.water);
  if (!options.water && !a.implicit_solvent.empty()) names.push_back(a.implicit_solvent == "gbn2" ? "mbondi3" : "mbondi2");
  if (options.water && !a.implicit_solvent.empty()) throw InputError("--implicit-solvent goes with --water none");
  for (const std::string& name : names) options.forcefield.push_back(find_forcefield(name, "."));
  const Outputs out(a);
  check_outputs(out, a, options);

  const BuiltSystem built = build_system(options);
  const fs::path stem(a.output);
  const bool pdb = fits_a_pdb(built.structure.topology);
  const std::string structure_file = out.structure(pdb);
  check_new_output(structure_file, {}, a.force);
  ForceSettings as_given;
  as_given.nonbonded = NonbondedMethod::no_cutoff;
  as_given.constraints = ConstraintMode::none;
  as_given.rigid_water = false;
  const System system = make_system(built.parameters.topology, built.parameters.force_field, as_given);
  if (pdb)
    write_topology_pdb(structure_file, system, built.structure.box.value_or(Box{}), built.structure.x);
  else
    write_file(structure_file, mmcif_text(built.structure));
  std::vector<std::string> in_input;
  for (std::size_t k = 0; k < names.size(); ++k)
    in_input.push_back(for_input(names[k], options.forcefield[k], stem.parent_path()));
  const std::string title =
      options.sequence.empty() ? "built from " + fs::path(options.structure).filename().string() : options.sequence;
  write_file(out.input, run_input_text(options, title, fs::path(structure_file).filename().string(), in_input,
                                       a.implicit_solvent, restrained_atoms(options, built.parameters.topology)));

  for (const std::string& note : built.notes) std::cout << note << '\n';
  if (!a.prmtop.empty()) write_amber(out, title, built);
  std::cout << fmt::format("{} atoms: {}, {}\n", built.structure.topology.size(), structure_file, out.input);
  return finished;
}

void add_build_options(CLI::App* command, BuildArguments& a) {
  command->add_option("STRUCTURE", a.structure, "a PDB or mmCIF file");
  command->add_option("--sequence", a.sequence,
                      "one-letter codes (lower case: D form) or names of residues, instead of a structure");
  command->add_option("-o,--output", a.output, "stem of the files: system gives system.pdb and system.yaml");
  command->add_option("--prmtop", a.prmtop, "also write this Amber topology, and its coordinates as .inpcrd beside it");
  command->add_option("--forcefield", a.forcefield, "names or files, for all but the water; default amber14sb");
  command->add_option("--water", a.water, "tip3p, tip4pew, spce, opc, a file, or none; default tip3p");
  command->add_option("--implicit-solvent", a.implicit_solvent, "with --water none: hct, obc1, obc2, gbn or gbn2")
      ->check(CLI::IsMember(std::vector<std::string>(gb_model_names.begin(), gb_model_names.end())));
  command->add_option("--conformation", a.conformation, "of a sequence: extended or helix")
      ->check(CLI::IsMember({"extended", "helix"}));
  command->add_flag("--caps", a.caps, "ACE and NME at the ends of chains; default: charged ends");
  command->add_option("--ph", a.ph, "decides protonation; default 7")->check(CLI::Range(-2.0, 16.0));
  command->add_option("--state", a.states, "the form of one residue: 57=HID, A:26=ASH (repeatable)")->allow_extra_args(false);
  command->add_option("--remove", a.remove, "residues to leave out, by name; water: all of it");
  command->add_option("--shape", a.shape, "of the box: cubic, rectangular, dodecahedron or octahedron; default dodecahedron")
      ->check(CLI::IsMember({"cubic", "rectangular", "dodecahedron", "octahedron"}));
  command->add_option("--padding", a.padding, "between the molecule and the edge of the box; default 1 nm");
  command->add_option("--edge", a.edge, "of the box, instead of the padding (4 nm)");
  command->add_option("--salt", a.salt, "beyond what neutralises (0.15 mol/L)");
  command->add_option("--positive", a.positive, "cation: LI NA K RB CS; default NA")
      ->check(CLI::IsMember({"LI", "NA", "K", "RB", "CS"}));
  command->add_option("--negative", a.negative, "anion: F CL BR I; default CL")->check(CLI::IsMember({"F", "CL", "BR", "I"}));
  command->add_option("--seed", a.seed, "of the places of ions; default 2026");
  command->add_flag("-f,--force", a.force, "replace outputs that are there already");
}

}  // namespace uplift::app
