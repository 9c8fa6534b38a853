#!/usr/bin/python3
"""The free energy of phi and psi of alanine dipeptide by umbrella sampling: what accelerated runs are measured against.

  truth.py UPLIFT [--solvent vacuum|implicit] [--time "3 ns"] [--every "1 ps"] [--threads 1] [-o truth-vacuum.h5]

uplift runs as a plain engine here, without any boost: each window is a run with a periodic dihedral more in its prmtop, k(1 - cos(phi - phi0)) and
likewise for psi. MBAR (Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008)) puts the windows together, with the bias energies recomputed from phi and psi.
Errors are half the difference of the two halves of every window. Needs (Debian): python3-parmed, python3-scipy, python3-h5py.
"""
import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
import h5py
import numpy as np
import parmed
import scipy.optimize

HERE = os.path.dirname(os.path.abspath(__file__))
INPUT = os.path.normpath(os.path.join(HERE, "..", "..", "inputs", "alanine-dipeptide-vacuum"))
PHI, PSI = (4, 6, 8, 14), (6, 8, 14, 16)
TEMPERATURE, KT = 300.0, 300.0 * 8.31446261815324e-3
KCAL = 4.184
# Windows in phi are strong enough to hold on to the tops of barriers: weaker ones have two sides there between which nothing goes, and what is
# sampled of them by chance goes round the circle as a tilt of the whole surface.
WINDOWS = (24, 8)             # in phi and psi
STRENGTH = (200.0, 15.0)      # kJ/mol
OMEGAS = ((1, 4, 6, 8), (8, 14, 16, 18))
BINS = 60
YAML = """version: 1
system: {{topology: window.prmtop, coordinates: "{coordinates}"}}
forces: {{nonbonded: no-cutoff, constraints: h-bonds{solvent}}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 2 /ps, seed: {seed}}}
stages:
  - {{name: minimize, minimize: {{max_steps: 500}}}}
  - {{name: equilibrate, time: 100 ps}}
  - {{name: sample, time: {time}}}
output: {{trajectory: {{every: {every}}}, energies: {{every: 0 ps}}, report: false}}
compute: {{threads: {threads}}}
"""


def dihedral(x, atoms):
    """Angles [rad] of positions [frames, atoms, 3]."""
    b = [x[:, atoms[k + 1]] - x[:, atoms[k]] for k in range(3)]
    n1, n2 = np.cross(b[0], b[1]), np.cross(b[1], b[2])
    return np.arctan2((np.cross(n1, n2) * b[1]).sum(-1) / np.linalg.norm(b[1], axis=-1), (n1 * n2).sum(-1))


def sample(o, folder, centre, seed):
    """phi and psi [frames] of a window."""
    parm = parmed.load_file(os.path.join(INPUT, "system.prmtop"))
    for atoms, at, k in ((PHI, centre[0], STRENGTH[0]), (PSI, centre[1], STRENGTH[1])):
        kind = parmed.DihedralType(k / KCAL, 1, np.degrees(at) + 180, 1.2, 2.0)
        parm.dihedral_types.append(kind)
        kind.list = parm.dihedral_types
        parm.dihedrals.append(parmed.Dihedral(*(parm.atoms[i] for i in atoms), ignore_end=True, type=kind))
    parm.remake_parm()
    parm.save(os.path.join(folder, "window.prmtop"), format="amber", overwrite=True)
    solvent = ", implicit_solvent: {model: obc2}" if o.solvent == "implicit" else ""
    with open(os.path.join(folder, "window.yaml"), "w") as f:
        f.write(YAML.format(coordinates=os.path.join(INPUT, "system.inpcrd"), solvent=solvent, seed=seed, time=o.time, every=o.every, threads=o.threads))
    subprocess.run([o.uplift, "run", os.path.join(folder, "window.yaml"), "--quiet"], check=True)
    with h5py.File(os.path.join(folder, "window", "trajectory.h5md")) as f:
        at = f["particles/trajectory/position/time"][:]
        x = f["particles/trajectory/position/value"][:].astype(float)[at > 100.0005]
    # The pull of a distant window must not have turned a peptide bond or the alpha carbon.
    if any(np.abs(dihedral(x, a)).min() < np.pi / 2 for a in OMEGAS) or dihedral(x, (14, 6, 8, 10)).max() > 0:
        return None
    return np.stack([dihedral(x, PHI), dihedral(x, PSI)])


def mbar(angles, counts, centres):
    """Unbiased weights [frames]: the minimum of MBAR's convex function of the windows' free energies."""
    u = np.array([(STRENGTH[0] * (1 - np.cos(angles[0] - c[0])) + STRENGTH[1] * (1 - np.cos(angles[1] - c[1]))) / KT for c in centres])
    total = counts.sum()
    terms = np.empty_like(u)

    def mixture(free):
        # The window that a frame comes from has a small energy: no exponential overflows.
        np.exp((np.log(counts) + free)[:, None] - u, out=terms)
        return terms.sum(0)

    def value_and_slope(rest):
        free = np.concatenate([[0.0], rest])
        sums = mixture(free)
        value = (np.log(sums).sum() - (counts * free).sum()) / total
        return value, ((terms / sums).sum(1) - counts)[1:] / total

    found = scipy.optimize.minimize(value_and_slope, np.zeros(len(centres) - 1), jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-9, "ftol": 1e-15})
    weights = 1 / mixture(np.concatenate([[0.0], found.x]))
    print(f"MBAR: {found.nit} iterations, largest slope {np.abs(found.jac).max():.1e}", flush=True)
    return weights / weights.sum()


def surface(angles, weights, dimensions):
    edges = np.linspace(-np.pi, np.pi, BINS + 1)
    p, _ = np.histogramdd(angles[list(dimensions)].T, bins=[edges] * len(dimensions), weights=weights)
    with np.errstate(divide="ignore"):
        f = -KT * np.log(p)
    f[~np.isfinite(f)] = np.nan
    return f - np.nanmin(f)


def half_difference(a, b, whole):
    """Half the difference of two surfaces at their optimal shift, where the whole is below 15 kJ/mol."""
    low = (whole < 15) & np.isfinite(a) & np.isfinite(b)
    d = a - b
    return (d - d[low].mean()) / 2, float(np.sqrt((((d - d[low].mean())[low]) ** 2).mean()) / 2)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--solvent", choices=("vacuum", "implicit"), default="vacuum")
    p.add_argument("--time", default="3 ns")
    p.add_argument("--every", default="1 ps")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("-o", "--output")
    o = p.parse_args()
    output = o.output or os.path.join(HERE, f"truth-{o.solvent}.h5")
    centres = list(itertools.product(*(np.arange(n) * 2 * np.pi / n - np.pi for n in WINDOWS)))
    series, kept = [], []
    for k, centre in enumerate(centres):
        with tempfile.TemporaryDirectory() as folder:
            angles = sample(o, folder, centre, 1000 + k)
        if angles is None:
            print(f"window {np.degrees(centre)} left out: a bond has turned", flush=True)
        else:
            series.append(angles)
            kept.append(centre)
        if k % 12 == 11:
            print(f"{k + 1} of {len(centres)} windows", flush=True)
    centres = kept

    def solve(pick):
        chosen = [pick(s) for s in series]
        angles = np.concatenate(chosen, axis=1)
        weights = mbar(angles, np.array([c.shape[1] for c in chosen]), centres)
        return surface(angles, weights, (0, 1)), surface(angles, weights, (0,))

    whole = solve(lambda s: s)
    first = solve(lambda s: s[:, : s.shape[1] // 2])
    second = solve(lambda s: s[:, s.shape[1] // 2:])
    with h5py.File(output, "w") as f:
        f.attrs["creator"] = "examples/alanine-dipeptide/truth.py"
        f.attrs["method"] = f"umbrella sampling, {len(centres)} windows of {o.time}, MBAR"
        f.attrs["solvent"] = o.solvent
        f.attrs["temperature"] = TEMPERATURE
        centers = np.degrees((np.arange(BINS) + 0.5) * 2 * np.pi / BINS - np.pi)
        for k, name in enumerate(("phi", "psi")):
            cv = f.create_group(f"collective_variables/{k}")
            cv.attrs["name"], cv.attrs["unit"] = name, "deg"
            cv["centers"] = centers
        for name, a, b, c in (("pmf", *(s[0] for s in (whole, first, second))), ("phi", *(s[1] for s in (whole, first, second)))):
            error, rms = half_difference(b, c, a)
            data = f.create_dataset("pmf" if name == "pmf" else "phi/pmf", data=a.astype(np.float32), compression="gzip")
            data.attrs["unit"], data.attrs["rms_error_below_15"] = "kJ mol-1", rms
            f.create_dataset("error" if name == "pmf" else "phi/error", data=np.abs(error).astype(np.float32), compression="gzip")
            print(f"{name}: {np.isfinite(a).sum()} bins, rms error below 15 kJ/mol {rms:.3f} kJ/mol")
    print("written:", output)


if __name__ == "__main__":
    sys.exit(main())
