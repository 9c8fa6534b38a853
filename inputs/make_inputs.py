#!/usr/bin/python3
"""Makes every system of this folder: prmtop and inpcrd, from Debian packages alone.

  make_inputs.py [NAME ...]     names: alanine-dipeptide-vacuum alanine-dipeptide-tip3p water-tip3p water-tip3p-small chignolin-extended sdf1-implicit sdf1-tip3p

Needs (Debian): python3-simtk (OpenMM 7.7 with its Amber force-field files: ff99SB-ILDN and TIP3P), libopenmm-plugins,
python3-parmed, theseus-examples (the NMR structure of the chemokine SDF-1, PDB 2SDF, 67 residues).

The dipeptide is built here from standard bond lengths and angles; hydrogens, water and ions are OpenMM's Modeller's; every
periodic system is minimised and run at 300 K and 1 bar for a while, so that its density is right. GB radii are mbondi2.
The water is flexible in the files: the engine decides what is rigid.
"""
import gzip
import io
import math
import os
import sys
import warnings

warnings.simplefilter("ignore")
import numpy as np
import openmm as mm
import parmed
from openmm import app, unit as u
from parmed.tools import changeRadii

HERE = os.path.dirname(os.path.abspath(__file__))
PLUGINS = "/usr/lib/x86_64-linux-gnu/openmm/plugins"
SDF1 = "/usr/share/doc/theseus/examples/2sdf.pdb.gz"
SEED = 2026


def place(a, b, c, length, angle, torsion):
    """Point d with |cd| = length, angle bcd and dihedral abcd (degrees): the natural extension of a chain."""
    angle, torsion = math.radians(angle), math.radians(torsion)
    bc = (c - b) / np.linalg.norm(c - b)
    n = np.cross(b - a, bc)
    n /= np.linalg.norm(n)
    m = np.cross(n, bc)
    return c + length * (-math.cos(angle) * bc + math.sin(angle) * math.cos(torsion) * m + math.sin(angle) * math.sin(torsion) * n)


def alanine_dipeptide(phi=-80.0, psi=80.0):
    """Heavy atoms of ACE-ALA-NME as PDB text (Angstrom), near C7eq; geometry of Engh and Huber (1991)."""
    ch3 = np.array([0.0, 0.0, 0.0])
    c = np.array([1.525, 0.0, 0.0])
    o = np.array([1.525 + 1.231 * math.cos(math.radians(60)), 1.231 * math.sin(math.radians(60)), 0.0])
    n = place(o, ch3, c, 1.329, 116.2, 180.0)
    ca = place(ch3, c, n, 1.458, 121.7, 180.0)
    c2 = place(c, n, ca, 1.525, 111.0, phi)
    cb = place(c, n, ca, 1.530, 110.4, phi - 122.6)
    o2 = place(n, ca, c2, 1.231, 120.5, psi + 180.0)
    n2 = place(n, ca, c2, 1.329, 116.2, psi)
    ch3n = place(ca, c2, n2, 1.458, 121.7, 180.0)
    rows = [("CH3", "ACE", 1, ch3, "C"), ("C", "ACE", 1, c, "C"), ("O", "ACE", 1, o, "O"), ("N", "ALA", 2, n, "N"),
            ("CA", "ALA", 2, ca, "C"), ("CB", "ALA", 2, cb, "C"), ("C", "ALA", 2, c2, "C"), ("O", "ALA", 2, o2, "O"),
            ("N", "NME", 3, n2, "N"), ("C", "NME", 3, ch3n, "C")]
    return "".join(f"ATOM  {k:5d}  {name:<3s} {res} A{number:4d}    {x[0]:8.3f}{x[1]:8.3f}{x[2]:8.3f}  1.00  0.00           {el}\n"
                   for k, (name, res, number, x, el) in enumerate(rows, 1)) + "END\n"


# Side chains beyond CB: atom, three atoms before it, bond length [A], angle and torsion [degrees] (Engh and Huber, Acta Crystallogr. A 47, 392 (1991);
# torsions of common rotamers).
SIDE_CHAINS = {
    "GLY": [],
    "TYR": [("CG", "N CA CB", 1.512, 113.8, -65), ("CD1", "CA CB CG", 1.389, 120.8, 90), ("CD2", "CA CB CG", 1.389, 120.8, -90), ("CE1", "CB CG CD1", 1.382, 121.2, 180),
            ("CE2", "CB CG CD2", 1.382, 121.2, 180), ("CZ", "CG CD1 CE1", 1.378, 119.6, 0), ("OH", "CD1 CE1 CZ", 1.376, 119.9, 180)],
    "ASP": [("CG", "N CA CB", 1.516, 112.6, -65), ("OD1", "CA CB CG", 1.249, 118.4, 0), ("OD2", "CA CB CG", 1.249, 118.4, 180)],
    "GLU": [("CG", "N CA CB", 1.520, 114.1, -65), ("CD", "CA CB CG", 1.516, 112.6, 180), ("OE1", "CB CG CD", 1.249, 118.4, 0), ("OE2", "CB CG CD", 1.249, 118.4, 180)],
    "PRO": [("CG", "N CA CB", 1.492, 104.5, 29), ("CD", "CA CB CG", 1.503, 106.1, -36)],
    "THR": [("OG1", "N CA CB", 1.433, 109.6, 60), ("CG2", "N CA CB", 1.521, 110.5, -60)],
    "TRP": [("CG", "N CA CB", 1.498, 113.6, -65), ("CD1", "CA CB CG", 1.365, 126.9, 90), ("CD2", "CA CB CG", 1.433, 126.8, -90), ("NE1", "CB CG CD1", 1.374, 110.2, 180),
            ("CE2", "CB CG CD2", 1.409, 107.2, 180), ("CE3", "CB CG CD2", 1.398, 133.9, 0), ("CZ2", "CG CD2 CE2", 1.394, 122.4, 180), ("CZ3", "CG CD2 CE3", 1.382, 118.6, 180),
            ("CH2", "CD2 CE2 CZ2", 1.368, 117.5, 0)],
}
LETTERS = {"G": "GLY", "Y": "TYR", "D": "ASP", "P": "PRO", "E": "GLU", "T": "THR", "W": "TRP"}


def extended_peptide(sequence, phi=-135.0, psi=140.0):
    """Heavy atoms of a peptide without caps as PDB text (Angstrom), stretched out, every peptide bond trans."""
    rows, before = [], None
    for number, letter in enumerate(sequence, 1):
        name = LETTERS[letter]
        turn = -70.0 if letter == "P" else phi
        if before is None:
            x = {"N": np.array([0.0, 0.0, 0.0]), "CA": np.array([1.458, 0.0, 0.0])}
            x["C"] = place(np.array([0.0, 1.0, 0.0]), x["N"], x["CA"], 1.525, 111.0, 180.0)
            earlier = place(x["C"], x["CA"], x["N"], 1.329, 121.7, turn)  # where a residue before would have its C
        else:
            earlier = before["C"]
            x = {"N": place(before["N"], before["CA"], before["C"], 1.329, 116.2, psi)}
            x["CA"] = place(before["CA"], before["C"], x["N"], 1.458, 121.7, 180.0)
            x["C"] = place(before["C"], x["N"], x["CA"], 1.525, 111.0, turn)
        x["O"] = place(x["N"], x["CA"], x["C"], 1.231, 120.5, psi + 180.0)
        if number == len(sequence):
            x["OXT"] = place(x["N"], x["CA"], x["C"], 1.249, 118.0, psi)
        if name != "GLY":
            x["CB"] = place(earlier, x["N"], x["CA"], 1.530, 110.4, turn - 122.6)
        for atom, parents, length, angle, torsion in SIDE_CHAINS[name]:
            x[atom] = place(*(x[p] for p in parents.split()), length, angle, torsion)
        rows += [(atom, name, number, r) for atom, r in x.items()]
        before = x
    return "".join(f"ATOM  {k:5d}  {atom:<3s} {res} A{number:4d}    {r[0]:8.3f}{r[1]:8.3f}{r[2]:8.3f}  1.00  0.00           {atom[0]}\n"
                   for k, (atom, res, number, r) in enumerate(rows, 1)) + "END\n"


def heavy_atoms_of_first_model(path):
    with gzip.open(path, "rt") as f:
        lines = []
        for line in f:
            if line.startswith("ENDMDL"):
                break
            if line.startswith("ATOM") and line[12:16].strip().lstrip("0123456789")[0] != "H":
                lines.append(line)
    return "".join(lines) + "END\n"


def relax(topology, system, positions, picoseconds, box=None):
    """Minimises and, for a periodic system, runs at 300 K and 1 bar; returns positions and box vectors."""
    mm.Platform.loadPluginsFromDirectory(PLUGINS)
    if box is not None and picoseconds:
        barostat = mm.MonteCarloBarostat(1 * u.bar, 300 * u.kelvin, 10)
        barostat.setRandomNumberSeed(SEED)
        system.addForce(barostat)
    integrator = mm.LangevinMiddleIntegrator(300 * u.kelvin, 5 / u.picosecond, 0.002 * u.picosecond)
    integrator.setRandomNumberSeed(SEED)
    simulation = app.Simulation(topology, system, integrator, mm.Platform.getPlatformByName("CPU"))
    simulation.context.setPositions(positions)
    simulation.minimizeEnergy(maxIterations=300)
    simulation.context.setVelocitiesToTemperature(300 * u.kelvin, SEED)
    simulation.step(int(picoseconds / 0.002))
    state = simulation.context.getState(getPositions=True, enforcePeriodicBox=box is not None)
    return state.getPositions(asNumpy=True), state.getPeriodicBoxVectors() if box is not None else None


def make(name, pdb_text, water_box=None, padding=None, picoseconds=0, tip3p=False, cutoff=0.9):
    print(name, flush=True)
    field = app.ForceField("amber99sbildn.xml", "tip3p.xml")
    if pdb_text:
        pdb = app.PDBFile(io.StringIO(pdb_text))
        modeller = app.Modeller(pdb.topology, pdb.positions)
        modeller.addHydrogens(field, pH=7.0)
    else:
        modeller = app.Modeller(app.Topology(), [] * u.nanometer)
    if tip3p:
        kw = dict(boxSize=mm.Vec3(*water_box) * u.nanometer) if water_box else dict(padding=padding * u.nanometer)
        modeller.addSolvent(field, model="tip3p", neutralize=True, **kw)
    method = dict(nonbondedMethod=app.PME, nonbondedCutoff=cutoff * u.nanometer) if tip3p else dict(nonbondedMethod=app.NoCutoff)
    flexible = field.createSystem(modeller.topology, rigidWater=False, constraints=None, removeCMMotion=False, **method)
    rigid = field.createSystem(modeller.topology, rigidWater=True, constraints=app.HBonds, **method)
    box = modeller.topology.getPeriodicBoxVectors() if tip3p else None
    positions, box = relax(modeller.topology, rigid, modeller.positions, picoseconds, box)
    structure = parmed.openmm.load_topology(modeller.topology, flexible, xyz=positions)
    if box is not None:
        structure.box = [box[k][k].value_in_unit(u.angstrom) for k in range(3)] + [90.0, 90.0, 90.0]
    else:
        structure.box = None
    parm = parmed.amber.AmberParm.from_structure(structure)
    changeRadii(parm, "mbondi2").execute()
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    plain = os.path.join(folder, "system.prmtop")
    parm.save(plain, format="amber", overwrite=True)
    strip_date(plain)
    rst = parmed.amber.Rst7(natom=len(parm.atoms), title=name)
    rst.coordinates = positions.value_in_unit(u.angstrom)
    if box is not None:
        rst.box = parm.box
    rst.write(os.path.join(folder, "system.inpcrd"))
    if len(parm.atoms) > 500:
        for file in ("system.prmtop", "system.inpcrd"):
            compress(os.path.join(folder, file))
    print(f"  {len(parm.atoms)} atoms, box {parm.box}", flush=True)


def strip_date(path):
    """The date in a prmtop's first line would make every regeneration a difference."""
    with open(path) as f:
        lines = f.readlines()
    lines[0] = "%VERSION  VERSION_STAMP = V0001.000  DATE = 01/01/26  00:00:00\n"
    with open(path, "w") as f:
        f.writelines(lines)


def compress(path):
    with open(path, "rb") as f, open(path + ".gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as g:
        g.write(f.read())
    os.remove(path)


SYSTEMS = {
    "alanine-dipeptide-vacuum": lambda n: make(n, alanine_dipeptide()),
    "alanine-dipeptide-tip3p": lambda n: make(n, alanine_dipeptide(), water_box=(2.8, 2.8, 2.8), picoseconds=40, tip3p=True),
    "water-tip3p": lambda n: make(n, None, water_box=(3.0, 3.0, 3.0), picoseconds=30, tip3p=True),
    "water-tip3p-small": lambda n: make(n, None, water_box=(1.9, 1.9, 1.9), picoseconds=30, tip3p=True, cutoff=0.8),
    "chignolin-extended": lambda n: make(n, extended_peptide("GYDPETGTWG")),
    "sdf1-implicit": lambda n: make(n, heavy_atoms_of_first_model(SDF1)),
    "sdf1-tip3p": lambda n: make(n, heavy_atoms_of_first_model(SDF1), padding=0.7, picoseconds=15, tip3p=True),
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or SYSTEMS:
        SYSTEMS[wanted](wanted)
