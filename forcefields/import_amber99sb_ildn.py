#!/usr/bin/python3
"""Makes amber99sb-ildn.xml from the force-field folder of GROMACS (Debian package gromacs-data).

  import_amber99sb_ildn.py [--check]      exit status 77: the folder is not there; 1 with --check: the file differs

GROMACS has the parameters in its units and rounded; Amber's tables have four decimals (half distances of minima in A, wells in kcal/mol,
force constants in kcal/mol), from which those follow exactly. The names of hydrogens are made those of PDB format 3.3.
"""
import math
import os
import re
import sys

from common import KCAL, RMIN, Writer, number, recover

FOLDER = "/usr/share/gromacs/top/amber99sb-ildn.ff"
# Impropers of the form X-X-centre-H: those that Amber's own program gives to atoms of these residues, and not those of nucleic acids.
RESIDUES = ("ALA ARG ASH ASN ASP CYM CYS CYX GLH GLN GLU GLY HID HIE HIP ILE LEU LYN LYS MET PHE PRO SER THR TRP TYR VAL").split()
TERMINAL = [r for r in RESIDUES if r not in ("ASH", "CYM", "GLH", "LYN")]
ELEMENTS = {1: "H", 6: "C", 7: "N", 8: "O", 16: "S"}


def sections(path):
    """(section, words) of each line; #defines are kept apart."""
    defines, rows, section = {}, [], None
    with open(path) as f:
        for line in f:
            line = line.split(";")[0].strip()
            if line.startswith("#define"):
                _, name, *values = line.split()
                defines[name] = values
            elif line.startswith("["):
                section = line.strip("[] \t")
            elif line and not line.startswith("#"):
                rows.append((section, line.split()))
    return rows, defines


def read_residues():
    residues, current = {}, None
    part = None
    with open(os.path.join(FOLDER, "aminoacids.rtp")) as f:
        for line in f:
            line = line.split(";")[0]
            header = re.match(r"(\s*)\[\s*(\S+)\s*\]", line)
            if header and not header.group(1):
                current = residues.setdefault(header.group(2), {"atoms": [], "bonds": [], "dihedrals": [], "impropers": []})
                part = None
            elif header:
                part = header.group(2)
            elif line.split() and current is not None and part in current:
                current[part].append(line.split())
    return residues


def pdb_names(name, residue):
    """GROMACS's atom names to those of the PDB."""
    atoms = [a[0] for a in residue["atoms"]]
    hydrogens = {a: [] for a in atoms}
    for i, j in residue["bonds"]:
        for a, b in ((i, j), (j, i)):
            if a in hydrogens and b in hydrogens and b[0] == "H":
                hydrogens[a].append(b)
    new = {a: a for a in atoms}
    for heavy, list_ in hydrogens.items():
        if heavy[0] == "H" or len(list_) != 2 or heavy in ("NH1", "NH2", "ND2", "NE2"):
            continue
        for h in list_:  # HB1, HB2 are HB2, HB3
            if h[-1] in "12":
                new[h] = h[:-1] + str(int(h[-1]) + 1)
    for a in atoms:
        if a in ("OC1", "OC2"):
            new[a] = {"OC1": "O", "OC2": "OXT"}[a]
        if "ILE" in name and a == "CD":
            new[a] = "CD1"
        if "ILE" in name and re.fullmatch("HD[123]", a):
            new[a] = "HD1" + a[-1]
    if name == "ACE":
        new.update({f"HH3{k}": f"H{k}" for k in "123"})
    if name == "NME":
        new.update({f"HH3{k}": f"H{k}" for k in "123"}, CH3="C")
    if name == "NHE":
        new.update(H1="HN1", H2="HN2")
    assert len(set(new.values())) == len(new), (name, new)
    return new


def own_types(residues):
    """Atoms that ILDN's torsions name by residue get types of their own, in the class of their GROMACS type."""
    types = {}
    for name, r in residues.items():
        kinds = dict((a[0], a[1]) for a in r["atoms"])
        for row in r["dihedrals"]:
            for atom in row[:4]:
                base = name[1:] if len(name) == 4 else name
                types[name, atom] = (f"{base}-{atom}", kinds[atom]) if kinds[atom] != "N3" else (f"{name}-{atom}", "N3")
    return types


def main():
    if not os.path.isdir(FOLDER):
        print(f"skipped: there is no {FOLDER} (Debian: gromacs-data)")
        return 77
    every = read_residues()
    names = ["ACE", "NME", "NHE"] + RESIDUES + ["N" + r for r in TERMINAL] + ["C" + r for r in TERMINAL]
    residues = {n: every[n] for n in names}
    special = own_types(residues)
    used = list(dict.fromkeys(a[1] for r in residues.values() for a in r["atoms"]))
    nonbonded, _ = sections(os.path.join(FOLDER, "ffnonbonded.itp"))
    bonded, defines = sections(os.path.join(FOLDER, "ffbonded.itp"))
    kinds = {w[0]: (ELEMENTS[int(w[1])], float(w[2]), float(w[5]), float(w[6])) for s, w in nonbonded if s == "atomtypes" and w[0] in used}

    out = Writer("amber99sb-ildn.xml", [
        "Amber ff99SB-ILDN for proteins, made by import_amber99sb_ildn.py from Debian's gromacs-data (amber99sb-ildn.ff). Cite:",
        "Lindorff-Larsen, Piana, Palmo, Maragakis, Klepeis, Dror and Shaw, Proteins 78, 1950 (2010), side chains (ILDN);",
        "Hornak, Abel, Okur, Strockbine, Roitberg and Simmerling, Proteins 65, 712 (2006), backbone (ff99SB);",
        "Wang, Cieplak and Kollman, J. Comput. Chem. 21, 1049 (2000), and Cornell et al., J. Am. Chem. Soc. 117, 5179 (1995), the rest.",
        "Water and ions are in files of their own (tip3p, tip4pew, spce, opc)."])

    def types():
        for kind in used:
            element, mass, _, _ = kinds[kind]
            out.element("Type", name=kind, **{"class": kind}, element=element, mass=number(mass))
        for name, kind in dict.fromkeys(special.values()):
            element, mass, _, _ = kinds[kind]
            out.element("Type", name=name, **{"class": kind}, element=element, mass=number(mass))

    def residue(name, r):
        new = pdb_names(name, r)
        end = len(name) == 4 and name[0] == "C"
        for atom, kind, charge, *_ in r["atoms"]:
            out.element("Atom", name=new[atom], type=special.get((name, atom), (kind,))[0], charge=number(float(charge)))
        external = []
        for i, j in r["bonds"]:
            if i[0] in "+-" or j[0] in "+-":
                external.append(j if i[0] in "+-" else i)
            else:
                out.element("Bond", atomName1=new[i], atomName2=new[j])
        if "C" in new and not end and name not in ("NME", "NHE") and "C" not in external:
            external.append("C")
        if "CYX" in name and "SG" not in external:
            external.append("SG")
        if name in ("NME", "NHE") and "N" not in external:
            external.append("N")
        for atom in external:
            out.element("ExternalBond", atomName=new[atom])

    def all_residues():
        for name, r in residues.items():
            out.element("Residue", lambda: residue(name, r), name=name)

    def bonds():
        for s, w in bonded:
            if s == "bondtypes" and w[0] in used and w[1] in used:
                k = 2 * 100 * KCAL * recover(float(w[4]), 2 * 100 * KCAL, 1, 6)
                out.element("Bond", class1=w[0], class2=w[1], length=number(float(w[3])), k=number(k))

    def angles():
        for s, w in bonded:
            if s == "angletypes" and all(t in used for t in w[:3]):
                k = 2 * KCAL * recover(float(w[5]), 2 * KCAL, 2, 5)
                out.element("Angle", class1=w[0], class2=w[1], class3=w[2], angle=number(math.radians(float(w[4]))), k=number(k))

    def terms(rows):
        """phase [degrees], barrier [kJ/mol], periodicity"""
        attributes = {}
        rows = [r for r in rows if float(r[1]) != 0] or rows[:1]
        for n, (phase, k, periodicity) in enumerate(rows, 1):
            attributes[f"periodicity{n}"] = max(int(periodicity), 1)
            attributes[f"phase{n}"] = number(math.radians(float(phase)))
            attributes[f"k{n}"] = number(float(k))
        return attributes

    def torsions():
        ildn = {}
        for name, r in residues.items():
            for row in r["dihedrals"]:
                key = tuple(special[name, a][0] for a in row[:4])
                values = defines[row[4]]
                list_ = ildn.setdefault(key, [])
                if values not in list_:
                    list_.append(values)
        for key, rows in ildn.items():
            out.element("Proper", **{f"type{n}": t for n, t in enumerate(key, 1)}, **terms(rows))
        proper = {}
        for s, w in bonded:
            if s == "dihedraltypes" and w[4] == "9" and all(t in used or t == "X" for t in w[:4]):
                key = tuple(w[:4])
                proper.setdefault(key if key in proper or key[::-1] not in proper else key[::-1], []).append(
                    (w[5], barrier(w[6]), w[7]))
        for key, rows in proper.items():
            out.element("Proper", **{f"class{n}": "" if t == "X" else t for n, t in enumerate(key, 1)}, **terms(rows))
        for s, w in bonded:
            if s == "dihedraltypes" and w[4] == "4" and all(t in used or t == "X" for t in w[:4]):
                i, j, centre, last = ("" if t == "X" else t for t in w[:4])
                out.element("Improper", class1=centre, class2=i, class3=j, class4=last, **terms([(w[5], barrier(w[6]), w[7])]))

    def barrier(text):
        """Amber's tables have kcal/mol with few decimals, to be divided by the number of torsions round the bond."""
        value = float(text)
        for paths, decimals in ((1, 4), (2, 3), (3, 3), (4, 3), (6, 3), (9, 3)):
            exact = round(value / KCAL * paths, decimals) / paths * KCAL
            if abs(exact - value) < 5.1e-6:
                return exact
        raise ValueError(f"no barrier of Amber's tables is {text} kJ/mol")

    def atoms():
        out.element("UseAttributeFromResidue", name="charge")
        for kind in used:
            _, _, sigma, epsilon = kinds[kind]
            half = recover(sigma, RMIN / 10, 4, 6)
            well = KCAL * recover(epsilon, KCAL, 4, 6)
            out.element("Atom", **{"class": kind}, sigma=number(half * RMIN / 10), epsilon=number(well))

    out.element("AtomTypes", types)
    out.element("Residues", all_residues)
    out.element("HarmonicBondForce", bonds)
    out.element("HarmonicAngleForce", angles)
    out.element("PeriodicTorsionForce", torsions, ordering="amber")
    out.element("NonbondedForce", atoms, coulomb14scale=number(1 / 1.2), lj14scale=0.5)
    return 0 if out.end("--check" in sys.argv) else 1


if __name__ == "__main__":
    sys.exit(main())
