// Bonds of metals in structures: PDB files give them to what surrounds a metal, and most force fields have metals as ions.
#include <algorithm>

#include "forcefield_xml_parts.hpp"
#include "uplift/core/at.hpp"
#include "uplift/model/residue_library.hpp"

namespace uplift::xml {
namespace {

/// Whether the force field has the residue of this metal, and in no form of it a bond from the metal to another residue.
class Ions {
 public:
  Ions(const Definitions& d, const Topology& topology) : d_(d), topology_(topology) {}

  bool has(int i) {
    const Atom& atom = topology_.atoms[at(i)];
    if (!is_metal(atom.element)) return false;
    const Residue& r = topology_.residues[at(atom.residue)];
    std::vector<int> elements;
    for (int k = r.first_atom; k < r.first_atom + r.atom_count; ++k) elements.push_back(topology_.atoms[at(k)].element);
    std::sort(elements.begin(), elements.end());
    const auto [answer, fresh] = answers_.try_emplace({elements, atom.element}, false);
    if (fresh) answer->second = ask(elements, atom.element);
    return answer->second;
  }

 private:
  bool ask(const std::vector<int>& elements, int metal) const {
    bool there = false;
    for (const Template& t : d_.templates) {
      std::vector<int> own;
      for (const TemplateAtom& a : t.atoms) own.push_back(d_.types[at(a.type)].element);
      std::sort(own.begin(), own.end());
      if (own != elements) continue;
      there = true;
      for (const TemplateAtom& a : t.atoms)
        if (d_.types[at(a.type)].element == metal && a.external_bonds > 0) return false;
    }
    return there;
  }

  const Definitions& d_;
  const Topology& topology_;
  std::map<std::pair<std::vector<int>, int>, bool> answers_;
};

}  // namespace

void drop_coordination(const Definitions& definitions, Topology& topology, std::vector<std::string>& notes) {
  Ions ions(definitions, topology);
  std::set<int> freed;
  std::erase_if(topology.bonds, [&](const Bond& b) {
    if (topology.atoms[at(b.i)].residue == topology.atoms[at(b.j)].residue) return false;
    const int ion = ions.has(b.i) ? b.i : ions.has(b.j) ? b.j : -1;
    if (ion >= 0) freed.insert(ion);
    return ion >= 0;
  });
  for (int ion : freed)
    notes.push_back("bonds that the file gives to " + describe_atom(topology, ion) +
                    " are left out: the force field has it without bonds to other residues");
}

}  // namespace uplift::xml
