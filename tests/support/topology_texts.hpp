#pragma once
// Small topologies of GROMACS and CHARMM as texts, for tests that change them.
#include <string>

namespace uplift::test {

/// A chain of five atoms with every kind of interaction that the reader knows, and two waters of four sites.
inline std::string gromacs_text() {
  return R"(* a title as in files that come from CHARMM
; a comment
#define angle_AB 109.5 400.0
#define LONG
[ defaults ]
1 2 yes 0.5 0.8333

[ atomtypes ]
A   BA 6 12.011 0.1 A 0.34 0.36
B   BB 7 14.007 -0.2 A 0.33 0.71
HX  BH 1 1.008 0.05 A 0.26 0.07
OW  8 15.999 0.0 A 0.315 0.636
HW  1 1.008 0.0 A 0.0 0.0
MW  0 0.0 0.0 V 0.0 0.0

[ nonbond_params ]
A OW 1 0.30 0.50
[ pairtypes ]
A B 1 0.31 0.22

[ bondtypes ]
BA BB 1 0.15 250000
BA BA 1 0.153 224000
BA BH 1 0.109 284000
[ constrainttypes ]
BA BH 1 0.109
[ angletypes ]
BA BB BA 1 115 500
BH BA BB 5 110 300 0.21 1500
BA BA BB 1 112 450
[ dihedraltypes ]
X BB BA X 9 180 2.0 2
X BB BA X 9 0 1.0 3
BH BA BB BA 9 0 4.0 1
BA BH 2 0 150
BA BB BA BA 3 1.0 2.0 -3.0 4.0 0.5 0.25
[ cmaptypes ]
BH BA BB BA BA 1 4 4 \
1 2 3 4 \
5 6 7 8 \
4 3 2 1 8 7 6 5

[ moleculetype ]
CHAIN 3
[ atoms ]
1 HX 1 RES H1 1 0.05 1.008
2 A  1 RES C1 1
3 B  1 RES N1 2 -0.2
4 A  2 RES C2 2 0.1 12.011
5 A  2 RES C3 2 0.1 12.011
[ bonds ]
1 2 1
2 3 1
3 4 1
4 5 1 0.153 224000 0.153 224000
[ pairs ]
1 4 1
2 5 1
1 5 2 0.5 0.05 0.1 0.3 0.2
[ angles ]
1 2 3 5
2 3 4 1
3 4 5 1 angle_AB
[ dihedrals ]
1 2 3 4 9
2 3 4 5 3
2 3 4 5 5 1.0 2.0 3.0 4.0
1 2 3 4 4 180 4.6 2
[ dihedrals ]
2 1 3 5 2 10 150
[ cmap ]
1 2 3 4 5 1
#ifdef POSRES
[ position_restraints ]
2 1 1000 1000 1000
#endif

[ moleculetype ]
SOL 2
[ atoms ]
1 OW 1 SOL OW 1 0.0
2 HW 1 SOL HW1 1 0.52
3 HW 1 SOL HW2 1 0.52
4 MW 1 SOL MW 1 -1.04
#ifndef FLEXIBLE
[ settles ]
1 1 0.09572 0.15139
#else
[ bonds ]
1 2 1 0.09572 502416
1 3 1 0.09572 502416
[ angles ]
2 1 3 1 104.52 628.02
#endif
[ virtual_sites3 ]
4 1 2 3 1 0.128012 0.128012
[ exclusions ]
1 2 3 4
2 1 3 4
3 1 2 4
4 1 2 3

[ system ]
a chain in water
[ molecules ]
CHAIN 1
SOL 2
)";
}

inline std::string gro_text() {
  return "chain t= 1.5 step= 10\n 3\n"
         "    1SOL     OW    1   0.126   1.624   1.679  0.1227 -0.0580  0.0434\n"
         "    1SOL    HW1    2   0.190   1.661   1.747  0.8085  0.3191 -0.7791\n"
         "    1SOL    HW2    3   0.177   1.568   1.613 -0.9045 -2.6469  1.3180\n"
         "   1.82060   1.82060   1.82060   0.00000   0.00000   0.40000   0.00000   0.30000  -0.20000\n";
}

/// Glycine-like chain of six atoms with an improper, a map, and a water with its H-H bond.
inline std::string psf_text() {
  return R"(PSF EXT CMAP XPLOR

       2 !NTITLE
 REMARKS a chain
 REMARKS and a water

       9 !NATOM
       1 PEP      1        GLY      C        C       0.510000       12.0110           0
       2 PEP      1        GLY      N        NH1    -0.470000       14.0070           0
       3 PEP      1        GLY      CA       CT1     0.070000       12.0110           0
       4 PEP      1        GLY      C2       C       0.510000       12.0110           0
       5 PEP      2A       GLY      N2       NH1    -0.470000       14.0070           0
       6 PEP      2A       GLY      O        O      -0.150000       15.9990           0
       7 WAT      1        TIP3     OH2      OT     -0.834000       15.9994           0
       8 WAT      1        TIP3     H1       HT      0.417000        1.0080           0
       9 WAT      1        TIP3     H2       HT      0.417000        1.0080           0

       8 !NBOND: bonds
       1       2       2       3       3       4       4       5
       4       6       7       8       7       9       8       9

       6 !NTHETA: angles
       1       2       3       2       3       4       3       4       5
       3       4       6       5       4       6       8       7       9

       3 !NPHI: dihedrals
       1       2       3       4       2       3       4       5
       2       3       4       6

       1 !NIMPHI: impropers
       4       3       5       6

       0 !NDON: donors


       0 !NACC: acceptors


       0 !NNB

       0       0       0       0       0       0       0       0
       0

       1       0 !NGRP NST2
       0       1       0

       1 !NCRTERM: cross-terms
       1       2       3       4       2       3       4       5

)";
}

inline std::string prm_text() {
  std::string text = R"(* parameters
*
ATOMS
MASS     1 C     12.01100 C
MASS     2 NH1   14.00700 N
MASS     3 CT1   12.01100 C
MASS     4 O     15.99900 O
MASS     5 OT    15.99940 O
MASS     6 HT     1.00800 H

BONDS
C    NH1   370.0  1.345 ! comment
NH1  CT1   320.0  1.430
CT1  C     250.0  1.490
C    O     620.0  1.230
OT   HT    450.0  0.9572
HT   HT    0.0    1.5139

ANGLES
C   NH1 CT1   50.0  120.0
NH1 CT1 C     50.0  107.0
CT1 C   NH1   80.0  116.5
CT1 C   O     80.0  121.0
NH1 C   O     80.0  122.5
HT  OT  HT    55.0  104.52  25.0 1.6

DIHEDRALS
C   NH1 CT1 C    0.2  1  180.0
C   NH1 CT1 C    0.3  2    0.0
X   CT1 C   X    0.05 6  180.0
NH1 CT1 C   NH1  0.6  1    0.0

IMPROPER
C   X   X   O    120.0  0  0.0

CMAP
C NH1 CT1 C NH1 CT1 C NH1 4
 0.1 0.2 0.3 0.4 0.5
 0.6 0.7 0.8 0.9 1.0
 1.1 1.2 1.3 1.4 1.5 1.6

NONBONDED nbxmod  5 atom cdiel fshift vatom vdistance vfswitch -
cutnb 14.0 ctofnb 12.0 ctonnb 10.0 eps 1.0 e14fac 1.0 wmin 1.5
C      0.0  -0.11    2.0
NH1    0.0  -0.20    1.85   0.0  -0.20   1.55
CT1    0.0  -0.032   2.0    0.0  -0.01   1.9
O      0.0  -0.12    1.70   0.0  -0.12   1.40
OT     0.0  -0.1521  1.7682
HT     0.0  -0.046   0.2245

NBFIX
O  OT  -0.2  3.3

HBOND CUTHB 0.5

END
)";
  return text;
}

}  // namespace uplift::test
