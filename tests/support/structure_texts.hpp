#pragma once
// Small structures and a small force field as texts, for tests of their readers.
#include <string>

namespace uplift::test {

/// Alanine dipeptide near C7eq with all hydrogens, and one water; atom lines start at line 3. Names: PDB 3.3.
inline const std::string dipeptide_pdb =
    "TITLE     ALANINE DIPEPTIDE\n"
    "CRYST1   25.000   26.000   27.000  90.00  90.00  90.00 P 1           1\n"
    "ATOM      1  H1  ACE A   1      -0.363   1.028   0.000  1.00  0.00           H\n"
    "ATOM      2  CH3 ACE A   1       0.000   0.000   0.000  1.00  0.00           C\n"
    "ATOM      3  H2  ACE A   1      -0.363  -0.514   0.890  1.00  0.00           H\n"
    "ATOM      4  H3  ACE A   1      -0.363  -0.514  -0.890  1.00  0.00           H\n"
    "ATOM      5  C   ACE A   1       1.525   0.000   0.000  1.00  0.00           C\n"
    "ATOM      6  O   ACE A   1       2.141   1.066   0.000  1.00  0.00           O\n"
    "ATOM      7  N   ALA A   2       2.112  -1.192   0.000  1.00  0.00           N\n"
    "ATOM      8  H   ALA A   2       1.540  -2.024   0.000  1.00  0.00           H\n"
    "ATOM      9  CA  ALA A   2       3.559  -1.369   0.000  1.00  0.00           C\n"
    "ATOM     10  HA  ALA A   2       3.873  -1.808  -0.947  1.00  0.00           H\n"
    "ATOM     11  CB  ALA A   2       4.015  -2.286   1.141  1.00  0.00           C\n"
    "ATOM     12  HB1 ALA A   2       5.100  -2.380   1.104  1.00  0.00           H\n"
    "ATOM     13  HB2 ALA A   2       3.560  -3.270   1.028  1.00  0.00           H\n"
    "ATOM     14  HB3 ALA A   2       3.714  -1.862   2.099  1.00  0.00           H\n"
    "ATOM     15  C   ALA A   2       4.240  -0.012   0.144  1.00  0.00           C\n"
    "ATOM     16  O   ALA A   2       3.800   0.836   0.921  1.00  0.00           O\n"
    "ATOM     17  N   NME A   3       5.318   0.190  -0.608  1.00  0.00           N\n"
    "ATOM     18  H   NME A   3       5.617  -0.568  -1.204  1.00  0.00           H\n"
    "ATOM     19  C   NME A   3       6.088   1.427  -0.600  1.00  0.00           C\n"
    "ATOM     20  H1  NME A   3       7.024   1.268  -1.135  1.00  0.00           H\n"
    "ATOM     21  H2  NME A   3       6.303   1.715   0.429  1.00  0.00           H\n"
    "ATOM     22  H3  NME A   3       5.516   2.219  -1.084  1.00  0.00           H\n"
    "TER\n"
    "HETATM   23  O   HOH B   1      10.000  10.000  10.000  1.00  0.00           O\n"
    "HETATM   24  H1  HOH B   1      10.957  10.000  10.000  1.00  0.00           H\n"
    "HETATM   25  H2  HOH B   1       9.760  10.927  10.000  1.00  0.00           H\n"
    "END\n";

/// A water and a sodium ion.
inline const std::string water_cif =
    "data_water\n_cell.length_a 25\n_cell.length_b 26\n_cell.length_c 27\n_cell.angle_alpha 90\n_cell.angle_beta 90\n"
    "_cell.angle_gamma 90\nloop_\n_atom_site.group_PDB\n_atom_site.id\n_atom_site.type_symbol\n_atom_site.label_atom_id\n"
    "_atom_site.label_alt_id\n_atom_site.label_comp_id\n_atom_site.label_asym_id\n_atom_site.label_seq_id\n_atom_site.Cartn_x\n"
    "_atom_site.Cartn_y\n_atom_site.Cartn_z\n_atom_site.occupancy\n_atom_site.B_iso_or_equiv\n_atom_site.auth_seq_id\n"
    "_atom_site.auth_asym_id\n"
    "HETATM 1 O O . HOH A . 10.000 10.000 10.000 1.0 0 1 A\n"
    "HETATM 2 H H1 . HOH A . 10.957 10.000 10.000 1.0 0 1 A\n"
    "HETATM 3 H H2 . HOH A . 9.760 10.927 10.000 1.0 0 1 A\n"
    "HETATM 4 NA NA . NA B . 15.000 10.000 10.000 1.0 0 2 B\n";

/// Three-site and four-site water, and one molecule XY2 with a patch that turns it into XY.
inline const std::string water_xml = R"(<ForceField>
 <AtomTypes>
  <Type name="tip3p-O" class="OW" element="O" mass="15.99943"/>
  <Type name="tip3p-H" class="HW" element="H" mass="1.007947"/>
  <Type name="ion" class="NA" element="Na" mass="22.98977"/>
 </AtomTypes>
 <Residues>
  <Residue name="HOH">
   <Atom name="O" type="tip3p-O"/>
   <Atom name="H1" type="tip3p-H"/>
   <Atom name="H2" type="tip3p-H"/>
   <Bond atomName1="O" atomName2="H1"/>
   <Bond atomName1="O" atomName2="H2"/>
   <AllowPatch name="OH"/>
  </Residue>
  <Residue name="NA"><Atom name="NA" type="ion"/></Residue>
 </Residues>
 <Patches>
  <Patch name="OH">
   <RemoveAtom name="H2"/>
   <ChangeAtom name="O" type="tip3p-O"/>
  </Patch>
 </Patches>
 <HarmonicBondForce>
  <Bond class1="OW" class2="HW" length="0.09572" k="462750.4"/>
 </HarmonicBondForce>
 <HarmonicAngleForce>
  <Angle class1="HW" class2="OW" class3="HW" angle="1.82421813418" k="836.8"/>
 </HarmonicAngleForce>
 <NonbondedForce coulomb14scale="0.833333" lj14scale="0.5">
  <Atom type="tip3p-O" charge="-0.834" sigma="0.31507524065751241" epsilon="0.635968"/>
  <Atom type="tip3p-H" charge="0.417" sigma="1" epsilon="0"/>
  <Atom type="ion" charge="1" sigma="0.25" epsilon="0.36"/>
 </NonbondedForce>
</ForceField>
)";

}  // namespace uplift::test
