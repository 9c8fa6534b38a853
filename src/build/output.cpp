// What a built system is written as, besides PDB: an input that runs it, and mmCIF.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "uplift/build/builder.hpp"
#include "uplift/core/constants.hpp"
#include "uplift/model/residue_library.hpp"
#include "uplift/model/selection.hpp"

namespace uplift {
namespace {

bool bare(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") == std::string::npos &&
         text.front() != '-' && text.front() != '.';
}
std::string yaml(const std::string& text) {
  if (bare(text)) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) >= ' ') quoted += c;
  }
  return quoted + "\"";
}

std::string cif(const std::string& text) {
  if (text.empty()) return ".";
  return text.find_first_of("'\" #_$[];") == std::string::npos ? text : "\"" + text + "\"";
}

/// Whether names of residues and their order tell of the bond.
bool goes_without_saying(const Topology& t, const Bond& b) {
  const Atom &one = t.atoms[static_cast<std::size_t>(b.i)], &two = t.atoms[static_cast<std::size_t>(b.j)];
  const std::string& name = t.residues[static_cast<std::size_t>(one.residue)].name;
  const LibraryResidue *first = library_residue(name),
                       *second = library_residue(t.residues[static_cast<std::size_t>(two.residue)].name);
  if (one.residue == two.residue) return first || is_water_name(name);
  const bool next = two.residue == one.residue + 1 && first && second;
  return next && ((one.name == "C" && two.name == "N") || (one.name == "O3'" && two.name == "P"));
}

/// The bonds that a reader could not find without being told: of ligands and modified residues, round rings, disulfides.
std::string cif_bonds(const Topology& t) {
  std::string rows;
  int number = 0;
  for (const Bond& b : t.bonds) {
    if (goes_without_saying(t, b)) continue;
    rows += fmt::format("bond{} covale", ++number);
    for (int i : {b.i, b.j}) {
      const Atom& a = t.atoms[static_cast<std::size_t>(i)];
      const Residue& r = t.residues[static_cast<std::size_t>(a.residue)];
      rows += fmt::format(" {} {} {} {} {}", cif(r.chain.empty() ? "A" : r.chain), cif(r.name), r.number,
                          r.insertion.empty() ? "?" : r.insertion, cif(a.name));
    }
    rows += '\n';
  }
  if (rows.empty()) return rows;
  std::string head = "loop_\n_struct_conn.id\n_struct_conn.conn_type_id\n";
  for (int k : {1, 2})
    head += fmt::format(
        "_struct_conn.ptnr{0}_auth_asym_id\n_struct_conn.ptnr{0}_label_comp_id\n_struct_conn.ptnr{0}_auth_seq_id\n"
        "_struct_conn.pdbx_ptnr{0}_PDB_ins_code\n_struct_conn.ptnr{0}_label_atom_id\n",
        k);
  return head + rows;
}

}  // namespace

std::string restrained_atoms(const BuildOptions& options, const Topology& topology) {
  const std::string protein = "protein-heavy", ions = "resname " + options.positive + " " + options.negative,
                    solute =
                        select_atoms(topology, ions).empty() ? "heavy and not water" : "heavy and not (water or " + ions + ")";
  const std::size_t all = select_atoms(topology, solute).size();
  if (all == 0) return "";
  return all == select_atoms(topology, protein).size() ? protein : solute;
}

std::string run_input_text(const BuildOptions& options, const std::string& title, const std::string& structure_file,
                           const std::vector<std::string>& forcefield_names, const std::string& implicit_solvent,
                           const std::string& restrained) {
  std::string fields;
  for (const std::string& name : forcefield_names) fields += (fields.empty() ? "" : ", ") + yaml(name);
  std::string text = fmt::format(
      "version: 1\n"
      "title: {}\n"
      "system:\n"
      "  topology: {}\n"
      "  forcefield: [{}]\n"
      "forces:\n",
      yaml(title), yaml(structure_file), fields);
  if (options.water)
    text += "  nonbonded: pme\n  cutoff: 0.9 nm\n  constraints: h-bonds\n";
  else if (implicit_solvent.empty())
    text += "  nonbonded: no-cutoff\n  constraints: h-bonds\n";
  else
    text += "  nonbonded: no-cutoff\n  implicit_solvent: {model: " + implicit_solvent + "}\n  constraints: h-bonds\n";
  text += fmt::format("dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: {}}}\n",
                      options.seed);
  text += "stages:\n  - {name: minimize, minimize: {max_steps: 2000, force_tolerance: 100 kJ/mol/nm}}\n";
  const std::string restraints = restrained.empty() ? "" : ", restraints: {positions: " + restrained + ", k: 1000 kJ/mol/nm^2}";
  text += "  - {name: warm, time: 20 ps, timestep: 1 fs" + restraints + "}\n";
  if (options.water)
    text += "  - {name: density, time: 100 ps" + restraints +
            ",\n     pressure: {barostat: monte-carlo, pressure: 1 bar}}\n"
            "  - {name: production, time: 1 ns, pressure: {barostat: monte-carlo, pressure: 1 bar}}\n";
  else
    text += "  - {name: production, time: 1 ns}\n";
  return text + "output:\n  trajectory: {every: 2 ps}\n  energies: {every: 0.2 ps}\n";
}

std::string mmcif_text(const Structure& s) {
  std::string text = "data_uplift\n";
  if (!s.topology.title.empty()) text += fmt::format("_struct.title {}\n", cif(s.topology.title.substr(0, 200)));
  if (s.box) {
    Vec3d lengths{}, angles{};
    box_parameters(*s.box, lengths, angles);
    const double degrees = constants::degrees_per_radian, nm = constants::nm_per_angstrom;
    text += fmt::format(
        "_cell.length_a {:.5f}\n_cell.length_b {:.5f}\n_cell.length_c {:.5f}\n_cell.angle_alpha {:.6f}\n_cell.angle_beta "
        "{:.6f}\n"
        "_cell.angle_gamma {:.6f}\n_symmetry.space_group_name_H-M 'P 1'\n",
        lengths.x / nm, lengths.y / nm, lengths.z / nm, angles.x * degrees, angles.y * degrees, angles.z * degrees);
  }
  text += "loop_\n";
  for (const char* column : {"group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id",
                             "label_asym_id", "label_entity_id", "label_seq_id", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy",
                             "B_iso_or_equiv", "auth_seq_id", "pdbx_PDB_ins_code", "auth_asym_id", "pdbx_PDB_model_num"})
    text += fmt::format("_atom_site.{}\n", column);
  for (int i = 0; i < s.topology.size(); ++i) {
    const Atom& a = s.topology.atoms[static_cast<std::size_t>(i)];
    const Residue& r = s.topology.residues[static_cast<std::size_t>(a.residue)];
    const Vec3d x = (1 / constants::nm_per_angstrom) * s.x[static_cast<std::size_t>(i)];
    fmt::format_to(std::back_inserter(text), "{} {} {} {} . {} {} . {} {:.3f} {:.3f} {:.3f} 1.00 0.00 {} {} {} 1\n",
                   library_residue(r.name) ? "ATOM" : "HETATM", i + 1, a.element > 0 ? element_symbol(a.element) : "X",
                   cif(a.name), cif(r.name), cif(r.chain.empty() ? "A" : r.chain), r.number, x.x, x.y, x.z, r.number,
                   r.insertion.empty() ? "?" : r.insertion, cif(r.chain.empty() ? "A" : r.chain));
  }
  return text + cif_bonds(s.topology);
}

}  // namespace uplift
