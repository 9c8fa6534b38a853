#!/usr/bin/python3
"""Shipped force fields: as their importers make them, and the same energies as the prmtop files of inputs/, which OpenMM's ff99SB-ILDN
made.

  check_forcefields.py UPLIFT

The dipeptide must agree in every term. In the protein the dihedral term differs where the files do: OpenMM's ILDN torsions have other
digits and phases (a constant for each), and its order of the atoms in impropers is not Amber's; there the sum over all other terms counts.
Structures come from the prmtop files by ParmEd (Debian: python3-parmed); without it that part is skipped.
"""
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")


def check_importers():
    done = 0
    for script in ("import_amber99sb_ildn.py", "import_ff14sb.py", "make_water.py"):
        run = subprocess.run([sys.executable, os.path.join(ROOT, "forcefields", script), "--check"], capture_output=True, text=True)
        print(run.stdout.strip())
        if run.returncode not in (0, 77):
            sys.exit(f"{script} makes another file: run it and look at the difference\n{run.stderr}")
        done += run.returncode == 0
    return done


def energies(uplift, folder, name, system, forces):
    path = os.path.join(folder, name)
    with open(path + ".yaml", "w") as f:
        f.write(f"version: 1\nsystem: {system}\nforces: {forces}\ncompute: {{precision: double, backend: cpu}}\n")
    run = subprocess.run([uplift, "energy", path + ".yaml", "--json", path + ".json"], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"uplift failed: {run.stderr}")
    with open(path + ".json") as f:
        return json.load(f)["energies"]


def compare(uplift, folder, name, field, forces, exempt):
    import parmed
    import parmed.tools
    for suffix in ("prmtop", "inpcrd"):
        source = os.path.join(ROOT, "inputs", name, f"system.{suffix}")
        with (open(source, "rb") if os.path.exists(source) else gzip.open(source + ".gz")) as i, open(f"{folder}/a.{suffix}", "wb") as o:
            shutil.copyfileobj(i, o)
    system = parmed.load_file(f"{folder}/a.prmtop", f"{folder}/a.inpcrd")
    system.save(f"{folder}/a.pdb", overwrite=True)
    if any(atom.type == "Cl1" for atom in system.atoms):  # Dang's chloride: take that of Joung and Cheatham (2008) for TIP3P, as tip3p.xml has it
        parmed.tools.changeLJSingleType(system, "@%Cl1", 2.513, 0.0355910).execute()
        system.save(f"{folder}/a.prmtop", overwrite=True)
    want = energies(uplift, folder, "prmtop", "{topology: a.prmtop, coordinates: a.inpcrd}", forces)
    have = energies(uplift, folder, "xml", f"{{topology: a.pdb, coordinates: a.inpcrd, forcefield: [{field}]}}", forces)
    largest = 0
    for term, value in want.items():
        if term in exempt:
            continue
        difference = abs(have.get(term, 0) - value) / max(abs(value), 1)
        largest = max(largest, difference)
        if difference > 1e-6:
            sys.exit(f"{name}: {term} is {have.get(term, 0)} kJ/mol, by the prmtop {value}")
    print(f"{name}: {len(want) - len(exempt)} terms agree, largest difference {largest:.1e}")


def main():
    done = check_importers()
    try:
        import parmed  # noqa: F401
    except ImportError as e:
        print(f"skipped: {e}")
        return 0 if done else 77
    vacuum, periodic = "{nonbonded: no-cutoff, constraints: none}", "{nonbonded: pme, cutoff: 0.9 nm, constraints: none}"
    solvent = "{nonbonded: no-cutoff, constraints: none, implicit_solvent: {model: obc2}}"
    other = ("dihedral", "potential")
    with tempfile.TemporaryDirectory() as folder:
        compare(sys.argv[1], folder, "alanine-dipeptide-vacuum", "amber99sb-ildn", vacuum, ())
        compare(sys.argv[1], folder, "alanine-dipeptide-vacuum", "amber99sb-ildn, mbondi2", solvent, ())
        compare(sys.argv[1], folder, "alanine-dipeptide-tip3p", "amber99sb-ildn, tip3p", periodic, ())
        compare(sys.argv[1], folder, "sdf1-implicit", "amber99sb-ildn, mbondi2", solvent, other)
        compare(sys.argv[1], folder, "sdf1-tip3p", "amber99sb-ildn, tip3p", periodic, other)
    return 0


if __name__ == "__main__":
    sys.exit(main())
