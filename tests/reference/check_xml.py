#!/usr/bin/python3
"""Structures with OpenMM's own force-field files: uplift against OpenMM, term by term.

  check_xml.py UPLIFT [--tolerance 1e-6] [--keep FOLDER] [NAME ...]

Every system is made here with OpenMM's Modeller (hydrogens, water, ions, extra particles), written as PDB, and its energies by OpenMM's
Reference platform in double precision are compared with those of `uplift energy`. Forces, too. Exit status 77 where there is no OpenMM
(Debian: python3-simtk; or a Python with openmm from PyPI) or where its version does not bring a file.
"""
import argparse
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import h5py
    import openmm as mm
    from openmm import app, unit as u
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "inputs"))
DATA = os.path.join(os.path.dirname(app.__file__), "data")
OWN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "forcefields")
SDF1 = "/usr/share/doc/theseus/examples/2sdf.pdb.gz"


def make_inputs():
    """inputs/make_inputs.py, whose geometry is used; ParmEd, which only its writing of files needs, may be missing."""
    try:
        import parmed  # noqa: F401
    except ImportError:
        import types
        for name in ("parmed", "parmed.tools"):
            sys.modules[name] = types.ModuleType(name)
        sys.modules["parmed.tools"].changeRadii = None
    import make_inputs as module
    return module


def peptide():
    return make_inputs().extended_peptide("GYDPETGTWG")


def dipeptide():
    return make_inputs().alanine_dipeptide()


def protein():
    if not os.path.exists(SDF1):
        return None
    with gzip.open(SDF1, "rt") as f:
        lines = []
        for line in f:
            if line.startswith("ENDMDL"):
                break
            if line.startswith("ATOM") and line[12:16].strip().lstrip("0123456789")[0] != "H":
                lines.append(line)
    return "".join(lines) + "END\n"


# name: files, source of the solute, water model of Modeller (None: vacuum), edge of the box [nm], salt [mol/L]
SYSTEMS = {
    "dipeptide-ff99sbildn": (["amber99sbildn.xml"], dipeptide, None, 0, 0),
    "chignolin-ff14SB": (["amber14/protein.ff14SB.xml"], peptide, None, 0, 0),
    "chignolin-ff19SB": (["amber19/protein.ff19SB.xml"], peptide, None, 0, 0),
    "chignolin-charmm36": (["charmm36.xml"], peptide, None, 0, 0),
    "protein-ff99sbildn": (["amber99sbildn.xml"], protein, None, 0, 0),
    "protein-ff14SB": (["amber14/protein.ff14SB.xml"], protein, None, 0, 0),
    "protein-charmm36": (["charmm36.xml"], protein, None, 0, 0),
    # uplift's own files, which OpenMM reads as well.
    "protein-own-ff99sbildn": ([f"{OWN}/amber99sb-ildn.xml"], protein, None, 0, 0),
    "ions-own-ff14sb-opc": ([f"{OWN}/amber14sb.xml", f"{OWN}/opc.xml"], peptide, "tip4pew", 2.6, 0.3),
    "ions-tip3p": (["amber14/protein.ff14SB.xml", "amber14/tip3p.xml"], peptide, "tip3p", 2.6, 0.3),
    "ions-tip4pew": (["amber14/protein.ff14SB.xml", "amber14/tip4pew.xml"], peptide, "tip4pew", 2.6, 0.3),
    "ions-opc": (["amber14/protein.ff14SB.xml", "amber14/opc.xml"], peptide, "tip4pew", 2.6, 0.3),
    "ions-charmm36": (["charmm36.xml", "charmm36/water.xml"], peptide, "tip3p", 2.6, 0.3),
    "ions-charmm36-tip4pew": (["charmm36.xml", "charmm36/tip4pew.xml"], peptide, "tip4pew", 2.6, 0.3),
    "ions-charmm36-tip5p": (["charmm36.xml", "charmm36/tip5p.xml"], peptide, "tip5p", 2.6, 0.3),
}
CUTOFF, ALPHA, GRID = 0.9, 3.2, 30


def make(files, text, water, edge, salt):
    field = app.ForceField(*files)
    pdb = app.PDBFile(io.StringIO(text))
    modeller = app.Modeller(pdb.topology, pdb.positions)
    modeller.addHydrogens(field, pH=7.0)
    if water:
        # A stretched peptide is longer than the box: it is wrapped, which changes no energy.
        modeller.addSolvent(field, model=water, boxSize=mm.Vec3(edge, edge, edge) * u.nanometer, ionicStrength=salt * u.molar)
        modeller.addExtraParticles(field)
    return field, modeller


def system_of(field, topology, periodic):
    kw = dict(nonbondedMethod=app.PME, nonbondedCutoff=CUTOFF * u.nanometer) if periodic else dict(nonbondedMethod=app.NoCutoff)
    return create_system(field, topology, constraints=None, rigidWater=False, removeCMMotion=False, useDispersionCorrection=False, **kw)


def create_system(field, topology, **kw):
    """The System, with every periodic improper ordered by the rule of its file. OpenMM from 8.1 on keeps the order that it found for the
    first improper of four atom types and uses it for all others of these types, so that mirror halves of rings get different orders."""
    import openmm.app.forcefield as module
    rule, seen = module._matchImproper, {}

    def record(data, torsion, generator):
        seen["data"] = data
        if isinstance(generator, module.PeriodicTorsionGenerator):
            seen["generator"] = generator
        return rule(data, torsion, generator)

    module._matchImproper = record
    try:
        system = field.createSystem(topology, **kw)
    finally:
        module._matchImproper = rule
    if "generator" not in seen:
        return system
    data, propers = seen["data"], set(seen["data"].propers)
    for index, force in enumerate(system.getForces()):
        if not isinstance(force, mm.PeriodicTorsionForce):
            continue
        other = mm.PeriodicTorsionForce()
        for i in range(force.getNumTorsions()):
            t = force.getTorsionParameters(i)
            if tuple(t[:4]) in propers or tuple(t[3::-1]) in propers:
                other.addTorsion(*t)
        for torsion in data.impropers:
            match = rule(data, torsion, seen["generator"])
            if match:
                for n, phase, k in zip(match[4].periodicity, match[4].phase, match[4].k):
                    if k != 0:
                        other.addTorsion(*match[:4], n, phase, k)
        system.removeForce(index)
        system.addForce(other)
        break
    return system


def rigid(field, topology, positions):
    """Water with the shape of its force field: its virtual sites may be defined in a local frame, which only rigid water has."""
    system = field.createSystem(topology, nonbondedMethod=app.NoCutoff, rigidWater=True)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    context.applyConstraints(1e-12)
    return context.getState(getPositions=True).getPositions(asNumpy=True).value_in_unit(u.nanometer)


def write_rst7(path, positions, edge):
    """Amber's ASCII coordinates: seven decimals of an Angstrom."""
    with open(path, "w") as f:
        f.write(f"check_xml\n{len(positions):6d}\n")
        numbers = [f"{10 * v:12.7f}" for v in np.ravel(positions)]
        for k in range(0, len(numbers), 6):
            f.write("".join(numbers[k:k + 6]) + "\n")
        if edge:
            f.write("".join(f"{10 * edge:12.7f}" for _ in range(3)) + "".join(f"{90:12.7f}" for _ in range(3)) + "\n")


def label(force):
    name = type(force).__name__
    return {"HarmonicBondForce": "bond", "HarmonicAngleForce": "angle", "PeriodicTorsionForce": "dihedral", "RBTorsionForce": "dihedral", "CMAPTorsionForce": "cmap",
            "CustomTorsionForce": "improper", "CustomNonbondedForce": "lj", "CustomBondForce": "lj"}.get(name, name)


def coulomb_constant():
    s = mm.System()
    f = mm.NonbondedForce()
    for q in (1, -1):
        s.addParticle(1)
        f.addParticle(q, 1, 0)
    s.addForce(f)
    c = mm.Context(s, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    c.setPositions([mm.Vec3(0, 0, 0), mm.Vec3(1, 0, 0)])
    return -c.getState(getEnergy=True).getPotentialEnergy().value_in_unit(u.kilojoule_per_mole)


def split_nonbonded(system):
    """A second NonbondedForce: the first keeps the charges, the second the Lennard-Jones parameters."""
    for force in list(system.getForces()):
        if not isinstance(force, mm.NonbondedForce):
            continue
        if force.getNonbondedMethod() == mm.NonbondedForce.PME:
            force.setPMEParameters(ALPHA, GRID, GRID, GRID)
        other = mm.XmlSerializer.clone(force)
        for i in range(force.getNumParticles()):
            q, sigma, epsilon = force.getParticleParameters(i)
            force.setParticleParameters(i, q, sigma, 0)
            other.setParticleParameters(i, 0, sigma, epsilon)
        for i in range(force.getNumExceptions()):
            a, b, qq, sigma, epsilon = force.getExceptionParameters(i)
            force.setExceptionParameters(i, a, b, qq, sigma, 0)
            other.setExceptionParameters(i, a, b, 0, sigma, epsilon)
        force.setName("coulomb")
        other.setName("lj")
        system.addForce(other)


def openmm_energies(system, positions):
    split_nonbonded(system)
    for k, force in enumerate(system.getForces()):
        force.setForceGroup(k)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions)
    context.computeVirtualSites()
    energies = {}
    for k, force in enumerate(system.getForces()):
        e = context.getState(getEnergy=True, groups=1 << k).getPotentialEnergy().value_in_unit(u.kilojoule_per_mole)
        name = force.getName() if isinstance(force, mm.NonbondedForce) else label(force)
        energies[name] = energies.get(name, 0) + e
    state = context.getState(getForces=True)
    return energies, state.getForces(asNumpy=True).value_in_unit(u.kilojoule_per_mole / u.nanometer)


def uplift_energies(program, folder, files, periodic):
    listed = ", ".join(os.path.join(DATA, f) for f in files)
    forces = (f"{{nonbonded: pme, cutoff: {CUTOFF} nm, dispersion_correction: false, constraints: none, rigid_water: false, "
              f"pme: {{alpha: {ALPHA} /nm, grid: [{GRID}, {GRID}, {GRID}], order: 5}}}}" if periodic else
              "{nonbonded: no-cutoff, constraints: none, rigid_water: false}")
    with open(f"{folder}/in.yaml", "w") as f:
        f.write(f"version: 1\nsystem:\n  topology: in.pdb\n  coordinates: in.rst7\n  forcefield: [{listed}]\nforces: {forces}\n"
                "compute: {precision: double, backend: cpu}\n")
    run = subprocess.run([program, "energy", f"{folder}/in.yaml", "--json", f"{folder}/e.json", "--forces", f"{folder}/f.h5"],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"uplift failed: {run.stderr}")
    with open(f"{folder}/e.json") as f:
        energies = json.load(f)["energies"]
    with h5py.File(f"{folder}/f.h5") as f:
        return energies, f["forces"][:]


def check(program, name, folder, tolerance):
    files, source, water, edge, salt = SYSTEMS[name]
    if not all(os.path.exists(os.path.join(DATA, f)) for f in files):
        return f"{name}: skipped, this OpenMM has no {' or '.join(files)}"
    text = source()
    if text is None:
        return f"{name}: skipped, there is no {SDF1} (Debian: theseus-examples)"
    field, modeller = make(files, text, water, edge, salt)
    # Ideal geometry has exactly flat torsions, where the arc cosine of OpenMM's Reference platform loses half of its digits.
    noise = np.random.default_rng(2026).normal(scale=0.004, size=(modeller.topology.getNumAtoms(), 3))
    positions = np.array(modeller.positions.value_in_unit(u.nanometer)) + noise
    if water:
        positions = rigid(field, modeller.topology, positions)
    positions = np.round(positions, 8)  # as the coordinate file has them
    with open(f"{folder}/in.pdb", "w") as f:
        app.PDBFile.writeFile(modeller.topology, positions * u.nanometer, f, keepIds=True)
    write_rst7(f"{folder}/in.rst7", positions, edge)
    system = system_of(field, modeller.topology, water is not None)
    want, want_forces = openmm_energies(system, positions * u.nanometer)
    have, have_forces = uplift_energies(program, folder, files, water is not None)
    ratio = 138.93545764438198 / coulomb_constant()
    terms = {k: have.get(k, 0) for k in ("bond", "angle", "dihedral", "improper", "cmap")}
    terms["bond"] += have.get("urey_bradley", 0)  # OpenMM has both in one force
    terms["lj"] = have.get("lj", 0) + have.get("lj_14", 0)
    terms["coulomb"] = sum(have.get(k, 0) for k in ("coulomb_direct", "coulomb_reciprocal", "coulomb_14")) / ratio
    unknown = set(want) - set(terms)
    assert not unknown, unknown
    worst = ("", 0.0)
    scale = max(abs(v) for v in want.values()) * 1e-3
    for term, value in terms.items():
        difference = abs(value - want.get(term, 0)) / max(abs(want.get(term, 0)), scale, 1.0)
        if difference > worst[1]:
            worst = (term, difference)
        if difference > tolerance:
            sys.exit(f"{name}: {term} is {value:.8f} kJ/mol, OpenMM has {want.get(term, 0):.8f}")
    massive = [i for i in range(system.getNumParticles()) if not system.isVirtualSite(i)]  # what acts on a site is passed to its parents
    if any(isinstance(system.getVirtualSite(i), mm.LocalCoordinatesSite) for i in range(system.getNumParticles()) if system.isVirtualSite(i)):
        # In rigid water a local frame and a linear combination put the site at one place, and differ in forces that constraints undo.
        water_atoms = {a.index for a in modeller.topology.atoms() if a.residue.name == "HOH"}
        massive = [i for i in massive if i not in water_atoms]
    have_forces, want_forces = have_forces[massive], want_forces[massive]
    rms = np.sqrt(np.mean(want_forces**2))
    force = np.sqrt(np.mean((have_forces - want_forces)**2)) / rms
    # Reference forces of Coulomb carry its constant; forces are dominated by it where atoms are apart.
    limit = 2 * abs(ratio - 1) + 1e-6
    if force > limit:
        sys.exit(f"{name}: forces differ by {force:.2e} of their rms")
    return f"{name}: {len(want_forces)} atoms, largest difference {worst[1]:.1e} ({worst[0]}), forces {force:.1e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uplift")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--tolerance", type=float, default=1e-6)
    parser.add_argument("--keep")
    args = parser.parse_intermixed_args()
    done = 0
    for name in args.names or SYSTEMS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = os.path.join(args.keep, name) if args.keep else scratch
            os.makedirs(folder, exist_ok=True)
            line = check(args.uplift, name, folder, args.tolerance)
            done += "skipped" not in line
            print(line, flush=True)
    print(f"{done} systems, OpenMM {mm.version.version}")
    return 0 if done else 77


if __name__ == "__main__":
    sys.exit(main())
