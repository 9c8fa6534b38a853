#!/usr/bin/python3
"""Makes amber14sb.xml from the ff14SB that OpenMM carries (Debian package python3-simtk, or openmm from PyPI; MIT licence), whose
numbers are those of AmberTools.

  import_ff14sb.py [--check]      exit status 77: there is no OpenMM; 1 with --check: the file differs
"""
import os
import sys
import xml.etree.ElementTree as ET

from common import KCAL, RMIN, Writer, number, recover

PLACES = ("/usr/lib/python3/dist-packages/openmm/app/data", "/usr/lib/python3/dist-packages/simtk/openmm/app/data")


def find():
    places = list(PLACES)
    try:
        import openmm.app
        places.insert(0, os.path.join(os.path.dirname(openmm.app.__file__), "data"))
    except ImportError:
        pass
    for place in places:
        path = os.path.join(place, "amber14", "protein.ff14SB.xml")
        if os.path.exists(path):
            return path
    return None


def main():
    path = find()
    if not path:
        print("skipped: there is no OpenMM with amber14/protein.ff14SB.xml (Debian: python3-simtk)")
        return 77
    root = ET.parse(path).getroot()
    out = Writer("amber14sb.xml", [
        "Amber ff14SB for proteins, made by import_ff14sb.py from the file that OpenMM carries (MIT licence; from AmberTools' leaprc.protein.ff14SB).",
        "Cite: Maier, Martinez, Kasavajhala, Wickstrom, Hauser and Simmerling, J. Chem. Theory Comput. 11, 3696 (2015).",
        "Water and ions are in files of their own (tip3p, tip4pew, spce, opc)."])
    short = lambda name: name.replace("protein-", "")

    def specs(node, count):
        found = {}
        for n in range(1, count + 1):
            kind = "type" if f"type{n}" in node.attrib else "class"
            found[f"class{n}"] = short(node.get(f"{kind}{n}"))
        return found

    def types():
        for t in root.find("AtomTypes"):
            assert short(t.get("name")) == t.get("class"), t.attrib
            out.element("Type", name=t.get("class"), **{"class": t.get("class")}, element=t.get("element"), mass=number(float(t.get("mass"))))

    def residue(r):
        for a in r.findall("Atom"):
            out.element("Atom", name=a.get("name"), type=short(a.get("type")), charge=number(float(a.get("charge"))))
        for b in r.findall("Bond"):
            out.element("Bond", atomName1=b.get("atomName1"), atomName2=b.get("atomName2"))
        for b in r.findall("ExternalBond"):
            out.element("ExternalBond", atomName=b.get("atomName"))

    def residues():
        for r in root.find("Residues"):
            out.element("Residue", lambda: residue(r), name=r.get("name"))

    def bonds():
        for b in root.find("HarmonicBondForce"):
            k = 200 * KCAL * recover(float(b.get("k")), 200 * KCAL, 2, 10)
            out.element("Bond", **specs(b, 2), length=number(float(b.get("length"))), k=number(k))

    def angles():
        for a in root.find("HarmonicAngleForce"):
            k = 2 * KCAL * recover(float(a.get("k")), 2 * KCAL, 3, 10)
            out.element("Angle", **specs(a, 3), angle=number(float(a.get("angle"))), k=number(k))

    def torsions():
        for t in root.find("PeriodicTorsionForce"):
            terms = {}
            for n in range(1, 10):
                if f"phase{n}" in t.attrib:
                    terms.update({f"periodicity{n}": t.get(f"periodicity{n}"), f"phase{n}": number(float(t.get(f"phase{n}"))),
                                  f"k{n}": number(float(t.get(f"k{n}")))})
            out.element(t.tag, **specs(t, 4), **terms)

    def atoms():
        out.element("UseAttributeFromResidue", name="charge")
        for a in root.find("NonbondedForce").findall("Atom"):
            half = recover(float(a.get("sigma")), RMIN / 10, 4, 10) if float(a.get("epsilon")) else 0
            well = KCAL * recover(float(a.get("epsilon")), KCAL, 5, 10)
            out.element("Atom", type=short(a.get("type")), sigma=number(half * RMIN / 10), epsilon=number(well))

    out.element("AtomTypes", types)
    out.element("Residues", residues)
    out.element("HarmonicBondForce", bonds)
    out.element("HarmonicAngleForce", angles)
    out.element("PeriodicTorsionForce", torsions, ordering="amber")
    out.element("NonbondedForce", atoms, coulomb14scale=number(1 / 1.2), lj14scale=0.5)
    return 0 if out.end("--check" in sys.argv) else 1


if __name__ == "__main__":
    sys.exit(main())
