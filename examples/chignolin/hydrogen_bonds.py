#!/usr/bin/python3
"""Is chignolin folded? Distances of the hydrogen bonds that its native hairpin has, over time.

  hydrogen_bonds.py RUN [-o fold.png]        needs h5py, numpy, matplotlib

The native hairpin (PDB 1UAO; Honda et al., Structure 12, 1507 (2004)) has bonds from Asp3 N to Thr8 O, Gly7 N to Asp3 O and Gly10 N to Gly1 O, and Tyr2
beside Trp9. A hairpin that is wrong by one residue has Asp3 N at Gly7 O instead (Satoh et al., FEBS Lett. 580, 3422 (2006)). Boosted frames count as they
are: for populations see `uplift reweight`.
"""
import argparse
import os

import matplotlib

matplotlib.use("Agg")
import h5py
import matplotlib.pyplot as plt
import numpy as np

NATIVE = {"Asp3 N - Thr8 O": (3, "N", 8, "O"), "Gly7 N - Asp3 O": (7, "N", 3, "O"), "Gly10 N - Gly1 O": (10, "N", 1, "O")}
WRONG = {"Asp3 N - Gly7 O": (3, "N", 7, "O")}
RINGS = {2: ("CG", "CD1", "CD2", "CE1", "CE2", "CZ"), 9: ("CD2", "CE2", "CE3", "CZ2", "CZ3", "CH2")}
BOND = 0.35  # nm, from N to O

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("run")
p.add_argument("-o", "--output", default="fold.png")
o = p.parse_args()
if os.path.exists(os.path.join(o.run, "replicas.json")):
    raise SystemExit(f"{o.run}: holds several replicas, each a run of its own; name one, as in {os.path.join(o.run, 'replica-001')}")

with h5py.File(os.path.join(o.run, "trajectory.h5md")) as f:
    topology, track = f["parameters/topology"], f["particles/trajectory/position"]
    names = topology["atom_name"].asstr()[:]
    residue = topology["atom_residue"][:]
    x, time = track["value"][:], track["time"][:] / 1000  # nm, ns
residue = residue - residue.min() + 1


def atom(number, name):
    return int(np.flatnonzero((residue == number) & (names == name))[0])


def distance(a, name_a, b, name_b):
    return np.linalg.norm(x[:, atom(a, name_a)] - x[:, atom(b, name_b)], axis=1)


def centre(number):
    return x[:, [atom(number, name) for name in RINGS[number]]].mean(axis=1)


bonds = {label: distance(*ends) for label, ends in (NATIVE | WRONG).items()}
rings = np.linalg.norm(centre(2) - centre(9), axis=1)
folded = bonds["Asp3 N - Thr8 O"] < BOND
figure, axes = plt.subplots(len(bonds) + 1, 1, figsize=(8, 8), sharex=True)
for axis, (label, d) in zip(axes, (bonds | {"Tyr2 ring - Trp9 ring": rings}).items()):
    axis.plot(time, d, linewidth=0.5, color="tab:red" if label in WRONG else "tab:blue")
    axis.set_title(label, fontsize=9, loc="left", pad=2)
    axis.set_ylabel("[nm]")
    if label in bonds:
        axis.axhline(BOND, color="grey", linewidth=0.5)
axes[-1].set_xlabel("time [ns]")
figure.tight_layout()
figure.savefig(o.output, dpi=110)

print(f"{len(time)} frames, {time[0]:.1f} to {time[-1]:.1f} ns; Asp3 N - Thr8 O below {BOND} nm in {100 * folded.mean():.0f} %")
if folded.any():
    print(f"for the first time at {time[folded.argmax()]:.1f} ns; of those frames have")
    for label, d in bonds.items():
        print(f"  {label:18s} below {BOND} nm in {100 * (d[folded] < BOND).mean():3.0f} %, median {np.median(d[folded]):.3f} nm")
    print(f"  centres of the rings of Tyr2 and Trp9: median {np.median(rings[folded]):.2f} nm, {np.median(rings[~folded]):.2f} nm in all others")
