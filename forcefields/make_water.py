#!/usr/bin/python3
"""Makes tip3p.xml, tip4pew.xml, spce.xml and opc.xml (water and monovalent ions) and mbondi2.xml, mbondi3.xml (GB radii) from the
published numbers below.

  make_water.py [--check]
"""
import math
import sys

from common import KCAL, MASSES, Writer, number, sigma

JOUNG = ["Ions: Joung and Cheatham, J. Phys. Chem. B 112, 9020 (2008), for this water."]
SENGUPTA = ["Ions: Sengupta, Li, Song, Li and Merz, J. Chem. Inf. Model. 61, 869 (2021), 12-6 parameters for OPC."]
# half distance of the minimum [A], well [kcal/mol]
IONS = {
    "tip3p": {"Li": (1.025, 0.0279896), "Na": (1.369, 0.0874393), "K": (1.705, 0.1936829), "Rb": (1.813, 0.3278219),
              "Cs": (1.976, 0.4065394), "F": (2.303, 0.0033640), "Cl": (2.513, 0.0355910), "Br": (2.608, 0.0586554), "I": (2.860, 0.0536816)},
    "tip4pew": {"Li": (0.808, 0.1039884), "Na": (1.226, 0.1684375), "K": (1.590, 0.2794651), "Rb": (1.709, 0.4331494),
                "Cs": (1.888, 0.3944318), "F": (2.538, 0.0015752), "Cl": (2.760, 0.0116615), "Br": (2.768, 0.0303773), "I": (2.952, 0.0417082)},
    "spce": {"Li": (0.791, 0.3367344), "Na": (1.212, 0.3526418), "K": (1.593, 0.4297054), "Rb": (1.737, 0.4451036),
             "Cs": (2.021, 0.0898565), "F": (2.257, 0.0074005), "Cl": (2.711, 0.0127850), "Br": (2.751, 0.0269586), "I": (2.919, 0.0427845)},
    "opc": {"Li": (1.242, 0.00216058), "Na": (1.467, 0.02960343), "K": (1.702, 0.13953816), "Rb": (1.818, 0.22795460),
            "Cs": (1.960, 0.35308749), "F": (1.840, 0.24650465), "Cl": (2.360, 0.67878870), "Br": (2.499, 0.75971103), "I": (2.900, 0.90300541)},
}
# O-H [A], H-O-H [degrees], O-M [A], charge of H, half distance of the minimum [A], well [kcal/mol]
WATERS = {
    "tip3p": ((0.9572, 104.52, None, 0.417, 1.7683, 0.1520),
              ["TIP3P water with Amber's rounding: Jorgensen, Chandrasekhar, Madura, Impey and Klein, J. Chem. Phys. 79, 926 (1983)."] + JOUNG),
    "tip4pew": ((0.9572, 104.52, 0.125, 0.52422, 3.16435 * 2 ** (1 / 6) / 2, 0.16275),
                ["TIP4P-Ew water: Horn, Swope, Pitera, Madura, Dick, Hura and Head-Gordon, J. Chem. Phys. 120, 9665 (2004)."] + JOUNG),
    "spce": ((1.0, 2 * math.degrees(math.asin(math.sqrt(2 / 3))), None, 0.4238, 3.16572 * 2 ** (1 / 6) / 2, 0.1553),
             ["SPC/E water: Berendsen, Grigera and Straatsma, J. Phys. Chem. 91, 6269 (1987), with Amber's rounding."] + JOUNG),
    "opc": ((0.87243313, 2 * math.degrees(math.asin(1.37120510 / 2 / 0.87243313)), 0.15939833, 0.679142, 1.777167268, 0.2128008130),
            ["OPC water: Izadi, Anandakrishnan and Onufriev, J. Phys. Chem. Lett. 5, 3863 (2014), with the digits of Amber."] + SENGUPTA),
}
BOND, ANGLE = 2 * 553.0 * KCAL * 100, 2 * 100.0 * KCAL  # Amber's: water is rigid in every model, these act if it is not
CHARGES = {"Li": 1, "Na": 1, "K": 1, "Rb": 1, "Cs": 1, "F": -1, "Cl": -1, "Br": -1, "I": -1}


def water(name, check):
    (oh, angle, om, charge, half, well), lines = WATERS[name]
    lines = [f"Made by make_water.py. {lines[0]}"] + lines[1:]
    out = Writer(name + ".xml", lines)
    angle = math.radians(angle)
    o, h, m = name + "-O", name + "-H", name + "-M"

    def types():
        out.element("Type", name=o, **{"class": o}, element="O", mass=16.0)
        out.element("Type", name=h, **{"class": h}, element="H", mass=1.008)
        if om:
            out.element("Type", name=m, **{"class": m}, mass=0)
        for ion in IONS[name]:
            out.element("Type", name=f"{name}-{ion}", **{"class": f"{name}-{ion}"}, element=ion, mass=MASSES[ion])

    def molecule():
        out.element("Atom", name="O", type=o, charge=number(0 if om else -2 * charge))
        out.element("Atom", name="H1", type=h, charge=number(charge))
        out.element("Atom", name="H2", type=h, charge=number(charge))
        if om:
            out.element("Atom", name="M", type=m, charge=number(-2 * charge))
            w = om / (2 * oh * math.cos(angle / 2))
            out.element("VirtualSite", type="average3", siteName="M", atomName1="O", atomName2="H1", atomName3="H2",
                        weight1=number(1 - 2 * w), weight2=number(w), weight3=number(w))
        out.element("Bond", atomName1="O", atomName2="H1")
        out.element("Bond", atomName1="O", atomName2="H2")

    def residues():
        out.element("Residue", molecule, name="HOH")
        for ion in IONS[name]:
            out.element("Residue", lambda ion=ion: out.element("Atom", name=ion.upper(), type=f"{name}-{ion}", charge=CHARGES[ion]), name=ion.upper())

    def atoms():
        out.element("UseAttributeFromResidue", name="charge")
        out.element("Atom", type=o, sigma=sigma(half), epsilon=number(well * KCAL))
        out.element("Atom", type=h, sigma=1, epsilon=0)
        if om:
            out.element("Atom", type=m, sigma=1, epsilon=0)
        for ion, (r, e) in IONS[name].items():
            out.element("Atom", type=f"{name}-{ion}", sigma=sigma(r), epsilon=number(e * KCAL))

    out.element("AtomTypes", types)
    out.element("Residues", residues)
    out.element("HarmonicBondForce", lambda: out.element("Bond", type1=o, type2=h, length=number(oh / 10), k=number(BOND)))
    out.element("HarmonicAngleForce",
                lambda: out.element("Angle", type1=h, type2=o, type3=h, angle=number(angle), k=number(ANGLE)))
    out.element("NonbondedForce", atoms, coulomb14scale=number(1 / 1.2), lj14scale=0.5)
    return out.end(check)


BONDI = {"H": 1.2, "C": 1.7, "N": 1.55, "O": 1.5, "F": 1.5, "Si": 2.1, "P": 1.85, "S": 1.8, "Cl": 1.7}
SCREEN = {"H": 0.85, "C": 0.72, "N": 0.79, "O": 0.85, "F": 0.88, "P": 0.86, "S": 0.96}


def radii(name, check):
    lines = [f"Made by make_water.py. GB radii {name}; the last rule that fits an atom counts. uplift's own element: other programs pass it over.",
             "mbondi2: Onufriev, Bashford and Case, Proteins 55, 383 (2004), and Bondi, J. Phys. Chem. 68, 441 (1964);",
             "screening factors: Hawkins, Cramer and Truhlar, J. Phys. Chem. 100, 19824 (1996)."]
    if name == "mbondi3":
        lines.insert(2, "mbondi3: Nguyen, Roe and Simmerling, J. Chem. Theory Comput. 9, 2020 (2013);")
    out = Writer(name + ".xml", lines)

    def rules():
        out.element("Radius", radius=0.15, scale=0.8)
        for element, r in BONDI.items():
            out.element("Radius", element=element, radius=number(r / 10), scale=SCREEN.get(element, 0.8))
        out.element("Radius", element="H", bondedTo="N", radius=0.13)
        if name == "mbondi3":
            for residue, atoms in (("ASP", ("OD1", "OD2")), ("GLU", ("OE1", "OE2"))):
                for atom in atoms:
                    out.element("Radius", residue=residue, atom=atom, radius=0.14)
            for atom in ("O", "OXT"):
                out.element("Radius", atom=atom, where="c-terminus", radius=0.14)
            for atom in ("HE", "HH11", "HH12", "HH21", "HH22"):
                out.element("Radius", residue="ARG", atom=atom, radius=0.117)

    out.element("GBRadii", rules)
    return out.end(check)


if __name__ == "__main__":
    check = "--check" in sys.argv
    results = [water(w, check) for w in WATERS] + [radii(r, check) for r in ("mbondi2", "mbondi3")]
    sys.exit(0 if all(results) else 1)
