#include "structure_gemmi.hpp"

#include "uplift/core/constants.hpp"

namespace uplift::structure {
namespace {

int number_of(const gemmi::SeqId& id) { return id.num.has_value() ? *id.num : 0; }

AtomAddress address_of(const gemmi::AtomAddress& a) {
  return {a.chain_name, a.res_id.name, number_of(a.res_id.seqid), a.res_id.seqid.icode, a.atom_name};
}

}  // namespace

void take_header(const gemmi::Structure& read, RawStructure& out) {
  const auto title = read.info.find("_struct.title");
  if (title != read.info.end()) out.title = title->second;
  if (read.cell.a > 1.5) out.cell = {read.cell.a, read.cell.b, read.cell.c, read.cell.alpha, read.cell.beta, read.cell.gamma};
  out.space_group = read.spacegroup_hm;
  // Those of metals stay: whether they are bonds is for the force field to say.
  for (const gemmi::Connection& c : read.connections) {
    if (c.type == gemmi::Connection::Hydrog) continue;
    if (c.asu == gemmi::Asu::Different)
      ++out.symmetry_bonds;
    else
      out.links.push_back({address_of(c.partner1), address_of(c.partner2)});
  }
}

RawResidue raw_residue(const gemmi::Chain& chain, const gemmi::Residue& residue) {
  RawResidue r{residue.name, chain.name, number_of(residue.seqid), residue.seqid.icode, false, {}};
  for (const gemmi::Atom& a : residue.atoms)
    r.atoms.push_back({a.name, a.element.atomic_number(), a.altloc, static_cast<double>(a.occ),
                       constants::nm_per_angstrom * Vec3d{a.pos.x, a.pos.y, a.pos.z}, a.serial});
  return r;
}

}  // namespace uplift::structure
