#!/usr/bin/python3
"""A protein in water with salt, built by GROMACS' own tools with each of the force fields of Debian's gromacs-data that are Amber's,
CHARMM's and OPLS-AA's; energies term by term and forces by GROMACS in double precision and by uplift from the same .top and .gro.

  check_gromacs.py UPLIFT [--keep FOLDER] [--only FORCEFIELD]

Exit status 77 (skip) without gmx_d (Debian: gromacs) or h5py.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import gromacs

try:
    import h5py  # noqa: F401
    import numpy  # noqa: F401
except ImportError as missing:
    gromacs.skip(missing)

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.normpath(os.path.join(HERE, "..", "..", "inputs", "sdf1-implicit"))
RENAME = {"HIE": "HIS", "HID": "HIS", "HIP": "HIS", "CYX": "CYS"}
#          force field     pdb2gmx' water  solvate's water  box
SYSTEMS = [("amber99sb-ildn", "tip3p", "spc216.gro", "cubic"),
           ("charmm27", "tips3p", "spc216.gro", "dodecahedron"),
           ("oplsaa", "tip4p", "tip4p.gro", "octahedron")]
GRID = (128, 128, 128)


def write_pdb(uplift, folder):
    """The protein of inputs/sdf1-implicit, with the residue names of the PDB and without hydrogens."""
    run = os.path.join(folder, "protein")
    with open(run + ".yaml", "w") as f:
        f.write(f"version: 1\nsystem: {{topology: {SOURCE}/system.prmtop.gz, coordinates: {SOURCE}/system.inpcrd.gz}}\n"
                "forces: {nonbonded: no-cutoff}\nstages:\n  - {name: nothing, minimize: {max_steps: 0}}\n"
                "output: {report: false, trajectory: {every: 0 ps}, energies: {every: 0 ps}}\n")
    subprocess.run([uplift, "run", run + ".yaml", "--quiet"], check=True)
    with open(os.path.join(run, "topology.pdb")) as f, open(os.path.join(folder, "protein.pdb"), "w") as out:
        for line in f:
            if line.startswith("ATOM") and line[76:78].strip() != "H":
                out.write("ATOM  " + line[6:17] + RENAME.get(line[17:20], line[17:20]) + line[20:])
        out.write("TER\nEND\n")


def build(folder, forcefield, water, solvent, box):
    g = gromacs.gmx
    g(["pdb2gmx", "-f", "protein.pdb", "-ff", forcefield, "-water", water, "-ignh", "-o", "a.gro", "-p", "system.top"], folder)
    g(["editconf", "-f", "a.gro", "-o", "b.gro", "-d", "0.9", "-bt", box], folder)
    g(["solvate", "-cp", "b.gro", "-cs", solvent, "-o", "c.gro", "-p", "system.top"], folder)
    with open(os.path.join(folder, "ions.mdp"), "w") as f:
        f.write("integrator = steep\nnsteps = 30\ncutoff-scheme = Verlet\nrcoulomb = 0.9\nrvdw = 0.9\ncoulombtype = PME\n")
    g(["grompp", "-f", "ions.mdp", "-c", "c.gro", "-p", "system.top", "-o", "ions.tpr", "-maxwarn", "5"], folder)
    g(["genion", "-s", "ions.tpr", "-o", "d.gro", "-p", "system.top", "-neutral", "-conc", "0.1", "-seed", "7"], folder, "SOL\n")
    g(["grompp", "-f", "ions.mdp", "-c", "d.gro", "-p", "system.top", "-o", "em.tpr", "-maxwarn", "5"], folder)
    g(["mdrun", "-s", "em.tpr", "-deffnm", "em", "-c", "system.gro", "-ntmpi", "1"], folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uplift")
    parser.add_argument("--keep", help="folder for the files that are made")
    parser.add_argument("--only")
    a = parser.parse_args()
    if not gromacs.PROGRAM:
        gromacs.skip("there is no gmx_d (Debian's package gromacs)")
    good, compared = 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        top = a.keep or scratch
        os.makedirs(top, exist_ok=True)
        write_pdb(os.path.abspath(a.uplift), top)
        for forcefield, water, solvent, box in SYSTEMS:
            if a.only and a.only != forcefield:
                continue
            folder = os.path.join(top, forcefield)
            os.makedirs(folder, exist_ok=True)
            os.replace(os.path.join(top, "protein.pdb"), os.path.join(folder, "protein.pdb"))
            build(folder, forcefield, water, solvent, box)
            os.replace(os.path.join(folder, "protein.pdb"), os.path.join(top, "protein.pdb"))
            program = os.path.abspath(a.uplift)
            gromacs.write_gro(program, folder, "system.top", "system.gro", "exact.gro")
            for flexible in (False, True):
                limits = {"term": 1e-6, "force": 1e-6}
                theirs, f = gromacs.single_point(folder, "system.top", "exact.gro",
                                                 gromacs.mdp(grid=GRID, extra="define = -DFLEXIBLE\n" if flexible else ""))
                ours, g = gromacs.uplift(program, folder, "system.top", "exact.gro",
                                         gromacs.forces_block(grid=GRID, rigid_water=not flexible),
                                         ", define: [FLEXIBLE]" if flexible else "")
                compared += 1
                good += gromacs.compare(f"{forcefield}, {water}, {box}{', FLEXIBLE' if flexible else ''}: {len(f)} atoms", theirs, ours,
                                        f, g, limits)
    print(f"{good} of {compared} hold")
    return 0 if compared and good == compared else 1


if __name__ == "__main__":
    sys.exit(main())
