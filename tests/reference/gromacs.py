"""GROMACS as a reference: single points in double precision, and uplift on the same files. Used by check_gromacs*.py."""
import json
import math
import os
import re
import shutil
import subprocess
import sys

PROGRAM = shutil.which("gmx_d")
TERMS = {  # sums of GROMACS' terms, sums of ours
    "bond": (("Bond", "Harmonic Pot."), ("bond",)),
    "angle": (("Angle", "U-B"), ("angle", "urey_bradley")),
    "dihedral": (("Proper Dih.", "Ryckaert-Bell.", "Per. Imp. Dih.", "Fourier Dih."), ("dihedral",)),
    "improper": (("Improper Dih.",), ("improper",)),
    "cmap": (("CMAP Dih.",), ("cmap",)),
    "lj_14": (("LJ-14", "LJC-NB LJ"), ("lj_14",)),
    "coulomb_14": (("Coulomb-14",), ("coulomb_14",)),
    "lj": (("LJ (SR)",), ("lj",)),
    "coulomb": (("Coulomb (SR)", "Coul. recip."), ("coulomb_direct", "coulomb_reciprocal")),
    "potential": (("Potential",), ("potential",)),
}


# Limits of check_gromacs*.py: both engines sum the same terms in double, so energies agree to 1e-9 but for the mesh; the error of
# smooth PME itself differs where the two describe a triclinic cell by other vectors, 3e-7 of the rms force at this grid.
# Coordinates with three decimals have pairs at exactly 0.9 nm, and rounding would decide whether they count.
CUTOFF = 0.90005


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def gmx(arguments, folder, text=""):
    """Runs a GROMACS program. The Ewald correction by formula: that of its tables would be 7e-7 of the rms force off."""
    environment = dict(os.environ, GMX_MAXBACKUP="-1", OMP_NUM_THREADS="1", GMX_NO_QUOTES="1", GMX_NBNXN_EWALD_ANALYTICAL="1")
    environment.pop("GMXLIB", None)
    done = subprocess.run([PROGRAM, "-quiet"] + arguments, cwd=folder, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env=environment, timeout=300)
    if done.returncode:
        raise RuntimeError("gmx " + " ".join(arguments) + ":\n" + done.stdout[-3000:])
    return done.stdout


def ewald_alpha(cutoff, tolerance):
    """erfc(alpha cutoff) = tolerance, which is how GROMACS chooses alpha."""
    low, high = 0.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle * cutoff) > tolerance else (low, middle)
    return low


def mdp(cutoff=CUTOFF, tolerance=1e-5, grid=(64, 64, 64), order=6, extra=""):
    """A single point: no modifiers, no dispersion correction, nothing constrained that the topology does not fix. The list has a
    buffer: without one GROMACS loses pairs of rigid water near the cutoff."""
    return (f"integrator = md\nnsteps = 0\ncontinuation = yes\nconstraints = none\ncutoff-scheme = Verlet\nverlet-buffer-tolerance = -1\n"
            f"nstlist = 1\nrlist = {cutoff + 0.1}\nrcoulomb = {cutoff}\nrvdw = {cutoff}\ncoulombtype = PME\ncoulomb-modifier = None\n"
            f"vdwtype = Cut-off\nvdw-modifier = None\nDispCorr = no\newald-rtol = {tolerance}\npme-order = {order}\n"
            f"fourier-nx = {grid[0]}\nfourier-ny = {grid[1]}\nfourier-nz = {grid[2]}\nnstenergy = 1\nnstfout = 1\nnstcalcenergy = 1\n" + extra)


def read_xvg(path):
    legends, rows = [], []
    with open(path) as f:
        for line in f:
            found = re.match(r'@ s\d+ legend "(.*)"', line)
            if found:
                legends.append(found.group(1))
            elif line[0] not in "#@":
                rows.append([float(w) for w in line.split()])
    return legends, rows


def single_point(folder, top, gro, settings):
    """Energies by GROMACS' names [kJ/mol], and forces [kJ/mol/nm]."""
    with open(os.path.join(folder, "point.mdp"), "w") as f:
        f.write(settings)
    gmx(["grompp", "-f", "point.mdp", "-p", top, "-c", gro, "-o", "point.tpr", "-maxwarn", "20"], folder)
    gmx(["mdrun", "-s", "point.tpr", "-deffnm", "point", "-ntmpi", "1", "-ntomp", "1"], folder)
    gmx(["energy", "-f", "point.edr", "-dp", "-o", "energies.xvg"], folder, "\n".join(str(n) for n in range(1, 40)) + "\n\n")
    legends, rows = read_xvg(os.path.join(folder, "energies.xvg"))
    gmx(["traj", "-s", "point.tpr", "-f", "point.trr", "-of", "forces.xvg", "-fp"], folder, "0\n")
    _, forces = read_xvg(os.path.join(folder, "forces.xvg"))
    flat = forces[0][1:]
    return dict(zip(legends, rows[0][1:])), [flat[n:n + 3] for n in range(0, len(flat), 3)]


def uplift(program, folder, top, gro, forces, system=""):
    """Energies by our names, and forces, in double precision."""
    import h5py
    base = os.path.join(folder, "uplift")
    with open(base + ".yaml", "w") as f:
        f.write(f"version: 1\nsystem: {{topology: {top}, coordinates: {gro}{system}}}\nforces: {forces}\n")
    done = subprocess.run([program, "energy", base + ".yaml", "--json", base + ".json", "--forces", base + ".h5", "--precision", "double"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    with open(base + ".json") as f:
        energies = json.load(f)["energies"]
    with h5py.File(base + ".h5") as f:
        return energies, f["forces"][:]


def write_gro(program, folder, top, gro, out, system=""):
    """The same coordinates with twelve decimals, virtual sites where their parents put them: what both engines then read alike."""
    import h5py
    uplift(program, folder, top, gro, forces_block(), system)
    with h5py.File(os.path.join(folder, "uplift.h5")) as f:
        x = f["positions"][:]
    with open(os.path.join(folder, gro)) as f, open(os.path.join(folder, out), "w") as o:
        lines = f.read().splitlines()
        o.write("\n".join(lines[:2]) + "\n")
        for line, r in zip(lines[2:], x):
            o.write(line[:20] + "".join(f"{c:18.12f}" for c in r) + "\n")
        o.write(lines[2 + len(x)] + "\n")


def forces_block(cutoff=CUTOFF, tolerance=1e-5, grid=(64, 64, 64), order=6, rigid_water=True):
    return (f"{{nonbonded: pme, cutoff: {cutoff} nm, dispersion_correction: false, constraints: none, rigid_water: "
            f"{'true' if rigid_water else 'false'}, pme: {{alpha: {ewald_alpha(cutoff, tolerance):.17g} /nm, grid: {list(grid)}, order: {order}}}}}")


def compare(name, theirs, ours, their_forces, our_forces, limits):
    """True when every term and the forces hold. `limits`: {"term": relative, "force": relative to the rms force}, by term where a
    term has its own. Prints one line a term."""
    import numpy as np
    good = True
    print(name)
    for term, (gromacs, uplift_terms) in TERMS.items():
        if not any(g in theirs for g in gromacs) and not any(u in ours for u in uplift_terms):
            continue
        a = sum(theirs.get(g, 0.0) for g in gromacs)
        b = sum(ours.get(u, 0.0) for u in uplift_terms)
        limit = limits.get(term, limits["term"]) * max(abs(a), 1.0)
        held = abs(a - b) <= limit
        good &= held
        print(f"  {term:12}{a:22.10f}{b:22.10f}  {abs(a - b) / max(abs(a), 1.0):8.1e}{'' if held else f'  FAILS (limit {limit:.1e})'}")
    f, g = np.array(their_forces), np.array(our_forces)
    sites = ~np.any(g != 0, axis=1)  # virtual sites have handed their forces on
    error = np.sqrt(np.mean((f - g)[~sites] ** 2) / np.mean(f[~sites] ** 2))
    held = bool(error <= limits["force"])
    print(f"  {'forces':12}{np.sqrt(np.mean(f[~sites] ** 2)):22.10f} rms{error:27.1e}{'' if held else '  FAILS'}", flush=True)
    return good and held
