#!/usr/bin/python3
"""One molecule by every road: GROMACS topology, prmtop, structure with XML, PSF. Energies agree term by term.

  check_routes.py UPLIFT [--keep FOLDER] [--only NAME]

Alanine dipeptide and a peptide of all twenty amino acids are built by `uplift build`, a protein of 67 residues comes from inputs/.
GROMACS' pdb2gmx builds each with force fields of Debian's gromacs-data, and from its .top and .gro (moved at random by some picometres,
so that no angle is special) the others are made:

  prmtop         by `uplift convert` from the .top: Amber's own form, CHAMBER's for CHARMM
  parmed         prmtop that ParmEd writes from the .top, as one that is not ours                    (amber99sb-ildn)
  xml            the structure as PDB with uplift's own amber99sb-ildn                                (amber99sb-ildn)
  xml-prmtop     prmtop by `uplift convert` from that                                                  (amber99sb-ildn)
  psf            PSF by `uplift convert`, with a parameter file                                        (charmm27)
  parmed-psf     PSF that ParmEd writes, with the same parameter file                                  (charmm27)
  psf-prmtop     CHAMBER prmtop by `uplift convert` from ParmEd's PSF                                  (charmm27)

GROMACS' amber99sb-ildn rounds Amber's 1/1.2 of 1-4 Coulomb interactions to 0.8333, which is 4e-5 of that term, and radii to six digits,
which is 8e-6 of a Lennard-Jones term; a copy of its folder has the digits of the XML file, so that the force field is the same.
All read the same coordinates. Limit: 1e-6 of each term (or of 1 kJ/mol, where a term is less), forces 1e-6 of their rms.
Fields of a prmtop hold nine digits: a bond 0.005 nm from its length of 0.15 nm is known to 2 x 5e-9 x 0.15/0.005 = 3e-7.
OpenMM's own AmberPrmtopFile reads the plain prmtops, ParmEd CHAMBER's: the same energy and forces, too.
Exit status 77 (skip) without GROMACS, h5py or numpy; routes that want ParmEd or OpenMM are left out without them, and said.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import gromacs

warnings.simplefilter("ignore")
try:
    import h5py
    import numpy as np
except ImportError as missing:
    gromacs.skip(missing)
try:
    import openmm
    import openmm.app
except ImportError:
    openmm = None
try:
    import parmed
    import parmed.gromacs
except ImportError:
    parmed = None

LIMIT = 1e-6
SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
FORCES = "{nonbonded: no-cutoff, constraints: none, rigid_water: false}"
# The residue that caps the C terminus, and pdb2gmx' answers for "no terminus" at both ends.
CAPS = {"amber99sb-ildn": ("NME", None), "charmm27": ("CT3", "3\n5\n"), "oplsaa": ("NAC", "3\n3\n")}
MOLECULES = {"dipeptide": ("--sequence", "A", "--caps"), "peptide": ("--sequence", "ACDEFGHIKLMNPQRSTVWY"), "protein": None}
RENAME = {"HIE": "HIS", "HID": "HIS", "HIP": "HIS", "CYX": "CYS"}


def top_folder():
    return os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(gromacs.PROGRAM))), "share/gromacs/top")


def run(program, folder, *words):
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stderr}")
    return done.stdout + done.stderr


def heavy_atoms(program, folder, molecule, path):
    """The molecule without hydrogens, in the names of the PDB."""
    if MOLECULES[molecule] is None:
        import check_gromacs
        check_gromacs.write_pdb(program, folder)
        return os.replace(os.path.join(folder, "protein.pdb"), path)
    run(program, folder, "build", *MOLECULES[molecule], "--water", "none", "-o", "built", "--force")
    with open(os.path.join(folder, "built.pdb")) as f, open(path, "w") as out:
        for line in f:
            if line.startswith(("ATOM", "HETATM")) and line[76:78].strip() != "H":
                name = " CH3" if line[12:20] == " C   NME" else line[12:16]
                out.write("ATOM  " + line[6:12] + name + line[16] + RENAME.get(line[17:20], line[17:20]) + line[20:])
        out.write("TER\nEND\n")


def same_digits(folder):
    """A copy of GROMACS' amber99sb-ildn beside the topology, where pdb2gmx and all readers look first, with the digits of the XML file
    in what GROMACS rounds to four and six: the fudge factor, sigma and epsilon. They must be the same numbers but for that."""
    with open(os.path.join(SOURCE, "forcefields", "amber99sb-ildn.xml")) as f:
        xml = f.read()
    number = r"([-+0-9.eE]+)"
    fudge = re.search(f'coulomb14scale="{number}"', xml)[1]
    lj = {name: (sigma, epsilon) for name, sigma, epsilon in re.findall(f'<Atom class="([^"]+)" sigma="{number}" epsilon="{number}"/>', xml)}
    assert len(lj) > 20 and abs(float(fudge) - 0.8333) < 1e-4
    here = os.path.join(folder, "amber99sb-ildn.ff")
    shutil.copytree(os.path.join(top_folder(), "amber99sb-ildn.ff"), here, dirs_exist_ok=True)
    replaced = []

    def exact(match):
        head, name, between, sigma, gap, epsilon = match.groups()
        if name not in lj:
            return match[0]
        for theirs, ours in zip((sigma, epsilon), lj[name]):
            assert abs(float(theirs) - float(ours)) <= 5e-6 * float(ours), (name, theirs, ours)
        replaced.append(name)
        return head + name + between + lj[name][0] + gap + lj[name][1]

    for file, pattern, change in (("forcefield.itp", r"0\.8333\b", fudge), ("ffnonbonded.itp", rf"^(\s*)(\S+)(\s+\d+\s+\S+\s+\S+\s+A\s+){number}(\s+){number}", exact)):
        path = os.path.join(here, file)
        with open(path) as f:
            text, times = re.subn(pattern, change, f.read(), flags=re.M)
        assert times >= 1, file
        with open(path, "w") as f:
            f.write(text)
    assert set(replaced) == set(lj), set(lj) - set(replaced)


def build(program, folder, molecule, forcefield):
    """a.top and exact.gro: positions with twelve decimals."""
    cap, answers = CAPS[forcefield]
    if forcefield == "amber99sb-ildn":
        same_digits(folder)
    heavy_atoms(program, folder, molecule, os.path.join(folder, "names.pdb"))
    with open(os.path.join(folder, "names.pdb")) as f, open(os.path.join(folder, "heavy.pdb"), "w") as out:
        out.write(f.read().replace(" NME ", f" {cap} "))
    capped = molecule == "dipeptide" and answers
    gromacs.gmx(["pdb2gmx", "-f", "heavy.pdb", "-ff", forcefield, "-water", "none", "-ignh", "-o", "a.gro", "-p", "a.top"] + (["-ter"] if capped else []), folder,
                answers if capped else "")
    _, _ = gromacs.uplift(program, folder, "a.top", "a.gro", FORCES)
    with h5py.File(os.path.join(folder, "uplift.h5")) as f:
        x = f["positions"][:]
    x = np.round(x + np.random.default_rng(2026).normal(scale=0.003, size=x.shape), 12)
    with open(os.path.join(folder, "a.gro")) as f, open(os.path.join(folder, "exact.gro"), "w") as out:
        lines = f.read().splitlines()
        out.write("\n".join(lines[:2]) + "\n")
        for line, r in zip(lines[2:], x):
            out.write(line[:20] + "".join(f"{c:18.12f}" for c in r) + "\n")
        out.write("   0.0   0.0   0.0\n")
    return x


def routes(program, folder, forcefield):
    """Name: topology, and what else goes into the block `system`."""
    convert = lambda *words: run(program, folder, "convert", *words, "--force")
    found = {"top": ("a.top", "")}
    convert("a.top", "top.prmtop")
    found["prmtop"] = ("top.prmtop", "")
    if parmed:
        parmed.gromacs.GROMACS_TOPDIR = folder if forcefield == "amber99sb-ildn" else top_folder()
        structure = parmed.gromacs.GromacsTopologyFile(os.path.join(folder, "a.top"))
    if forcefield == "amber99sb-ildn":
        convert("a.top", "x.pdb", "--coordinates", "exact.gro")
        found["xml"] = ("x.pdb", ", forcefield: [amber99sb-ildn]")
        convert("x.pdb", "xml.prmtop", "--forcefield", "amber99sb-ildn", "--coordinates", "exact.gro")
        found["xml-prmtop"] = ("xml.prmtop", "")
        if parmed:
            structure.save(os.path.join(folder, "parmed.prmtop"), overwrite=True)
            found["parmed"] = ("parmed.prmtop", "")
    if forcefield == "charmm27" and parmed:
        import check_charmm
        check_charmm.write_parameters(structure, os.path.join(folder, "a.prm"))
        parmed.charmm.CharmmPsfFile.from_structure(structure).write_psf(os.path.join(folder, "parmed.psf"))
        convert("a.top", "top.psf")
        convert("parmed.psf", "psf.prmtop", "--parameters", "a.prm")
        with_parameters = ", parameters: [a.prm]"
        found.update({"psf": ("top.psf", with_parameters), "parmed-psf": ("parmed.psf", with_parameters), "psf-prmtop": ("psf.prmtop", "")})
    return found


def coulomb_constant():
    """OpenMM's, which changed with its versions [kJ nm/mol/e^2]."""
    system, force = openmm.System(), openmm.NonbondedForce()
    for q in (1, -1):
        system.addParticle(1)
        force.addParticle(q, 1, 0)
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions([openmm.Vec3(0, 0, 0), openmm.Vec3(1, 0, 0)])
    return -context.getState(getEnergy=True).getPotentialEnergy()._value


def other_reader(path, chamber, x, energies, forces):
    """Whether OpenMM's reader, or for CHAMBER ParmEd, gives the file the same energy and forces."""
    if not openmm or (chamber and not parmed):
        return "left out: no " + ("ParmEd" if openmm else "OpenMM"), True
    reader = parmed.load_file(path) if chamber else openmm.app.AmberPrmtopFile(path)
    system = reader.createSystem(nonbondedMethod=openmm.app.NoCutoff, constraints=None, rigidWater=False)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(x)
    state = context.getState(getEnergy=True, getForces=True)
    ratio = coulomb_constant() / 138.93545764438198
    expected = sum(e * (ratio if term.startswith("coulomb") else 1) for term, e in energies.items() if term != "potential")
    theirs, f = state.getPotentialEnergy()._value, np.array(state.getForces(asNumpy=True)._value)
    energy = abs(theirs - expected) / sum(abs(e) for e in energies.values())
    force = np.sqrt(np.mean((f - forces) ** 2) / np.mean(forces**2))
    return f"{'ParmEd' if chamber else 'OpenMM'}'s reader: energy {energy:.1e}, forces {force:.1e}", energy < LIMIT and force < LIMIT + 2 * abs(ratio - 1)


def check(program, folder, molecule, forcefield):
    x = build(program, folder, molecule, forcefield)
    results = {name: gromacs.uplift(program, folder, topology, "exact.gro", FORCES, extra)
               for name, (topology, extra) in routes(program, folder, forcefield).items()}
    reference, f = results["top"]
    good = True
    print(f"{molecule}, {forcefield}: {len(x)} atoms; " + ", ".join(f"{term} {e:.6g}" for term, e in reference.items()))
    for name, (energies, g) in results.items():
        if name == "top":
            continue
        errors = {t: abs(energies.get(t, 0) - reference.get(t, 0)) / max(1.0, abs(reference.get(t, 0))) for t in set(reference) | set(energies)}
        worst = max(errors, key=errors.get)
        force = np.sqrt(np.mean((f - g) ** 2) / np.mean(f**2))
        held = errors[worst] <= LIMIT and force <= LIMIT
        good &= held
        print(f"  {name:12}largest difference {errors[worst]:.1e} ({worst}), forces {force:.1e}{'' if held else '  FAILS'}", flush=True)
    said, held = other_reader(os.path.join(folder, "top.prmtop"), forcefield == "charmm27", x, *results["prmtop"])
    print(f"  {'':12}{said}{'' if held else '  FAILS'}", flush=True)
    with open(os.path.join(folder, "top.prmtop")) as prmtop:
        form = re.search("%FLAG C?TITLE", prmtop.read())[0]
    return good and held and form.endswith("CTITLE") == (forcefield == "charmm27")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uplift")
    parser.add_argument("--keep", help="folder for the files that are made")
    parser.add_argument("--only", help="molecule or force field")
    a = parser.parse_args()
    if not gromacs.PROGRAM:
        gromacs.skip("there is no gmx_d (Debian's package gromacs)")
    good = compared = 0
    with tempfile.TemporaryDirectory() as scratch:
        for molecule in MOLECULES:
            for forcefield in CAPS:
                if a.only and a.only not in (molecule, forcefield) or (molecule, forcefield) == ("protein", "oplsaa"):
                    continue
                folder = os.path.join(os.path.abspath(a.keep or scratch), f"{molecule}-{forcefield}")
                os.makedirs(folder, exist_ok=True)
                compared += 1
                good += check(os.path.abspath(a.uplift), folder, molecule, forcefield)
    print(f"{good} of {compared} hold")
    return 0 if compared and good == compared else 1


if __name__ == "__main__":
    sys.exit(main())
