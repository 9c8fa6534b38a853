#!/usr/bin/python3
"""Free energies of phi and psi from accelerated runs in vacuum against the umbrella truth (truth.py): rms differences, counts, pictures.

  against_truth.py UPLIFT [--seeds 4] [--jobs 2] [--folder against-truth] [--json FILE] [--only amd|gamd]

Runs vacuum-amd.yaml and vacuum-gamd.yaml once for every seed (what is finished in FOLDER is not run again), gives the runs of each together to
`uplift reweight --method exponential`, and compares with truth-vacuum.h5 where that is below 15 kJ/mol, at the shift that suits best: phi alone with 60
bins; phi and psi with 60 x 60 and 30 x 30 bins, for which four bins of the truth are put together. Draws vacuum-phi.png and vacuum-ramachandran.png.
Needs h5py, numpy, matplotlib.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "benchmarks"))
from system_files import append_record, provenance

KT = 300.0 * 8.31446261815324e-3
LOW = 15.0  # kJ/mol
NAMES = {"amd": "aMD", "gamd": "GaMD"}


def run(o, method, seed):
    folder = os.path.join(o.folder, f"{method}-{seed}")
    subprocess.run([o.uplift, "run", os.path.join(HERE, f"vacuum-{method}.yaml"), "--quiet", "--resume", "--set", f"dynamics.seed={seed}",
                    "--set", f"output.directory={folder}"], check=True)
    return folder


def reweight(o, runs, stem, variables, bins):
    done = subprocess.run([o.uplift, "reweight", *runs, "--cv", *variables, "--bins", str(bins), "--method", "exponential", "--discard", "1 ns",
                           "-o", os.path.join(o.folder, stem)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    with h5py.File(os.path.join(o.folder, stem + ".h5"), "r") as f:
        return f["pmf"][:].astype(float), f["error"][:].astype(float), dict(f.attrs)


def merge(pmf, n):
    """A surface of bins n times as wide."""
    p = np.nan_to_num(np.exp(-pmf / KT))
    for axis in range(p.ndim):
        p = np.add.reduceat(p, np.arange(0, p.shape[axis], n), axis=axis)
    with np.errstate(divide="ignore"):
        f = -KT * np.log(p)
    return f - f.min()


def difference(pmf, truth):
    """The surface shifted onto the truth, rms difference [kJ/mol], bins compared, bins below 15 kJ/mol."""
    low = truth < LOW
    both = low & np.isfinite(pmf)
    shifted = pmf - (pmf - truth)[both].mean()
    return shifted, float(np.sqrt(((shifted - truth)[both] ** 2).mean())), int(both.sum()), int(low.sum())


def transitions(runs):
    """How often phi goes from -180 ... -30 to 20 ... 130 degrees or back."""
    count = 0
    for folder in runs:
        with h5py.File(os.path.join(folder, "trajectory.h5md"), "r") as f:
            x = f["particles/trajectory/position/value"]
            with open(os.path.join(folder, "topology.pdb")) as pdb:
                names = [(line[12:16].strip(), line[17:20]) for line in pdb if line.startswith(("ATOM", "HETATM"))]
            atoms = [names.index(a) for a in (("C", "ACE"), ("N", "ALA"), ("CA", "ALA"), ("C", "ALA"))]
            phi = np.concatenate([dihedral(x[k:k + 100000], atoms) for k in range(0, len(x), 100000)])
        side = np.where((phi > -180) & (phi < -30), 0, np.where((phi > 20) & (phi < 130), 1, -1))
        side = side[side >= 0]
        count += int((np.diff(side) != 0).sum())
    return count


def dihedral(x, atoms):
    """Angles [degrees] of positions [frames, atoms, 3]."""
    b = [x[:, atoms[k + 1]].astype(float) - x[:, atoms[k]] for k in range(3)]
    n1, n2 = np.cross(b[0], b[1]), np.cross(b[1], b[2])
    return np.degrees(np.arctan2((np.cross(n1, n2) * b[1]).sum(-1) / np.linalg.norm(b[1], axis=-1), (n1 * n2).sum(-1)))


def draw_phi(phi, truth, about, curves):
    plt.figure(figsize=(7, 4))
    plt.plot(phi, truth, color="black", linewidth=2, label=about)
    for name, (pmf, error, rms) in curves.items():
        plt.errorbar(phi, pmf, yerr=error, fmt="o", markersize=3, linewidth=0.8, label=f"{name}, rms {rms:.2f} kJ/mol below 15")
    plt.ylim(-1, 40)
    plt.xlim(-180, 180)
    plt.xticks(range(-180, 181, 60))
    plt.xlabel("phi [degrees]")
    plt.ylabel("free energy [kJ/mol]")
    plt.legend(frameon=False, fontsize=8)
    plt.tight_layout()
    plt.savefig(os.path.join(HERE, "vacuum-phi.png"), dpi=110)


def draw_ramachandran(surfaces):
    figure, axes = plt.subplots(1, len(surfaces), figsize=(4 * len(surfaces) + 0.6, 4), sharey=True, constrained_layout=True)
    for ax, (title, pmf) in zip(np.atleast_1d(axes), surfaces.items()):
        centers = (np.arange(len(pmf)) + 0.5) * 360 / len(pmf) - 180
        shown = ax.contourf(centers, centers, np.ma.masked_invalid(pmf).T, levels=np.arange(0, 32.5, 2.5), cmap="viridis", extend="max")
        ax.contour(centers, centers, np.ma.masked_invalid(pmf).T, levels=[LOW], colors="white", linewidths=0.8)
        ax.set(title=title, xlabel="phi [degrees]", xticks=range(-180, 181, 90), yticks=range(-180, 181, 90), aspect="equal")
    np.atleast_1d(axes)[0].set_ylabel("psi [degrees]")
    figure.colorbar(shown, ax=axes, label="free energy [kJ/mol]", shrink=0.85)
    figure.savefig(os.path.join(HERE, "vacuum-ramachandran.png"), dpi=110)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--seeds", type=int, default=4)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--folder", type=os.path.abspath, default=os.path.join(HERE, "against-truth"))
    p.add_argument("--json", type=os.path.abspath)
    p.add_argument("--only", choices=tuple(NAMES))
    o = p.parse_args()
    methods = [o.only] if o.only else list(NAMES)
    os.makedirs(o.folder, exist_ok=True)
    cases = [(m, s) for s in range(1, o.seeds + 1) for m in methods]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        list(pool.map(lambda case: run(o, *case), cases))
    with h5py.File(os.path.join(HERE, "truth-vacuum.h5"), "r") as f:
        phi, truth_phi, truth, about = f["collective_variables/0/centers"][:], f["phi/pmf"][:].astype(float), f["pmf"][:].astype(float), f.attrs["method"]
    curves, surfaces, results = {}, {"umbrella sampling": merge(truth, 2)}, {}
    for m in methods:
        runs = [os.path.join(o.folder, f"{m}-{s}") for s in range(1, o.seeds + 1)]
        shifted, rms, *_ = difference(*(lambda r: (r[0], truth_phi))(one := reweight(o, runs, m + "-phi", ["phi=phi(2)"], 60)))
        curves[NAMES[m]] = (shifted, one[1], rms)
        result = {"runs": len(runs), "transitions": transitions(runs), "phi_60": round(rms, 3)}
        for bins in (60, 30):
            pmf, _, about_run = reweight(o, runs, f"{m}-{bins}", ["phi=phi(2)", "psi=psi(2)"], bins)
            shifted, rms, compared, low = difference(pmf, truth if bins == 60 else merge(truth, 2))
            result[f"phi_psi_{bins}"] = {"rms": round(rms, 3), "bins": compared, "bins_below_15": low}
        surfaces[NAMES[m]] = pmf
        results[m] = result | {k: float(v) for k, v in about_run.items() if k in ("frames", "effective_sample_size", "statistical_inefficiency")}
        print(NAMES[m], json.dumps(results[m]), flush=True)
    draw_phi(phi, truth_phi, about, curves)
    draw_ramachandran(surfaces)
    if o.json:
        append_record(o.json, {"system": "alanine-dipeptide-vacuum", "truth": about, "units": "kJ/mol", "results": results, **provenance(o.uplift)})


if __name__ == "__main__":
    main()
