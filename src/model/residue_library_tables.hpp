#pragma once
// Ideal side chains in internal coordinates: "atom, three atoms before it, bond length [A], angle, torsion [degrees]", and the
// hydrogens of each heavy atom ("*": planar). Lengths and angles: Engh and Huber, Acta Crystallogr. A 47, 392 (1991), tables 1
// and 3; torsions: common rotamers of Lovell, Word, Richardson and Richardson, Proteins 40, 389 (2000), rounded to where
// staggered bonds and planes have them. Names: PDB format 3.3; variants: Amber's.
#include <array>
#include <string_view>
#include <utility>

namespace uplift::tables {

struct ResidueRow {
  const char* name;
  char letter;
  std::string_view side_chain;  ///< from CG on; CB is the same for all
  std::string_view bonds;       ///< those that close rings
  std::string_view hydrogens;
};

inline constexpr auto amino_acids = std::to_array<ResidueRow>({
    {"GLY", 'G', "", "", "HA2,HA3@CA"},
    {"ALA", 'A', "", "", "HB1,HB2,HB3@CB"},
    {"VAL", 'V', "CG1 N CA CB 1.521 110.5 180;CG2 N CA CB 1.521 110.5 -57", "", "HB@CB HG11,HG12,HG13@CG1 HG21,HG22,HG23@CG2"},
    {"LEU", 'L', "CG N CA CB 1.530 116.3 -65;CD1 CA CB CG 1.521 110.7 175;CD2 CA CB CG 1.521 110.7 -63", "",
     "HB2,HB3@CB HG@CG HD11,HD12,HD13@CD1 HD21,HD22,HD23@CD2"},
    {"ILE", 'I', "CG1 N CA CB 1.530 110.4 -60;CG2 N CA CB 1.521 110.5 177;CD1 CA CB CG1 1.513 113.8 170", "",
     "HB@CB HG12,HG13@CG1 HG21,HG22,HG23@CG2 HD11,HD12,HD13@CD1"},
    {"MET", 'M', "CG N CA CB 1.520 114.1 -65;SD CA CB CG 1.803 112.7 180;CE CB CG SD 1.791 100.9 -70", "",
     "HB2,HB3@CB HG2,HG3@CG HE1,HE2,HE3@CE"},
    {"PRO", 'P', "CG N CA CB 1.492 104.5 28;CD CA CB CG 1.503 106.1 -33", "CD-N", "HB2,HB3@CB HG2,HG3@CG HD2,HD3@CD"},
    {"PHE", 'F',
     "CG N CA CB 1.502 113.8 -65;CD1 CA CB CG 1.384 120.7 90;CD2 CA CB CG 1.384 120.7 -90;CE1 CB CG CD1 1.382 120.7 180;"
     "CE2 CB CG CD2 1.382 120.7 180;CZ CG CD1 CE1 1.382 120.0 0",
     "CE2-CZ", "HB2,HB3@CB HD1@CD1* HD2@CD2* HE1@CE1* HE2@CE2* HZ@CZ*"},
    {"TYR", 'Y',
     "CG N CA CB 1.512 113.8 -65;CD1 CA CB CG 1.389 120.8 90;CD2 CA CB CG 1.389 120.8 -90;CE1 CB CG CD1 1.382 121.2 180;"
     "CE2 CB CG CD2 1.382 121.2 180;CZ CG CD1 CE1 1.378 119.6 0;OH CD1 CE1 CZ 1.376 119.9 180",
     "CE2-CZ", "HB2,HB3@CB HD1@CD1* HD2@CD2* HE1@CE1* HE2@CE2* HH@OH"},
    {"TRP", 'W',
     "CG N CA CB 1.498 113.6 -65;CD1 CA CB CG 1.365 126.9 90;CD2 CA CB CG 1.433 126.8 -90;NE1 CB CG CD1 1.374 110.2 180;"
     "CE2 CB CG CD2 1.409 107.2 180;CE3 CB CG CD2 1.398 133.9 0;CZ2 CG CD2 CE2 1.394 122.4 180;CZ3 CG CD2 CE3 1.382 118.6 180;"
     "CH2 CD2 CE2 CZ2 1.368 117.5 0",
     "NE1-CE2 CZ3-CH2", "HB2,HB3@CB HD1@CD1* HE1@NE1* HE3@CE3* HZ2@CZ2* HZ3@CZ3* HH2@CH2*"},
    {"SER", 'S', "OG N CA CB 1.417 111.1 60", "", "HB2,HB3@CB HG@OG"},
    {"THR", 'T', "OG1 N CA CB 1.433 109.6 60;CG2 N CA CB 1.521 110.5 -60", "", "HB@CB HG1@OG1 HG21,HG22,HG23@CG2"},
    {"CYS", 'C', "SG N CA CB 1.808 114.4 -65", "", "HB2,HB3@CB HG@SG"},
    {"ASN", 'N', "CG N CA CB 1.516 112.6 -65;OD1 CA CB CG 1.231 120.8 -20;ND2 CA CB CG 1.328 116.4 160", "",
     "HB2,HB3@CB HD21,HD22@ND2*"},
    {"GLN", 'Q',
     "CG N CA CB 1.520 114.1 -65;CD CA CB CG 1.516 112.6 180;OE1 CB CG CD 1.231 120.8 0;NE2 CB CG CD 1.328 116.4 180", "",
     "HB2,HB3@CB HG2,HG3@CG HE21,HE22@NE2*"},
    {"ASP", 'D', "CG N CA CB 1.516 112.6 -65;OD1 CA CB CG 1.249 118.4 0;OD2 CA CB CG 1.249 118.4 180", "", "HB2,HB3@CB"},
    {"GLU", 'E',
     "CG N CA CB 1.520 114.1 -65;CD CA CB CG 1.516 112.6 180;OE1 CB CG CD 1.249 118.4 0;OE2 CB CG CD 1.249 118.4 180", "",
     "HB2,HB3@CB HG2,HG3@CG"},
    {"LYS", 'K',
     "CG N CA CB 1.520 114.1 -65;CD CA CB CG 1.520 111.3 180;CE CB CG CD 1.520 111.3 180;NZ CG CD CE 1.489 111.9 180", "",
     "HB2,HB3@CB HG2,HG3@CG HD2,HD3@CD HE2,HE3@CE HZ1,HZ2,HZ3@NZ"},
    {"ARG", 'R',
     "CG N CA CB 1.520 114.1 -65;CD CA CB CG 1.520 111.3 180;NE CB CG CD 1.460 112.0 180;CZ CG CD NE 1.329 124.2 180;"
     "NH1 CD NE CZ 1.326 120.0 0;NH2 CD NE CZ 1.326 120.0 180",
     "", "HB2,HB3@CB HG2,HG3@CG HD2,HD3@CD HE@NE* HH11,HH12@NH1* HH21,HH22@NH2*"},
    {"HIS", 'H',
     "CG N CA CB 1.497 113.8 -65;ND1 CA CB CG 1.378 122.7 -80;CD2 CA CB CG 1.354 131.2 100;CE1 CB CG ND1 1.321 109.0 180;"
     "NE2 CB CG CD2 1.374 107.2 180",
     "CE1-NE2", "HB2,HB3@CB HD2@CD2* HE1@CE1* HE2@NE2*"},
});

/// ACE and NME have no CA: their geometry is given where chains are built.
inline constexpr auto caps = std::to_array<ResidueRow>({
    {"ACE", 0, "", "CH3-C C-O", "H1,H2,H3@CH3"},
    {"NME", 0, "", "N-C", "H@N* H1,H2,H3@C"},
    {"NHE", 0, "", "", "HN1,HN2@N*"},
});

struct VariantRow {
  const char* name;
  const char* of;
  std::string_view hydrogens;  ///< in place of the parent's; "-@X": X has none
};
inline constexpr auto variants = std::to_array<VariantRow>({
    {"HID", "HIS", "HD1@ND1* -@NE2"},
    {"HIE", "HIS", "HE2@NE2*"},
    {"HIP", "HIS", "HD1@ND1* HE2@NE2*"},
    {"ASH", "ASP", "HD2@OD2"},
    {"GLH", "GLU", "HE2@OE2"},
    {"LYN", "LYS", "HZ2,HZ3@NZ"},
    {"CYX", "CYS", "-@SG"},
    {"CYM", "CYS", "-@SG"},
});

inline constexpr auto aliases = std::to_array<std::pair<const char*, const char*>>({
    {"HSD", "HID"},  {"HSE", "HIE"},  {"HSP", "HIP"},  {"HISD", "HID"}, {"HISE", "HIE"}, {"HISH", "HIP"}, {"ASPP", "ASH"},
    {"ASPH", "ASH"}, {"GLUP", "GLH"}, {"GLUH", "GLH"}, {"LSN", "LYN"},  {"CYS2", "CYX"}, {"CYN", "CYM"},  {"NH2", "NHE"},
    {"NAC", "NME"},  {"NMA", "NME"},  {"CT3", "NME"},  {"RA", "A"},     {"RC", "C"},     {"RG", "G"},     {"RU", "U"},
    {"ADE", "A"},    {"CYT", "C"},    {"GUA", "G"},    {"URA", "U"},    {"THY", "DT"},
});

inline constexpr std::string_view sugar_phosphate =
    "P-OP1 P-OP2 P-O5' O5'-C5' C5'-C4' C4'-O4' C4'-C3' C3'-O3' C3'-C2' C2'-C1' C1'-O4'";
#define UPLIFT_ADENINE "C1'-N9 N9-C8 C8-N7 N7-C5 C5-C6 C6-N6 C6-N1 N1-C2 C2-N3 N3-C4 C4-C5 C4-N9"
#define UPLIFT_GUANINE "C1'-N9 N9-C8 C8-N7 N7-C5 C5-C6 C6-O6 C6-N1 N1-C2 C2-N2 C2-N3 N3-C4 C4-C5 C4-N9"
#define UPLIFT_CYTOSINE "C1'-N1 N1-C2 C2-O2 C2-N3 N3-C4 C4-N4 C4-C5 C5-C6 C6-N1"
inline constexpr auto nucleotides = std::to_array<ResidueRow>({
    {"A", 0, "", UPLIFT_ADENINE, ""},
    {"C", 0, "", UPLIFT_CYTOSINE, ""},
    {"G", 0, "", UPLIFT_GUANINE, ""},
    {"U", 0, "", "C1'-N1 N1-C2 C2-O2 C2-N3 N3-C4 C4-O4 C4-C5 C5-C6 C6-N1", ""},
    {"DA", 0, "", UPLIFT_ADENINE, ""},
    {"DC", 0, "", UPLIFT_CYTOSINE, ""},
    {"DG", 0, "", UPLIFT_GUANINE, ""},
    {"DT", 0, "", "C1'-N1 N1-C2 C2-O2 C2-N3 N3-C4 C4-O4 C4-C5 C5-C7 C5-C6 C6-N1", ""},
});
#undef UPLIFT_ADENINE
#undef UPLIFT_GUANINE
#undef UPLIFT_CYTOSINE

inline constexpr auto water_names =
    std::to_array<std::string_view>({"HOH",   "WAT", "SOL", "H2O", "TIP",  "TIP3", "TP3",  "TIP3P", "TIP4", "TP4",
                                     "TIP4P", "T4E", "OPC", "SPC", "SPCE", "DOD",  "TIP5", "TP5",   "T3P",  "T4P"});

}  // namespace uplift::tables
