#!/usr/bin/python3
"""A PSF with CHARMM parameters against the same system from its other topology, and against OpenMM's reading of the same PSF.

  check_charmm.py UPLIFT [--prmtop FILE --coordinates FILE] [--keep FOLDER]

Without --prmtop the system is the protein of inputs/sdf1-implicit that GROMACS' pdb2gmx builds with CHARMM27 of Debian's
gromacs-data. ParmEd writes the PSF, this script the parameter file: every type that is used, with Urey-Bradley terms, impropers,
CMAP, special 1-4 parameters and NBFIX. Limit: 1e-8 of the term, what the printed digits of
the parameters leave. Exit status 77 (skip) without ParmEd, OpenMM or, without --prmtop, GROMACS.
"""
import argparse
import itertools
import os
import sys
import tempfile

import gromacs

try:
    import h5py  # noqa: F401
    import openmm
    import openmm.app
    import parmed
    import parmed.charmm
except ImportError as missing:
    gromacs.skip(missing)

KCAL = 4.184


def write_parameters(structure, path):
    """Every parameter of the structure by the types of its atoms, in CHARMM's format and units."""
    ub = {}
    for u in structure.urey_bradleys:
        ub[frozenset((u.atom1.idx, u.atom2.idx))] = u.type
    tables = {"BONDS": {}, "ANGLES": {}, "DIHEDRALS": {}, "IMPROPER": {}, "CMAP": {}}

    def put(table, atoms, values):
        names = tuple(a.type for a in atoms)
        key = min(names, names[::-1])
        old = tables[table].setdefault(key, values)
        assert old == values, (table, key, old, values)

    for b in structure.bonds:
        put("BONDS", (b.atom1, b.atom2), (b.type.k, b.type.req))
    for a in structure.angles:
        u = ub.get(frozenset((a.atom1.idx, a.atom3.idx)))
        put("ANGLES", (a.atom1, a.atom2, a.atom3), (a.type.k, a.type.theteq) + ((u.k, u.req) if u is not None and u.k else ()))
    for d in structure.dihedrals:
        terms = d.type if isinstance(d.type, list) else [d.type]
        atoms = (d.atom1, d.atom2, d.atom3, d.atom4)
        names = tuple(a.type for a in atoms)
        found = tables["DIHEDRALS"].setdefault(min(names, names[::-1]), {})
        for t in terms:
            found[int(t.per)] = (t.phi_k, int(t.per), t.phase)
    for d in structure.impropers:
        names = tuple(a.type for a in (d.atom1, d.atom2, d.atom3, d.atom4))
        tables["IMPROPER"][min(names, names[::-1])] = (d.type.psi_k, 0, d.type.psi_eq)
    for c in structure.cmaps:
        names = tuple(a.type for a in (c.atom1, c.atom2, c.atom3, c.atom4, c.atom2, c.atom3, c.atom4, c.atom5))
        tables["CMAP"][names] = c.type
    types = {a.type: a for a in structure.atoms}
    with open(path, "w") as f:
        f.write("* made by check_charmm.py\n*\n\nATOMS\n")
        for n, (name, a) in enumerate(types.items()):
            f.write(f"MASS {n + 1} {name} {a.mass!r} {a.element_name}\n")
        for part in ("BONDS", "ANGLES"):
            f.write(f"\n{part}\n! comment\n")
            for key, values in tables[part].items():
                f.write(" ".join(key) + " " + " ".join(repr(float(v)) for v in values) + "\n")
        f.write("\nDIHEDRALS\n")
        for key, terms in tables["DIHEDRALS"].items():
            for k, n, phase in terms.values():
                f.write(f"{' '.join(key)} {k!r} {n} {phase!r} ! comment\n")
        f.write("\nIMPROPER\n")
        for key, (k, n, phase) in tables["IMPROPER"].items():
            f.write(f"{' '.join(key)} {k!r} {n} {phase!r}\n")
        f.write("\nCMAP\n")
        for key, t in tables["CMAP"].items():
            f.write(f"{' '.join(key)} {t.resolution}\n")
            # ParmEd's own order, phi the slow index, from -180 degrees on in both.
            grid = [float(e) for e in t.grid]
            for at in range(0, len(grid), 5):
                f.write(" ".join(repr(e) for e in grid[at:at + 5]) + "\n")
        f.write("\nNONBONDED nbxmod 5 atom cdiel fshift vatom vdistance vfswitch -\ncutnb 14.0 ctofnb 12.0 ctonnb 10.0 eps 1.0 e14fac 1.0 wmin 1.5\n")
        for name, a in types.items():
            e14 = a.atom_type.epsilon_14 if a.atom_type is not parmed.UnassignedAtomType else a.epsilon_14
            r14 = a.atom_type.rmin_14 if a.atom_type is not parmed.UnassignedAtomType else a.rmin_14
            special = getattr(structure, "parameterset", None) and structure.parameterset.pair_types.get((name, name))
            if special:  # GROMACS keeps CHARMM's 1-4 parameters as pair types
                e14, r14 = special.epsilon, special.rmin / 2
            f.write(f"{name} 0.0 {-abs(a.epsilon)!r} {a.rmin!r} 0.0 {-abs(e14)!r} {r14!r}\n")
        write_fixes(structure, types, f)
        f.write("\nHBOND CUTHB 0.5\n\nEND\n")


def write_fixes(structure, types, f):
    """Pairs of types whose Lennard-Jones of the prmtop's table is not that of the combination rule."""
    if not hasattr(structure, "parm_data"):
        return
    data = structure.parm_data
    count = structure.ptr("ntypes")
    f.write("\nNBFIX\n")
    for (one, a), (two, b) in itertools.combinations_with_replacement(types.items(), 2):
        at = data["NONBONDED_PARM_INDEX"][count * (a.nb_idx - 1) + b.nb_idx - 1] - 1
        acoef, bcoef = data["LENNARD_JONES_ACOEF"][at], data["LENNARD_JONES_BCOEF"][at]
        if acoef == 0 or bcoef == 0:
            continue
        rmin, epsilon = (2 * acoef / bcoef)**(1 / 6), bcoef**2 / (4 * acoef)
        if abs(rmin - a.rmin - b.rmin) > 1e-4 or abs(epsilon - (a.epsilon * b.epsilon)**0.5) > 1e-4:
            f.write(f"{one} {two} {-epsilon!r} {rmin!r}\n")


def openmm_energies(psf, parameters, positions, box):
    """By our names [kJ/mol]; bonded terms only and the whole, without a cutoff."""
    psf = openmm.app.CharmmPsfFile(psf)
    system = psf.createSystem(openmm.app.CharmmParameterSet(*parameters), nonbondedMethod=openmm.app.NoCutoff, constraints=None,
                              rigidWater=False, removeCMMotion=False)
    for n, force in enumerate(system.getForces()):
        force.setForceGroup(n)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    found = {}
    for n, force in enumerate(system.getForces()):
        energy = context.getState(getEnergy=True, groups=1 << n).getPotentialEnergy()._value
        found.setdefault(force.getName() if hasattr(force, "getName") else type(force).__name__, []).append(energy)
    total = context.getState(getEnergy=True).getPotentialEnergy()._value
    return found, total


def close(name, term, expected, got, limit=1e-8):
    error = abs(expected - got) / max(1.0, abs(expected))
    print(f"  {name:32}{term:24}{expected:20.8f}{got:20.8f}{error:9.1e}{'' if error <= limit else '  FAILS'}")
    return error <= limit


def compare(uplift, folder, structure, other, coordinates):
    psf, prm = os.path.join(folder, "system.psf"), os.path.join(folder, "system.prm")
    parmed.charmm.CharmmPsfFile.from_structure(structure).write_psf(psf)
    write_parameters(structure, prm)
    block = "{nonbonded: no-cutoff, constraints: none, rigid_water: false}"
    theirs, f = gromacs.uplift(uplift, folder, other, coordinates, block)
    ours, g = gromacs.uplift(uplift, folder, psf, coordinates, block, f", parameters: [{prm}]")
    good = [close("other topology", term, theirs[term], ours.get(term, 0.0)) for term in theirs]
    with h5py.File(os.path.join(folder, "uplift.h5")) as h:
        positions = h["positions"][:]
    found, total = openmm_energies(psf, [prm], positions, None)
    good.append(close("OpenMM", "potential", total, ours["potential"]))
    print("  OpenMM has", ", ".join(f"{name} {' + '.join(f'{e:.8f}' for e in all)}" for name, all in found.items()))
    return good


def protein(uplift, folder):
    import check_gromacs
    if not gromacs.PROGRAM:
        gromacs.skip("there is no gmx_d (Debian's package gromacs)")
    check_gromacs.write_pdb(uplift, folder)
    gromacs.gmx(["pdb2gmx", "-f", "protein.pdb", "-ff", "charmm27", "-water", "none", "-ignh", "-o", "protein.gro", "-p", "protein.top"], folder)
    parmed.gromacs.GROMACS_TOPDIR = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(gromacs.PROGRAM))), "share/gromacs/top")
    top = os.path.join(folder, "protein.top")
    return parmed.gromacs.GromacsTopologyFile(top), top, os.path.join(folder, "protein.gro")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uplift")
    parser.add_argument("--prmtop")
    parser.add_argument("--coordinates")
    parser.add_argument("--keep", help="folder for the files that are made")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.abspath(a.keep or scratch)
        os.makedirs(folder, exist_ok=True)
        uplift = os.path.abspath(a.uplift)
        if a.prmtop:
            good = compare(uplift, folder, parmed.load_file(a.prmtop), os.path.abspath(a.prmtop), os.path.abspath(a.coordinates))
        else:
            good = compare(uplift, folder, *protein(uplift, folder))
    print(f"{sum(good)} of {len(good)} hold")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
